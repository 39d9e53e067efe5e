"""What a release alone tells of its values: `copstats explain` without a home."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pytest
import yaml

from copstats.auditing import values_of
from copstats.cli.explain import explain
from copstats.disclose import load_profile
from copstats.disseminate.aggregates import aggregates
from copstats.errors import CopstatsError
from copstats.explaining import Asked, Explainer, PublishedFacts, explainer
from copstats.explaining.published import OpenRelease
from copstats.framework import Area, load_framework
from copstats.framework.denominators import POPULATION_REFERENCE, Denominators
from copstats.store.engine import memory_connection, published_connection


@pytest.fixture(scope="module")
def known(release: Path) -> Iterator[Explainer]:
    with explainer(release) as opened:
        yield opened


def one(known: Explainer, *key: str, **group: str) -> PublishedFacts:
    (found,) = known.explain(Asked(*key, group=group))
    assert found.kept is None
    return found.published


def refused(known: Explainer, *key: str, **group: str) -> CopstatsError:
    with pytest.raises(CopstatsError) as error:
        known.explain(Asked(*key, group=group))
    return error.value


def test_a_shown_value_with_its_definition_survey_and_grounds(known: Explainer) -> None:
    found = one(known, "RCD4", "XAA", "2026", sex="F")
    assert found.value["value"] == 29.0
    assert (found.labels["sex"], found.labels["obs_status"]) == ("Female", "Normal value")
    assert found.area == "Aruvia (fictional)"
    assert found.indicator["numerator"] == "rcd_cybervic = 1"
    assert (found.source["source"], found.source["setting"]) == ("XAA_2026_COPS_v01_M", "school")
    assert [ground.code for ground in found.grounds] == found.value["comparability_reasons"].split(";")
    assert all(ground.text and ground.evidence for ground in found.grounds)
    assert found.withheld is None


def test_a_withheld_value_names_the_rule_and_its_threshold_in_the_tier(known: Explainer, root: Path) -> None:
    profile = yaml.safe_load((root / "schemas/cop-2026/disclosure.yaml").read_text("utf-8"))
    rule = profile["thresholds"]["minimum_n"]
    withheld = one(known, "RCT3", "XAA", "2026").withheld
    cells = known.release.of_area("RCT3", "XAA")
    of_survey = [row["reason"] for row in cells if row["time_period"] == "2026"]
    assert withheld is not None
    assert (withheld.reason, withheld.tier) == ("n", "B")
    assert (withheld.cells, withheld.of_cells) == (of_survey.count("n"), len(of_survey))
    assert withheld.label == profile["reasons"]["n"]["label"]
    (told,) = withheld.rules
    assert (told.rule, told.number, told.source) == ("R1", rule["tiers"]["B"], rule["source"])
    assert told.text.split() == rule["text"].split()


def test_an_absent_indicator_says_why_and_no_rule(known: Explainer) -> None:
    withheld = one(known, "HLP5", "XBB", "2026").withheld
    assert withheld is not None
    assert (withheld.label, withheld.rules) == ("The survey did not ask a question that it needs", ())


def test_a_composite_names_what_it_combines(known: Explainer) -> None:
    members = load_framework().indicators["RSK1"].definition.members
    assert [member["indicator"] for member in one(known, "RSK1", "XAA", "2026").members] == members


def test_every_value_is_found_again_by_its_own_question(known: Explainer, values: pa.Table) -> None:
    rows = values_of(known.release.folder).to_pylist()
    assert len(rows) == values.num_rows > 20
    for row in rows:
        (found,) = known.explain(Asked.of(row))
        assert found.published.value == row
        assert (found.published.withheld is None) == (row["value"] is not None)


def test_what_is_not_there_is_refused_with_what_is(known: Explainer, tmp_path: Path, release: Path) -> None:
    assert refused(known, "XYZ1", "XAA", "2026").code == "U103"
    missing = refused(known, "RCD4", "XAA", "2020")
    assert (missing.code, missing.params["years"]) == ("U380", "2023, 2026")
    assert refused(known, "RCD4", "XAA", "2026", region="N").code == "U380"
    assert refused(known, "RCD4", "KEN", "2026").params["years"] == "-"
    for arguments, code in (((tmp_path,), "R024"), ((release, None), "U381")):
        with pytest.raises(CopstatsError) as error, explainer(*arguments, restricted=code == "U381"):
            pass
        assert error.value.code == code


def run(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    with click.Context(explain):
        explain.main(list(words), standalone_mode=False)
    return capsys.readouterr().out


def test_the_command_prints_sections_or_json(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("rct3", "xaa", "2026", "--release", str(release))
    text = run(capsys, *words)
    for part in (
        "Unwanted sexual requests",
        "no figure",
        "Too few valid answers (n)",
        "Tier B: 50",
        "SHA-256",
    ):
        assert part in text
    assert "the home that made the release" in text
    (told,) = json.loads(run(capsys, *words, "--json"))
    assert (told["value"]["reason"], told["home"]) == ("n", None)


@pytest.fixture(scope="module")
def grouped(release: Path) -> Iterator[Explainer]:
    """A release with aggregates over countries of two regions, of which one has too few."""
    with published_connection(release / "copstats.duckdb") as connection:
        names = [name for (name,) in connection.sql("SELECT table_name FROM duckdb_tables()").fetchall()]
        tables = {name: connection.table(name).to_arrow_table() for name in names}
    plain = next(
        row
        for row in values_of(release).to_pylist()
        if row["comparability"] == "A"
        and row["value"]
        and row["unit_measure"] == "PCNT"
        and row["sex"] == "_T"
    )
    codes = ["XAA", "XBB", "XCC", "XDD", "XEE", "XFF"]
    rows = [plain | {"ref_area": code, "value": 10.0 + i} for i, code in enumerate(codes)]
    regions = dict(zip(codes, ["AFR"] * 5 + ["EUR"], strict=True))
    areas = {code: Area(code, f"{code} (fictional)", {"itu_region": regions[code]}) for code in codes}
    people: list[dict[str, Any]] = [
        {"ref_area": code, "year": 2025, "sex": sex, "age_minimum": 9, "age_maximum": 17}
        | {"population": 1000.0 * (i + 1), "internet_users": None, "source": "made up", "vintage": "1"}
        for i, code in enumerate(codes)
        for sex in ("_T", "F", "M")
    ]
    made = aggregates(
        pa.Table.from_pylist(rows, values_of(release).schema),
        load_framework(),
        load_profile(),
        areas,
        Denominators(pa.Table.from_pylist(people, POPULATION_REFERENCE)),
        year=2026,
    )
    tables |= {"aggregate_value": made.values, "aggregate_member": made.members}
    with memory_connection() as connection:
        for name, table in tables.items():
            connection.register("rows_of_table", table)
            connection.execute(f"CREATE TABLE {name} AS FROM rows_of_table")
        yield Explainer(OpenRelease(release, connection), None)


def test_an_aggregate_is_explained_with_its_members(grouped: Explainer) -> None:
    code = grouped.release.table("aggregate_value")[0]["indicator"]
    assert grouped.names_group("afr") and not grouped.names_group("XAA") and not grouped.names_group("XYZ")
    (africa,) = grouped.explain_group(Asked(code, "afr", "2026"))
    # Children weigh 1 to 5: (10 + 2 * 11 + 3 * 12 + 4 * 13 + 5 * 14) / 15.
    assert africa.value["value"] == pytest.approx(12.7)
    assert [row["ref_area"] for row in africa.members] == ["XEE", "XDD", "XCC", "XBB", "XAA"]
    assert sum(row["share"] for row in africa.members) == pytest.approx(1, abs=1e-3)
    assert africa.reason is None and len(africa.rules) == 3
    (europe,) = grouped.explain_group(Asked(code, "Europe", "2026"))
    assert europe.value["value"] is None and europe.members == () and europe.reason
    assert {one.value["scheme"] for one in grouped.explain_group(Asked(code, "world", "2026"))} == {"world"}
    with pytest.raises(CopstatsError) as error:
        grouped.explain_group(Asked(code, "AFR", "2020"))
    assert error.value.params["years"] == "2026"
