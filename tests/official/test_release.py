"""From counts and answers to the tables of a release; what is computed of them, worked by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from copstats.disclose import load_profile
from copstats.disclose.counts import protect_counts
from copstats.disseminate import build_release
from copstats.disseminate.labels import labels
from copstats.disseminate.official import SCHEMAS, OfficialTables, earlier_counts, official_tables
from copstats.disseminate.tables import dictionary
from copstats.errors import SubmissionError, UsageError
from copstats.framework import load_areas, load_framework
from copstats.framework.counts import load_counts
from copstats.framework.denominators import POPULATION_REFERENCE, Denominators, no_denominators
from copstats.framework.export.markup import wordings
from copstats.framework.translation import framework_messages
from copstats.language import LANGUAGES
from copstats.official import official_submissions, publishable, take_in
from copstats.store.counts import POLICY_ANSWERS
from copstats.store.home import Home
from copstats.store.rows import State
from copstats.store.schemas import INDICATOR_VALUE
from tests.official.material import answers, counts, opened

FRAMEWORK, PROFILE = load_framework(), load_profile()
HEAD = "variable,period,sex,age,category,value"
CHILDREN = Denominators(
    pa.Table.from_pylist(
        [
            {
                **{"ref_area": "KEN", "year": 2025, "sex": sex, "age_minimum": low, "age_maximum": high},
                **{"population": number, "internet_users": None, "source": "WPP", "vintage": "2024"},
            }
            for low, high, sex, number in (
                *((0, 11, "F", 600_000.0), (0, 11, "M", 640_000.0)),
                *((12, 17, "F", 300_000.0), (12, 17, "M", 310_000.0)),
            )
        ],
        schema=POPULATION_REFERENCE,
    )
)


def published(folder: Path, denominators: Denominators = CHILDREN) -> OfficialTables:
    taken = opened(folder)
    whole_of = load_counts(FRAMEWORK.id).whole_of
    is_policy = taken.manifest.kind == "policy"
    protected = protect_counts(taken.table if not is_policy else counts_schema(), PROFILE, whole_of=whole_of)
    return official_tables(
        protected,
        taken.table if is_policy else POLICY_ANSWERS.empty_table(),
        [(taken.manifest, taken.content_hash)],
        framework=FRAMEWORK,
        profile=PROFILE,
        denominators=denominators,
    )


def counts_schema() -> pa.Table:
    from copstats.store.counts import COUNTS

    return COUNTS.empty_table()


def values(tables: OfficialTables, measure: str, *names: str) -> list[tuple[Any, ...]]:
    rows = tables.tables["administrative_value"].to_pylist()
    return [tuple(row[name] for name in names) for row in rows if row["measure"] == measure]


def test_a_rate_is_the_published_count_per_100_000_children(tmp_path: Path) -> None:
    """By hand: 1,850 of 1,850,000 children; 922 girls become 920 of 900,000, that is 102.2."""
    lines = [
        "hl_online_violence,2025,_T,_T,_T,1851",
        "hl_online_violence,2025,F,_T,_T,922",
        "hl_online_violence,2025,M,_T,_T,929",
        "hl_online_violence,2025,_T,Y12T14,_T,800",
        "hl_online_violence,2025,_T,_U,_T,1051",
    ]
    found = published(counts(tmp_path / "s", [HEAD, *lines]))
    rates = values(found, "ADM1", "sex", "age", "value", "denominator", "unit_measure")
    unit = "CONTACT_PER_100K_CHILDREN"
    assert rates == [
        ("F", "_T", 102.0, 900_000.0, unit),
        ("M", "_T", 97.9, 950_000.0, unit),
        ("_T", "_T", 100.0, 1_850_000.0, unit),
    ]


def test_a_rate_of_a_withheld_count_is_withheld(tmp_path: Path) -> None:
    lines = [f"le_victims,2025,{sex},_T,_T,{number}" for sex, number in (("_T", 43), ("F", 40), ("M", 3))]
    found = published(counts(tmp_path / "s", [HEAD, *lines]))
    assert values(found, "ADM5", "sex", "value", "obs_status", "reason") == [
        ("F", None, "Q", "count"),
        ("M", None, "Q", "count"),
        ("_T", 2.43, "A", None),
    ]


def test_without_population_there_is_no_rate(tmp_path: Path) -> None:
    folder = counts(tmp_path / "s", [HEAD, "le_victims,2025,_T,_T,_T,40"])
    (row,) = values(published(folder, no_denominators()), "ADM5", "value", "obs_status", "obs_conf", "reason")
    assert row == (None, "M", "F", "no_denominator")


def test_an_office_may_report_its_own_population(tmp_path: Path) -> None:
    lines = [
        "le_victims,2025,_T,_T,_T,40",
        "pop_child,2025,_T,Y0T17,_T,1000000",
        "ht_reports_csam,2025,_T,_T,_T,50",
        "pop_users_all,2025,_T,_T,_T,2000000",
    ]
    found = published(counts(tmp_path / "s", [HEAD, *lines]), no_denominators())
    assert values(found, "ADM5", "value", "denominator") == [(4.0, 1_000_000.0)]
    assert values(found, "ADM3", "value", "unit_measure") == [(2.5, "REPORT_PER_100K_USERS")]
    first = published(counts(tmp_path / "t", [HEAD, *lines]), CHILDREN)
    assert values(first, "ADM5", "denominator") == [(1_850_000.0,)]


def test_ratios(tmp_path: Path) -> None:
    lines = [
        "hl_attempts_total,2025,_T,_T,_T,1501",
        "hl_contacts_total,2025,_T,_T,_T,1000",
        "le_prosecuted,2025,_T,_T,_T,80",
        "le_convicted,2025,_T,_T,_T,60",
        "ed_schools_cop,2025/2026,_T,_T,_T,300",
        "ed_schools_total,2025/2026,_T,_T,_T,1200",
        "ht_removed_24h,2025,_T,_T,_T,10",
    ]
    found = published(counts(tmp_path / "s", [HEAD, *lines]))
    assert values(found, "ADM2", "value", "denominator", "unit_measure") == [(67.0, 1500.0, "PCNT")]
    assert values(found, "ADM6", "value", "reason") == [
        (None, "no_denominator")
    ]  # 80: rounding weighs too much
    assert values(found, "ADM7", "time_period", "value") == [("2025/2026", 25.0)]
    assert values(found, "ADM4", "value", "reason") == [(None, "no_denominator")]


def test_quarters_have_no_rates(tmp_path: Path) -> None:
    folder = counts(tmp_path / "s", [HEAD, "hl_online_violence,2025-Q1,_T,_T,_T,40"])
    assert values(published(folder), "ADM1", "value") == []


def test_units_are_kept_apart(tmp_path: Path) -> None:
    measures = (
        published(counts(tmp_path / "s", [HEAD, "hl_hours,2025,_T,_T,_T,1"])).tables["measure"].to_pylist()
    )
    units = {row["measure"]: row["unit_measure"] for row in measures}
    assert units["hl_counselling"] == "CONTACT" and units["le_victims"] == "CHILD"
    assert units["ht_reports_csam"] == "REPORT" and units["ht_urls_unique"] == "ITEM"
    definitions = load_counts(FRAMEWORK.id)
    for part, whole in definitions.whole_of.items():
        assert definitions.variables[part].unit == definitions.variables[whole].unit
    for derived in definitions.derived.values():
        if not derived.is_rate:
            named = (definitions.variables[name].unit for name in (derived.numerator, derived.denominator))
            assert len(set(named)) == 1
    assert not set(units) & set(FRAMEWORK.indicators)


def test_units_and_categories_have_labels_that_are_translated() -> None:
    definitions = load_counts(FRAMEWORK.id)
    for rate in definitions.derived.values():
        unit = definitions.units[definitions.variables[rate.numerator].unit].label
        assert rate.label.startswith(f"{unit} per 100,000 ") if rate.is_rate else rate.label == "Per cent"
    for_translators = {message.msgid for message in framework_messages() if message.place == "counts.yaml"}
    found = labels(FRAMEWORK, {}, [], {}, wordings(FRAMEWORK.id)).to_pylist()
    texts = {(row["kind"], row["code"]): row["text"] for row in found if row["language"] == "en"}
    told = {code: text for (kind, code), text in texts.items() if kind == "breakdown"}
    told |= {code: text for (kind, code), text in texts.items() if kind == "unit_measure"}
    assert told.items() >= {"channel:phone": "Telephone", "channel": "Channel"}.items()
    assert (
        told.items()
        >= {"SCHOOL": "Schools", "CHILD_PER_100K_CHILDREN": "Children per 100,000 children"}.items()
    )
    assert {text for code, text in told.items() if not code.endswith(":_U")} <= for_translators
    unknown = [row["language"] for row in found if (row["kind"], row["code"]) == ("breakdown", "channel:_U")]
    assert set(unknown) == set(LANGUAGES)


def test_scores_by_pillar(tmp_path: Path) -> None:
    """By hand: governance yes, partial, no of three answered: 50; all: 1 + 0.5 + 0 + 1 of four: 62.5."""
    lines = ["Q01,yes", "Q02,partial", "Q03,no", "Q04,not_applicable", "Q06,yes", "Q33,not_applicable"]
    found = published(answers(tmp_path / "s", ["item,answer", *lines])).tables
    scores = {row["pillar"]: row for row in found["policy_score"].to_pylist()}
    told = {
        pillar: (row["score"], row["items"], row["answered"], row["not_applicable"])
        for pillar, row in scores.items()
    }
    assert told["Governance"] == (50.0, 5, 3, 1)
    assert told["Legal"] == (100.0, 7, 1, 0)
    assert told["Cooperation"] == (None, 1, 0, 1)
    assert told["Industry"] == (None, 2, 0, 0)
    assert told["_T"] == (62.5, 34, 4, 2)
    assert [row["answer"] for row in found["policy_answer"].to_pylist()] == [
        line.split(",")[1] for line in lines
    ]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home.open(tmp_path / "home", create=True)
    made.keys.create("KEN")
    return made


SMALL = [f"le_victims,2025,{sex},_T,_T,{number}" for sex, number in (("_T", 43), ("F", 40), ("M", 3))]


def accepted(home: Home, folder: Path) -> None:
    taken = take_in(home, folder)
    assert taken.changed and taken.submission.state == State.WAITING
    assert home.registry.decide(taken.submission.id, State.ACCEPTED, who="reviewer").state == State.ACCEPTED


def release(home: Home, folder: Path, denominators: Denominators = CHILDREN) -> duckdb.DuckDBPyConnection:
    official = publishable(home, FRAMEWORK, PROFILE, denominators)
    manifest = build_release(
        folder,
        label=folder.name,
        values=INDICATOR_VALUE.empty_table(),
        framework=FRAMEWORK,
        areas=load_areas(),
        sources=[],
        fingerprint="f",
        signing_key=home.keys.signing_key(),
        official=official,
    )
    assert {one.submission: one.sha256 for one in manifest.inputs} == official.inputs
    return duckdb.connect(str(folder / "copstats.duckdb"), read_only=True)


def test_from_submission_to_release(home: Home, tmp_path: Path) -> None:
    accepted(home, counts(tmp_path / "counts", [HEAD, *SMALL]))
    accepted(home, answers(tmp_path / "answers", ["item,answer", "Q01,yes"]))
    assert home.registry.current_waves() == []
    assert [one.kind for one in official_submissions(home)] == ["administrative", "policy"]
    with release(home, tmp_path / "2026-Q4") as connection:
        shown = connection.sql(
            "FROM administrative_value SELECT sex, value WHERE measure = 'le_victims' ORDER BY sex"
        )
        assert shown.fetchall() == [("F", None), ("M", None), ("_T", 45.0)]
        assert connection.sql("SELECT score FROM policy_score WHERE pillar = '_T'").fetchall() == [(100.0,)]
        assert connection.sql("SELECT count(*) FROM indicator_value").fetchall() == [(0,)]
        for name, schema in SCHEMAS.items():
            columns = dict(comments(connection, name))
            assert list(columns) == schema.names and all(columns.values())
            assert name in dictionary().tables
    kept = b"".join(path.read_bytes() for path in (home.path / "warehouse").iterdir())
    assert b"le_victims" not in kept


def comments(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[Any, ...]]:
    query = "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index"
    return connection.execute(query, [table]).fetchall()


def test_the_same_again_changes_nothing(home: Home, tmp_path: Path) -> None:
    folder = counts(tmp_path / "a", [HEAD, *SMALL])
    first = take_in(home, folder)
    again = take_in(home, folder)
    assert (again.changed, again.submission) == (False, first.submission)
    with pytest.raises(UsageError, match="U007"):
        take_in(home, counts(tmp_path / "b", [HEAD, *SMALL[:1]]))
    take_in(home, counts(tmp_path / "c", [HEAD, *SMALL], version=3))
    with pytest.raises(SubmissionError, match="S317"):
        take_in(home, counts(tmp_path / "d", [HEAD, *SMALL], version=2))


def test_what_the_office_agreed_to(home: Home, tmp_path: Path) -> None:
    national = {"dissemination": {"consent": True, "level": "national"}}
    lines = [*SMALL, "hl_channels,2025,_T,_T,phone,1"]
    accepted(home, counts(tmp_path / "a", [HEAD, *lines], **national))
    secret = {"dissemination": {"consent": False}, "collection": "OTHER"}
    accepted(home, counts(tmp_path / "b", [HEAD, "hl_counselling,2025,_T,_T,_T,77"], **secret))
    tables = publishable(home, FRAMEWORK, PROFILE, no_denominators()).tables
    rows = tables["administrative_value"].to_pylist()
    assert [(row["measure"], row["sex"], row["value"]) for row in rows if row["measure"][0].islower()] == [
        ("hl_channels", "_T", 1.0),
        ("le_victims", "_T", 45.0),
    ]
    assert tables["official_source"]["collection"].to_pylist() == ["HELPLINE"]


def test_what_an_office_objects_to_shows_in_no_other_figure(home: Home, tmp_path: Path) -> None:
    """The rate of the helpline is divided by the population that the census office then objects to."""
    accepted(home, counts(tmp_path / "a", [HEAD, "le_victims,2025,_T,_T,_T,40"]))
    census = [HEAD, "pop_child,2025,_T,Y0T17,_T,1000000"]
    accepted(home, counts(tmp_path / "b", census, collection="CENSUS"))
    accepted(home, answers(tmp_path / "c", ["item,answer", "Q01,yes"]))
    agreed = publishable(home, FRAMEWORK, PROFILE, no_denominators())
    assert values(agreed, "ADM5", "value", "denominator") == [(4.0, 1_000_000.0)]
    objected = ["KEN_2025_CENSUS_v01_M", "KEN_2025_POLICY_v01_M"]
    found = publishable(home, FRAMEWORK, PROFILE, no_denominators(), objected)
    assert values(found, "pop_child", "value", "obs_status", "reason") == [(None, "Q", "objection")]
    assert values(found, "ADM5", "value", "denominator", "reason") == [(None, None, "no_denominator")]
    assert values(found, "le_victims", "value") == [(40.0,)]
    assert {name: found.tables[name].num_rows for name in ("policy_answer", "policy_score")} == {
        "policy_answer": 0,
        "policy_score": 0,
    }
    assert found.inputs.keys() == agreed.inputs.keys() - {"KEN_2025_POLICY_v01_M"}
    assert found.said == agreed.said  # its office is asked about the same, whatever it answers


def test_a_release_reckons_with_the_one_before(home: Home, tmp_path: Path) -> None:
    """First the girls alone were counted; they stay shown, and the total is withheld in their place."""
    accepted(
        home, counts(tmp_path / "a", [HEAD, "le_victims,2025,_T,Y12T14,_T,40", "le_victims,2025,_T,_T,_T,40"])
    )
    with home.releases.staging("2026-Q1") as draft:
        release(home, draft.folder).close()
        draft.publish()
    before = earlier_counts([home.releases.folder("2026-Q1")])
    assert sorted(before["age"].to_pylist()) == ["Y12T14", "_T"] and set(before["value"].to_pylist()) == {40}
    more = [
        "le_victims,2025,_T,Y12T14,_T,40",
        "le_victims,2025,_T,Y15T17,_T,3",
        "le_victims,2025,_T,_T,_T,43",
    ]
    accepted(home, counts(tmp_path / "b", [HEAD, *more], version=2))
    rows = publishable(home, FRAMEWORK, PROFILE, no_denominators()).tables["administrative_value"].to_pylist()
    shown = {row["age"]: row["value"] for row in rows if row["measure"] == "le_victims"}
    assert shown == {"Y12T14": 40.0, "Y15T17": None, "_T": None}


@pytest.mark.reference
def test_totals_of_the_cybertipline(shared: Path, tmp_path: Path) -> None:
    """Reports by country as their producer publishes them: totals to the last report; no country, no row."""
    folder = counts(
        tmp_path / "s",
        [],
        ref_area="NOR",  # any country of the test: who delivers
        reference_year=2023,
        already_public="CyberTipline reports by country",
        elsewhere=["EEE", "ANT", "BVT", "XKX"],
        files={
            "thousands": ",",
            "wide": {
                **{"variable": "ht_ncmec_in", "area": "iso3", "repeated": "add"},
                "years": [str(year) for year in range(2019, 2024)],
            },
        },
    )
    source = shared / "data" / "cybertipline" / "reports-per-country.csv"
    (folder / "counts.csv").write_bytes(source.read_bytes())
    from copstats.collect.official import open_official

    taken = open_official(folder, areas=load_areas())
    found = protect_counts(taken.table, PROFILE).to_pylist()
    world = {row["time_period"]: row["value"] for row in found if row["ref_area"] == "001"}
    assert world == {
        **{"2019": 16_987_361, "2020": 21_751_085, "2021": 29_397_681},
        **{"2022": 32_059_029, "2023": 36_210_368},
    }
    countries = {row["ref_area"] for row in found} - {"001"}
    assert not countries & {"EEE", "ANT", "BVT", "XKX", ""} and len(countries) == 246
    in_countries = sum(
        row["value"] for row in found if row["time_period"] == "2023" and row["ref_area"] != "001"
    )
    assert world["2023"] - in_countries == 1_851_762 + 6_020  # no country listed, Kosovo
    afghanistan = [row["value"] for row in found if row["ref_area"] == "AFG"]
    assert afghanistan == [163_120, 115_259, 283_116, 224_918, 197_048]
