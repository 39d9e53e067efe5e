"""The library and the command that compare published values."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from copstats.cli.compare import compare
from copstats.compare import GROUPED, compare_areas, compare_groups, compare_rounds
from copstats.errors import UsageError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "compare.md").read_text("utf-8")


def test_areas_are_compared_by_their_newest_value_of_class_a_or_b(release: Path) -> None:
    found = compare_areas(release, "RCD4")
    values = found.values.to_pylist()
    assert [(v["ref_area"], v["time_period"], v["value"]) for v in values] == [
        ("XAA", "2026", 24.6),
        ("XBB", "2026", 13.1),
    ]
    assert [(v["rank"], v["rank_best"], v["rank_worst"]) for v in values] == [(1, 1, 1), (2, 2, 2)]
    (pair,) = found.differences.to_pylist()
    assert (pair["ref_area_a"], pair["ref_area_b"], pair["difference"], pair["se"]) == (
        "XAA",
        "XBB",
        11.5,
        1.7,
    )
    assert pair["ci_lower"] == 8.1 and pair["ci_upper"] == 14.9 and pair["comparability"] == "B"
    assert pair["p"] == pair["p_holm"] == pair["p_bh"] < 1e-9
    (out,) = found.left_out.to_pylist()
    assert (out["ref_area"], out["reason"], out["comparability_reasons"]) == (
        "XCC",
        "not_comparable",
        "wording",
    )


def test_the_difference_is_that_of_the_macro_with_the_error_of_rounding(release: Path) -> None:
    (pair,) = compare_areas(release, "RCD4").differences.to_pylist()
    with duckdb.connect(str(release / "copstats.duckdb"), read_only=True) as connection:
        query = "SELECT difference, se FROM difference('RCD4', 'XAA', 'XBB')"
        ((difference, se),) = connection.sql(query).fetchall()
    assert pair["difference"] == difference
    assert pair["se"] == pytest.approx(np.sqrt(se**2 + 2 * 0.01 / 12), abs=0.006)


def test_withheld_values_are_left_out_with_their_reason(release: Path) -> None:
    found = compare_areas(release, "RCT3")
    assert found.values.num_rows == found.differences.num_rows == 0
    assert {row["reason"] for row in found.left_out.to_pylist()} == {"n"}


def test_a_cell_and_some_areas_can_be_chosen(release: Path) -> None:
    found = compare_areas(release / "copstats.duckdb", "RCD4", areas=["XBB", "XAA"], sex="F")
    assert found.values["value"].to_pylist() == [29.0, 13.0]
    assert found.left_out.num_rows == 0
    assert compare_areas(release, "RCD4", standardised=True).values.num_rows == 0


def test_groups_are_those_of_the_release_with_adjusted_p_values(release: Path) -> None:
    rows = compare_groups(release, "RCD4", "sex").to_pylist()
    assert [(row["ref_area"], row["difference"], row["reason"]) for row in rows] == [
        ("XAA", 9.0, None),
        ("XCC", None, "not_comparable"),
    ]
    # Only what has a difference counts among the tests.
    assert [row["p_holm"] for row in rows] == [rows[0]["p"], None]
    assert compare_groups(release, "RCD4", "residence").num_rows == 0


def test_rounds_are_those_of_the_release_at_the_total_or_in_a_cell(release: Path) -> None:
    (row,) = compare_rounds(release, "RCD4").to_pylist()
    assert (row["change"], row["samples"], row["p_bh"]) == (-6.4, "independent", row["p"])
    (girls,) = compare_rounds(release, "RCD4", sex="F").to_pylist()
    (boys,) = compare_rounds(release, "RCD4", areas=["XAA"], sex="M").to_pylist()
    assert girls["change"] == -2.0
    assert (boys["change"], boys["reason"]) == (None, "not_comparable")


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("U180", lambda release: compare_areas(release, "XYZ1")),
        ("U181", lambda release: compare_rounds(release, "RCD4", areas=["XAA", "XZZ"])),
        ("U183", lambda release: compare_areas(release, "ACC5")),
        ("U184", lambda release: compare_groups(release, "RCD4", "region")),
        ("U184", lambda release: compare_areas(release, "RCD4", colour="red")),
        ("U185", lambda release: compare_areas(release / "csv", "RCD4")),
    ],
)
def test_what_cannot_be_compared_is_said(release: Path, code: str, call: Any) -> None:
    with pytest.raises(UsageError) as problem:
        call(release)
    assert problem.value.code == code and problem.value.title and problem.value.hint


def test_a_release_of_before_has_no_tables_of_differences(release: Path, tmp_path: Path) -> None:
    older = tmp_path / "older.duckdb"
    with duckdb.connect(str(older)) as connection:
        connection.execute(f"ATTACH '{release / 'copstats.duckdb'}' AS newer (READ_ONLY)")
        for name in ("indicator_value", "indicator", "source", "area"):
            connection.execute(f"CREATE TABLE {name} AS FROM newer.{name}")
    assert compare_areas(older, "RCD4").values.num_rows == 2
    with pytest.raises(UsageError, match="U182"):
        compare_rounds(older, "RCD4")


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    compare.main([str(one) for one in arguments], standalone_mode=False)
    return capsys.readouterr().out


def test_the_command_shows_what_the_library_finds(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    areas = run(capsys, "RCD4", "--release", release)
    assert "XAA" in areas and "24.6" in areas and "11.5" in areas and "wording" in areas
    groups = run(capsys, "RCD4", "--by", "sex", "--release", release)
    assert "F - M" in groups and "9.0" in groups and "not comparable" in groups
    rounds = run(capsys, "RCD4", "--change", "--areas", "XAA", "--release", release)
    assert "2023-2026" in rounds and "-6.4" in rounds and "Rounds are independent" in rounds


def test_the_command_prints_json(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run(capsys, "RCD4", "--release", release, "--json"))
    assert found["indicator"] == "RCD4" and found["values"][0]["rank_worst"] == 1
    assert found["differences"][0]["difference"] == 11.5 and found["left_out"][0]["ref_area"] == "XCC"
    rounds = json.loads(run(capsys, "RCD4", "--change", "--release", release, "--json"))
    assert rounds["differences"][0]["change"] == -6.4


def test_the_dimensions_of_the_command_are_those_of_the_library() -> None:
    (by,) = (option for option in compare.params if option.name == "by")
    assert tuple(by.type.choices) == GROUPED  # type: ignore[attr-defined]


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def releases(release: Path, tmp_path: Path) -> Path:
    """A folder of releases, as the page names it."""
    shutil.copytree(release, tmp_path / "releases" / "2026-Q4")
    return tmp_path


def test_the_commands_of_the_page_run(
    releases: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(releases)
    lines = [line for block in examples("console") for line in block.splitlines()]
    assert len(lines) == 5
    for line in lines:
        words = shlex.split(line)
        assert words[:2] == ["copstats", "compare"]
        assert "XAA" in run(capsys, *words[2:])


@pytest.mark.parametrize("query", examples("sql"), ids=range(len(examples("sql"))))
def test_the_queries_of_the_page_answer(release: Path, query: str) -> None:
    with duckdb.connect(str(release / "copstats.duckdb"), read_only=True) as connection:
        assert connection.execute(query).fetchall()


def test_the_python_of_the_page_runs(releases: Path) -> None:
    (code,) = examples("python")
    places = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=releases,
        env=os.environ | {"PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "XAA 24.6 rank 1, 1 to 1" in done.stdout
