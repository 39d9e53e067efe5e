"""The examples of the pages on counts and policy answers are what comes out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from copstats.collect.counts_file import OPTIONAL, REQUIRED
from copstats.collect.policy_file import OPTIONAL as MORE
from copstats.collect.policy_file import REQUIRED as ITEMS
from copstats.disseminate.official import SCHEMAS
from copstats.framework import load_framework
from tests.official.material import AREAS
from tests.official.test_release import published, values

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {name: (DOCS / f"{name}.md").read_text("utf-8") for name in ("administrative", "policy")}


def example(page: str, folder: Path) -> Path:
    """Write the files of a page's example."""
    folder.mkdir()
    for name, text in re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", PAGES[page], re.DOTALL):
        (folder / name).write_text(text, "utf-8")
    return folder


def rows(page: str, head: str) -> list[tuple[str, ...]]:
    table = PAGES[page].partition(f"{head}\n")[2].partition("\n\n")[0].splitlines()[1:]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table]


def shown(number: float | None) -> str:
    return "" if number is None else f"{number:g}"


def test_counts(tmp_path: Path) -> None:
    found = published(example("administrative", tmp_path / "s"))
    told = rows("administrative", "| measure | sex | value | reason |")
    computed = [
        (measure, sex, shown(value), reason or "")
        for measure in dict.fromkeys(row[0] for row in told)
        for sex, value, reason in values(found, measure, "sex", "value", "reason")
    ]
    assert told == computed


def test_scores(tmp_path: Path) -> None:
    found = published(example("policy", tmp_path / "s")).tables["policy_score"].to_pylist()
    names = ("score", "items", "answered", "not_applicable")
    computed = {row["pillar"]: tuple(shown(row[name]) for name in names) for row in found}
    for pillar, *told in rows("policy", "| pillar | score | items | answered | not_applicable |"):
        assert computed[pillar] == tuple(told)


@pytest.mark.parametrize(
    ("page", "columns"), [("administrative", (*REQUIRED, *OPTIONAL)), ("policy", (*ITEMS, *MORE))]
)
def test_every_column_is_explained(page: str, columns: tuple[str, ...]) -> None:
    told = " ".join(row[0] for row in rows(page, "| Column | Content |"))
    assert sorted(re.findall(r"`(\w+)`", told)) == sorted(columns)


def test_what_the_pages_name_is_there() -> None:
    together = "".join(PAGES.values())
    for name in SCHEMAS:
        assert f"`{name}`" in together
    for path in re.findall(r"`(schemas/[\w/.-]+)`", together):
        assert (DOCS.parent / path).is_file()
    policy = load_framework().policy.values()
    assert len(policy) == 34 and len({item.pillar for item in policy}) == 10
    assert "KEN" in AREAS
