"""A real national survey through the whole pipeline gives the figures of R `survey`."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from copstats.store.home import Home
from tests.journey.conftest import copstats

pytestmark = pytest.mark.reference

SEXES = {"T": "_T", "F": "F", "M": "M"}
FOLDERS = ("2015", "2017", "2019", "2019-sav")
PUBLISHED = {"2015": 15.5, "2017": 14.9, "2019": 15.7}


@pytest.fixture(scope="module", params=FOLDERS)
def round_(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def home(round_: str, root: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that took in one round, estimated and released it."""
    folder = tmp_path_factory.mktemp(round_) / "home"
    submission = root / "sample_data" / "crosswalks" / "usa-yrbs" / round_
    taken = copstats(
        "ingest", submission, "--data", shared / "data" / "yrbs", "--create-home", "--home", folder, cwd=root
    )
    assert taken.status == 0, taken.err
    year = round_[:4]
    assert copstats("accept", f"USA_{year}_YRBS_v01_M", "--home", folder, cwd=root).status == 0
    return folder


@pytest.fixture(scope="module")
def estimates(home: Path, root: Path) -> list[dict[str, object]]:
    printed = copstats("estimate", "--as-of", "2026", "--json", "--home", home, cwd=root)
    assert printed.status == 0, printed.err
    return [json.loads(line) for line in printed.out.splitlines()]


def reference(shared: Path, year: str) -> list[dict[str, str]]:
    with (shared / "data" / "yrbs" / "r-survey-reference.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["year"] == year and row["item"] == "ebully"]
    assert {row["sex"] for row in rows} == {"T", "F", "M"}
    return rows


def printed(value: object, like: str) -> Decimal:
    """Return per cent rounded to as many digits as the reference prints."""
    digits = Decimal(1).scaleb(-len(like.partition(".")[2]))
    return (Decimal(repr(value)) * 100).quantize(digits)


def test_rcd4_in_total_and_by_sex_has_the_figures_of_r_survey(
    round_: str, estimates: list[dict[str, object]], shared: Path
) -> None:
    others = ("age", "residence", "wealth_quintile", "disability", "education", "region")
    found = {
        row["sex"]: row
        for row in estimates
        if row["indicator"] == "RCD4" and all(row[name] == "_T" for name in others)
    }
    for expected in reference(shared, round_[:4]):
        row = found[SEXES[expected["sex"]]]
        assert printed(row["estimate"], expected["pct"]) == Decimal(expected["pct"])
        assert printed(row["se"], expected["se"]) == Decimal(expected["se"])
        assert printed(row["ci_lower"], expected["lo_logit"]) == Decimal(expected["lo_logit"])
        assert printed(row["ci_upper"], expected["hi_logit"]) == Decimal(expected["hi_logit"])
        assert row["n"] == int(expected["n"])
        assert row["df"] == int(expected["df"])


def test_only_rcd4_can_be_fed(estimates: list[dict[str, object]]) -> None:
    assert {row["indicator"] for row in estimates} == {"RCD4"}


@pytest.mark.parametrize(
    "round_",
    [pytest.param(one, marks=() if one == "2019" else pytest.mark.nightly) for one in FOLDERS],
    indirect=True,
    scope="module",
)
def test_the_rest_is_absent_from_the_release_with_a_reason(
    round_: str, home: Path, estimates: list[dict[str, object]], root: Path
) -> None:
    import duckdb

    Home.open(home).change_settings(release_forms=())
    for command in (("release", "2026-Q4"), ("review", "confirm", "2026-Q4", "USA"), ("release", "2026-Q4")):
        assert copstats(*command, "--home", home, cwd=root).status == 0
    database = home / "releases" / "2026-Q4" / "copstats.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "SELECT indicator, obs_status, reason FROM indicator_value"
            " WHERE value IS NULL AND obs_status = 'L' AND standardised = 'N'"
        ).fetchall()
        (published,) = connection.execute(
            "SELECT value FROM latest_value WHERE indicator = 'RCD4' AND disaggregation = 'total'"
        ).fetchall()
    assert len(rows) == len({code for code, _, _ in rows}) >= 45
    assert all(reason for _, _, reason in rows)
    assert published[0] == pytest.approx(PUBLISHED[round_[:4]])
