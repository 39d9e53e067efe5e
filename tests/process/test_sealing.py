"""What `prepare` lets leave the country, on the common framework."""

from __future__ import annotations

import time
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from copstats.errors import ConfidentialityError, SubmissionError
from copstats.framework import load_framework
from copstats.language import translations
from copstats.process.file_risk import file_risk
from copstats.process.sealing import Prepared, contents, prepare, quasi_identifiers
from copstats.store.engine import memory_connection
from copstats.store.keys import KeyStore
from tests.process.material import MANIFEST, Record, Submission, manifest

FRAMEWORK = load_framework()
ENGLISH = translations("en")
WAVE = {"framework": "cop-2026", "modules": []}
PANEL = {"ethics": MANIFEST["ethics"] | {"panel_linkage": True}}


def overlap(units: str) -> dict[str, Any]:
    return {"design": MANIFEST["design"] | {"overlap": units}}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    folder = tmp_path_factory.mktemp("keys")
    folder.chmod(0o700)
    store = KeyStore(folder)
    store.pseudonym_key("KEN", "wave:KEN_2026_COPS", "child_id")  # creates the country's key
    return store


def child(number: int) -> dict[str, Any]:
    """Regions KE-01 to KE-03 of 100 children and KE-04 of four; one child in fifty lives with relatives."""
    region = number // 100 + 1
    return {
        "country_iso3": "KEN",
        "child_id": f"CANARY-{number:04d}",
        "stratum": f"CANARY-S{number % 3}",
        "psu": f"CANARY-P{number % 12}",
        "weight": 500.0 + number,
        "int_ym": f"2026-{number % 3 + 1:02d}",
        "int_lang": "sw",
        "age": 9 + number % 9,
        "sex": 1 + number % 2,
        "area": 1 + number % 3,
        "adm1": f"KE-{region:02d}",
        "live_parents": 3 if number % 50 == 0 else 1 + number % 2,
        "rct_met": -7,
        "skl_privacy": number % 2,
    }


def children(count: int = 304) -> list[dict[str, Any]]:
    return [child(number) for number in range(count)]


def made_of(rows: list[dict[str, Any]]) -> Submission:
    known = FRAMEWORK.variables("child")
    kept = [{name: value for name, value in row.items() if name in known} for row in rows]
    return Submission().add(FRAMEWORK, "child", kept, not_taken_over=("date_of_birth", "phone"))


def prepared(rows: list[dict[str, Any]], keys: KeyStore, **changes: Any) -> Prepared:
    made = made_of(rows)
    return prepare(made.connection, made, FRAMEWORK, manifest(**(WAVE | changes)), keys)


def test_quasi_identifiers_leave_coarser(keys: KeyStore) -> None:
    leaving = prepared(children(), keys).tables["child"]
    assert Counter(leaving["int_ym"].to_pylist()) == {"2026-01": 304}
    # four children are too few for a region, and too few to be merged alone: the smallest other one joins
    regions = Counter(leaving["adm1"].to_pylist())
    assert regions.keys() == {"KE-02", "KE-03", "ZZ-OTH"}
    assert regions["ZZ-OTH"] == 104
    assert Counter(leaving["live_parents"].to_pylist())[4] == 7
    assert "int_lang" not in leaving.column_names


def test_no_key_and_no_column_beside_the_framework_leaves(keys: KeyStore) -> None:
    made = made_of(children())
    made.connection.execute("ALTER TABLE child ADD COLUMN date_of_birth DATE DEFAULT DATE '2015-06-01'")
    leaving = prepare(made.connection, made, FRAMEWORK, manifest(**WAVE), keys).tables["child"]
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, leaving.schema) as writer:
        writer.write_table(leaving)
    assert b"CANARY" not in stream.getvalue().to_pybytes()
    assert "date_of_birth" not in leaving.column_names
    tokens = leaving["child_id"].to_pylist()
    assert tokens == sorted(tokens)
    assert set(leaving["stratum"].to_pylist()) == {"s001", "s002", "s003"}


def test_what_was_done_is_told_without_values(keys: KeyStore) -> None:
    leaving = prepared(children(), keys)
    done = {(note.variable, note.how): note.records for note in leaving.notes}
    assert done == {
        ("int_lang", "dropped"): 304,
        ("int_ym", "quarter"): 202,
        ("adm1", "merged"): 104,
        ("live_parents", "merged"): 7,
    }
    lines = leaving.in_words(ENGLISH)
    assert "adm1: rare categories became one. Records changed: 104." in lines
    assert not any("CANARY" in line or "KE-0" in line for line in lines)


def test_the_risk_is_that_of_what_leaves(keys: KeyStore) -> None:
    leaving = prepared(children(), keys)
    connection = memory_connection()
    connection.register("child", leaving.tables["child"])
    known = ("age", "sex", "area", "adm1", "live_parents")
    assert leaving.risk == file_risk(connection, "child", known, "weight", ("rct_met",), cluster="psu")
    assert leaving.gate.keys == ("age_band", "sex", "adm1", "area")
    bands = Counter(
        ((row["age"] - 9) // 3, row["sex"], row["adm1"], row["area"])
        for row in leaving.tables["child"].to_pylist()
    )
    assert leaving.gate.smallest_group == min(bands.values())
    assert leaving.gate.below_3 == sum(size for size in bands.values() if size < 3)
    assert "risk_child" not in str(connection.sql("SHOW TABLES"))


def test_quasi_identifiers_are_what_an_acquaintance_knows() -> None:
    columns = ["child_id", "int_ym", "age", "sex", "adm1", "disability", "repw_001", "rct_met"]
    assert quasi_identifiers(FRAMEWORK, columns) == ["age", "sex", "adm1"]


def test_a_risky_file_is_told_and_a_safe_one_too(keys: KeyStore) -> None:
    safe = prepared([child(1) | {"child_id": f"{n}", "weight": 900.0} for n in range(90)], keys)
    assert safe.gate.acceptable
    assert safe.in_words(ENGLISH)[-1].startswith("By Age group, Sex")
    alone = child(1) | {"child_id": "x", "sex": 2, "age": 17, "weight": 3.0}
    risky = prepared([*(child(1) | {"child_id": f"{n}"} for n in range(90)), alone], keys)
    assert not risky.gate.acceptable
    assert "children in groups of fewer than 3: 1;" in risky.in_words(ENGLISH)[-1]
    assert risky.in_words(ENGLISH)[-1].startswith("Warning.")


def tokens(made: Prepared, name: str) -> set[str]:
    return set(made.tables["child"][name].to_pylist())


@pytest.mark.parametrize(
    ("changes", "children_linked", "psus_linked"),
    [
        ({}, False, False),
        (PANEL, False, False),
        (overlap("children"), False, False),
        (PANEL | overlap("psus"), False, True),
        (PANEL | overlap("children"), True, True),
    ],
)
def test_waves_are_linked_only_where_samples_overlap_and_consent_covers_it(
    keys: KeyStore, changes: dict[str, Any], children_linked: bool, psus_linked: bool
) -> None:
    first = prepared(children(), keys, **changes)
    later = prepared(children(), keys, **changes, reference_year=2028)
    other = prepared(children(), keys, **changes, reference_year=2028, survey="OTHER")
    assert bool(tokens(first, "child_id") & tokens(later, "child_id")) == children_linked
    assert not tokens(later, "child_id") & tokens(other, "child_id")
    assert first.linkage == ("panel" if children_linked else "wave")
    if psus_linked:
        assert tokens(first, "psu") == tokens(later, "psu")
        assert all(len(token) == 32 for token in tokens(first, "psu") | tokens(first, "stratum"))
    else:
        assert tokens(first, "psu") == {f"p{number:04d}" for number in range(1, 13)}
    told = [note.how for note in first.notes if note.variable == "psu"]
    assert told == (["overlap_not_permitted"] if changes == overlap("children") else [])


def test_the_same_file_again_gives_the_same_table(keys: KeyStore) -> None:
    one, again = prepared(children(), keys), prepared(children()[::-1], keys)
    assert one.tables["child"].equals(again.tables["child"])
    assert one.key_id == again.key_id == keys.root_id("KEN")


def test_without_the_country_s_key_nothing_is_made_and_none_is_created(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(ConfidentialityError) as error:
        prepared(children(), KeyStore(tmp_path))
    assert error.value.code == "C001"
    assert not list(tmp_path.glob("KEN*"))


def test_two_keys_that_are_one_in_another_spelling_are_refused(keys: KeyStore) -> None:
    rows = children(30)
    rows[3]["child_id"] = "Zoë"
    rows[7]["child_id"] = unicodedata.normalize("NFD", "Zoë")
    assert rows[3]["child_id"] != rows[7]["child_id"]
    with pytest.raises(SubmissionError) as error:
        prepared(rows, keys)
    assert error.value.code == "S230"
    assert "1 records" in error.value.title
    assert "Zo" not in f"{error.value.as_dict()}"


def test_contents_are_exactly_what_leaves(keys: KeyStore) -> None:
    leaving = prepared(children(), keys)
    listed = contents(leaving, ENGLISH)["child"]
    assert listed.records == 304
    assert [column.name for column in listed.columns] == leaving.tables["child"].column_names
    columns = {column.name: column for column in listed.columns}
    assert columns["sex"].categories == ("1 (Male)", "2 (Female)")
    assert columns["adm1"].categories == ("KE-02", "KE-03", "ZZ-OTH")
    assert columns["rct_met"].categories[0].startswith("-7 (")
    assert columns["child_id"].categories == columns["psu"].categories == columns["weight"].categories == ()
    assert (columns["int_ym"].treatment, columns["psu"].treatment) == (
        "made coarser",
        "label of this round, in no order",
    )
    assert columns["adm1"].label == FRAMEWORK.variables("child")["adm1"].label


@pytest.mark.nightly
def test_a_hundred_thousand_records_and_a_hundred_columns_take_less_than_five_seconds(keys: KeyStore) -> None:
    random, count = np.random.default_rng(1), 100_000
    columns: dict[str, Any] = {"record_no": np.arange(1, count + 1)}
    for name, variable in FRAMEWORK.variables("child").items():
        if variable.type == "code":
            columns[name] = random.choice(list(FRAMEWORK.codes(variable)), count).astype("int32")
        elif name == "adm1":
            columns[name] = pa.array([f"KE-{n % 40:02d}" for n in range(count)])
        elif variable.type == "string" and variable.privacy == "pseudonymise":
            columns[name] = pa.array([f"{name}-{n}" for n in range(count)])
    columns |= {"stratum": pa.array([f"s{n % 20}" for n in range(count)])}
    columns |= {"psu": pa.array([f"p{n % 4000}" for n in range(count)])}
    columns |= {"weight": random.uniform(50, 150, count), "age": random.integers(9, 18, count)}
    columns |= {f"repw_{n:03d}": random.uniform(50, 150, count) for n in range(1, 102 - len(columns))}
    made = Submission()
    made.connection.register("source", pa.table(columns))
    made.connection.execute("CREATE TABLE child AS FROM source")
    made.records["child"] = Record(count, tuple(columns)[1:], {})
    start = time.process_time()
    leaving = prepare(made.connection, made, FRAMEWORK, manifest(**WAVE), keys).tables["child"]
    assert time.process_time() - start < 5
    assert leaving.num_rows == count
    assert leaving.num_columns >= 99
