"""From sealed waves to the tables of differences: two rounds of a country, and another country."""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from copstats.analyse.wave import estimate_wave
from copstats.differences import Differences, gather
from copstats.disclose import load_profile, protect
from copstats.disseminate.comparison import change, group_difference
from copstats.framework.loader import Framework, load_framework
from copstats.framework.manifest import Crosswalk, SurveyManifest, Wording
from copstats.framework.manifest import Mapping as Recoding
from copstats.store.home import Home
from copstats.store.rows import NewSubmission, State, Submission
from tests.analyse.conftest import MANIFEST, merged
from tests.analyse.test_wave import synthetic

ASKED = {"2023": "30 days", "2026": "12 months"}


@pytest.fixture(scope="module")
def framework() -> Framework:
    return load_framework()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, framework: Framework) -> Home:
    home = Home.open(tmp_path_factory.mktemp("differences") / "home", create=True)
    records = synthetic(framework, "child", 900)
    fieldwork = {"start": "2023-03-01", "end": "2023-04-30"}
    for told in (
        {"reference_year": 2023, "fieldwork": fieldwork},
        {"reference_year": 2026},
        {"ref_area": "XBB", "reference_year": 2026},
    ):
        accepted(home, records, framework, told)
    return home


def accepted(home: Home, records: pa.Table, framework: Framework, told: dict[str, Any]) -> None:
    """Take in, accept and estimate a round; the rounds asked for being bullied in different periods."""
    manifest = msgspec.convert(merged(MANIFEST, told), SurveyManifest)
    wording = Wording(kind="identical", recall=ASKED[str(manifest.reference_year)])
    crosswalk = Crosswalk(framework="cop-2026", child={"rcd_cybervic": Recoding(wording=wording)})
    new = NewSubmission.of_survey(
        manifest, crosswalk, framework_fingerprint="f", content_hash="h", variables={}, records={}
    )
    home.waves.write(new.id, new.ref_area, {"child": records})
    home.registry.register(new, State.WAITING)
    home.registry.decide(new.id, State.ACCEPTED, who="reviewer")
    cells: dict[str, pa.Table] = {}
    found = estimate_wave(records, None, manifest, crosswalk, framework, as_of_year=2026, keep=cells.update)
    home.waves.write_cells(new.id, "e", cells)
    home.warehouse.write(new.id, "e", found)


def waves(home: Home) -> list[Submission]:
    return home.registry.current_waves()


@pytest.fixture(scope="module")
def gathered(home: Home, framework: Framework) -> Differences:
    return gather(home, waves(home), framework, {wave.id: "e" for wave in waves(home)})


def test_rounds_are_paired_within_a_country_and_all_surveys_have_groups(gathered: Differences) -> None:
    sources = {(row["source_from"], row["source_to"]) for row in gathered.round_pairs.to_pylist()}
    assert sources == {("XAA_2023_COPS_v01_M", "XAA_2026_COPS_v01_M")}
    assert len(set(gathered.group_errors["submission_id"].to_pylist())) == 3
    assert set(gathered.group_errors["samples"].to_pylist()) == {"covariance"}


def test_opening_is_in_the_audit_log_and_other_sums_do_not_count(home: Home, framework: Framework) -> None:
    found = gather(home, waves(home), framework, {wave.id: "other" for wave in waves(home)})
    assert set(found.group_errors["samples"].to_pylist()) == {"bound"}
    assert (home.path / "audit.log").read_text("utf-8").count('"differences"') >= 3


def test_no_rounds_no_pairs(home: Home, framework: Framework) -> None:
    assert gather(home, [], framework, {}).round_pairs.num_rows == 0


def test_rounds_that_asked_for_different_periods_show_no_trend(
    home: Home, framework: Framework, gathered: Differences
) -> None:
    profile = load_profile()
    estimates = home.warehouse.read(wave.id for wave in waves(home))
    values = protect(
        estimates.filter(pc.is_in(estimates["indicator"], pa.array(["ACC1", "RCD4"]))),
        profile,
        consent_level={wave.id: "disaggregated" for wave in waves(home)},
        framework=framework,
    ).values
    rows = change(values, gathered.round_pairs, profile).to_pylist()
    bullied = [row for row in rows if row["indicator"] == "RCD4"]
    assert bullied and {row["reason"] for row in bullied} == {"not_comparable"}
    assert {row["change"] for row in bullied} == {None} and all(
        "recall" in r["comparability_reasons"] for r in bullied
    )
    assert any(row["value_from"] is not None and row["value_to"] is not None for row in bullied)
    # What was asked in the same way both times has a change: none, as the answers are the same.
    access = [row for row in rows if row["indicator"] == "ACC1" and row["reason"] is None]
    assert access and {row["change"] for row in access} == {0.0}
    assert all(row["se"] > 0 and row["p"] == 1 and row["ci_lower"] < 0 < row["ci_upper"] for row in access)
    groups = group_difference(values, gathered.group_errors, profile).to_pylist()
    assert {row["source"] for row in groups if row["difference"] is not None} == {
        wave.id for wave in waves(home)
    }
    assert all(
        row["difference"] == pytest.approx(row["value_a"] - row["value_b"])
        for row in groups
        if row["difference"] is not None
    )
