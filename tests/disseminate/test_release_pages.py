"""Examples of the pages on releases and on SDMX are run; their lists are those of the code."""

from __future__ import annotations

import re
import runpy
import shutil
from pathlib import Path

import duckdb
import msgspec
import pytest

from copstats.disseminate.published import Reading, read_published
from copstats.disseminate.revisions import REASONS
from copstats.disseminate.sdmx import write_sdmx
from copstats.framework.definitions import Deprecation
from copstats.framework.located import Located
from tests.disseminate.conftest import AREAS

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", (DOCS / page).read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.mark.parametrize("query", blocks("releases.md", "sql"))
def test_queries_run(query: str, release: Path) -> None:
    with duckdb.connect(release / "copstats.duckdb", read_only=True) as connection:
        found = connection.sql(query)
        assert found.columns
        if "release_calendar" in query:
            assert [state for _, _, state in found.fetchall()] == ["released", *["planned"] * 4]


def test_the_reasons_are_those_of_the_table() -> None:
    table = (DOCS / "releases.md").read_text("utf-8")
    head, *named = re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)
    assert (head, named) == ("revision_reason", list(REASONS))


def test_the_example_of_a_deprecation_is_one(tmp_path: Path) -> None:
    (tmp_path / "RCD9.yaml").write_text(blocks("releases.md", "yaml")[0], "utf-8")
    said = Located(tmp_path / "RCD9.yaml").data["deprecated"]
    assert msgspec.convert(said, Deprecation).replaced_by == "RCD5"


def test_the_sdmx_examples_run(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sdmx(tmp_path, read_published(release, Reading(AREAS)))
    monkeypatch.chdir(tmp_path)
    for number, block in enumerate(blocks("sdmx.md", "python")):
        script = tmp_path / f"example{number}.py"
        script.write_text(block, "utf-8")
        runpy.run_path(str(script))
    named = re.findall(r"`([A-Za-z_-]+[-.0-9]+\w*\.(?:xml|csv|json))`", (DOCS / "sdmx.md").read_text("utf-8"))
    assert {name for name in named if not (tmp_path / "sdmx" / name).is_file()} == set()
    shutil.rmtree(tmp_path / "sdmx")
