"""The tables of docs/disclosure.md are those of the profile.

``python -m tests.disclose.test_page`` writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from copstats.disclose import load_profile

PAGE = Path(__file__).parents[2] / "docs" / "disclosure.md"
PROFILE = load_profile()


def markdown(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def thresholds() -> str:
    of = PROFILE.thresholds
    entries = [(name, getattr(of, name)) for name in of.__struct_fields__]
    rows = [(t.rule, name, f"{t.tiers['A']:g}", f"{t.tiers['B']:g}", t.text) for name, t in entries]
    return markdown(("Rule", "Threshold", "A", "B", "Text"), rows)


def steps() -> str:
    rows = [
        (rounding.rule, unit.label, what, tier, n, f"{step:g}")
        for unit in PROFILE.units.values()
        for what, rounding in (("value", unit.value), ("standard error", unit.error))
        for tier, by_n in rounding.steps.items()
        for n, step in by_n.items()
    ]
    return markdown(("Rule", "Unit", "Figure", "Tier", "From valid answers", "Step"), rows)


def reasons() -> str:
    rows = [
        (f"`{code}`", r.label, r.rule or "", f"`{r.obs_status}`", f"`{r.obs_conf}`")
        for code, r in PROFILE.reasons.items()
    ]
    return markdown(("`reason`", "Meaning", "Rule", "`obs_status`", "`obs_conf`"), rows)


TABLES = {"thresholds": thresholds, "steps": steps, "reasons": reasons}


def written(page: str) -> str:
    for name, table in TABLES.items():
        mark = f"<!-- generated: {name} -->"
        assert mark in page
        page = re.sub(rf"{mark}\n.*?<!-- end -->", f"{mark}\n{table()}\n<!-- end -->", page, flags=re.DOTALL)
    return page


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text("utf-8")
    assert page == written(page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
