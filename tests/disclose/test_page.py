"""The tables of docs/disclosure.md are those of the profiles.

``python -m tests.disclose.test_page`` writes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from copstats.disclose.profile import TIERS, load_profile, named_profiles
from copstats.framework import load_framework
from copstats.framework.disclosure import Threshold

PAGE = Path(__file__).parents[2] / "docs" / "disclosure.md"
PROFILE = load_profile()


def markdown(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def by_tier(threshold: Threshold) -> tuple[str, str]:
    a, b = (f"{threshold.tiers[tier]:g}" if tier in threshold.tiers else "" for tier in TIERS)
    return a, b


def thresholds() -> str:
    rows = [(t.rule, f"`{name}`", *by_tier(t), t.text, t.source) for name, t in PROFILE.thresholds.given()]
    return markdown(("Rule", "Threshold", "A", "B", "Text", "Source"), rows)


def profiles() -> str:
    rows = [
        (f"`{name}`", t.rule, f"`{threshold}`", *by_tier(t), t.text, t.source)
        for name in named_profiles()
        for threshold, t in load_profile(named=name).thresholds.given()
        if t != getattr(PROFILE.thresholds, threshold)
    ]
    return markdown(("Profile", "Rule", "Threshold", "A", "B", "Text", "Source"), rows)


def relations() -> str:
    of = PROFILE.relations
    entries = [getattr(of, name) for name in of.__struct_fields__]
    return markdown(("Rule", "Text", "Source"), [(r.rule, r.text, r.source) for r in entries])


def limits(*names: str) -> Callable[[], str]:
    def table() -> str:
        entries = [(name, getattr(PROFILE.limits, name)) for name in names]
        rows = [(e.rule, f"`{name}`", f"{e.value:g}", e.text, e.source) for name, e in entries]
        return markdown(("Rule", "Limit", "Number", "Text", "Source"), rows)

    return table


def tier_b() -> str:
    known = load_framework().indicators.items()
    return markdown(
        ("Indicator", "Title"),
        [(f"`{code}`", i.definition.title) for code, i in known if i.definition.tier == "B"],
    )


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


TABLES = {
    "tier b": tier_b,
    "thresholds": thresholds,
    "steps": steps,
    "relations": relations,
    "limits of a survey": limits("sampling_fraction", "changed_records"),
    "profiles": profiles,
    "reasons": reasons,
    "limits of counts": limits(
        *("minimum_count", "rounding_base", "dominant_units", "dominant_share", "estimation_margin")
    ),
}


def written(page: str) -> str:
    for name, table in TABLES.items():
        mark = f"<!-- generated: {name} -->"
        assert mark in page
        page = re.sub(rf"{mark}\n.*?<!-- end -->", f"{mark}\n{table()}\n<!-- end -->", page, flags=re.DOTALL)
    return page


def test_every_limit_is_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    for name in PROFILE.limits.__struct_fields__:
        assert f"`{name}`" in page


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text("utf-8")
    assert page == written(page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
