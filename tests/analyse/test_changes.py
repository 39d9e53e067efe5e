"""What changed between two versions of a wave, against counting by hand in plain Python."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.analyse.changes import changes
from copstats.analyse.states import Version
from copstats.framework.loader import Framework, load_framework
from copstats.framework.manifest import SurveyManifest
from copstats.store.schemas import CHANGES
from tests.analyse.test_wave import synthetic

Make = Callable[..., SurveyManifest]
Record = dict[str, Any]

SKILLS = {"SKL1": "skl_privacy", "SKL2": "skl_block", "SKL3": "skl_report", "SKL4": "skl_verify"}
CODES = ("RCT1", "ACC5", "SKL5", *SKILLS)
COUNTS = ("entered", "left", "changed")
ANSWERS = ("yes_before", "no_before", "yes_after", "no_after")
SEX, AREA = {1: "M", 2: "F", 3: "O"}, {1: "U", 2: "U", 3: "R"}
PLAIN: Record = {"age": 13, "sex": 1, "area": 3, "adm1": "XA-1", "net_3m": 1, "rct_unknown": 0, "net_age1": 8}
PLAIN |= dict.fromkeys(SKILLS.values(), 1)
AGES_COVERED = {"population": {"ages": {"min": 6, "max": 17}}}


@pytest.fixture(scope="module")
def few() -> Framework:
    """The framework with some indicators: a proportion, a median, a combined one and its members."""
    framework = load_framework()
    return dataclasses.replace(framework, indicators={c: framework.indicators[c] for c in CODES})


def table(records: list[Record]) -> pa.Table:
    rows = [
        {"child_id": str(r.get("id")), "weight": r.get("weight", 1.0), "stratum": "s", "psu": f"p{n}"}
        | PLAIN
        | {k: v for k, v in r.items() if k in PLAIN}
        for n, r in enumerate(records)
    ]
    texts = {"child_id", "stratum", "psu", "adm1"}
    kinds = {name: pa.string() if name in texts else pa.int32() for name in rows[0]} if rows else {}
    return pa.Table.from_pylist(rows, pa.schema(kinds | {"weight": pa.float64()}))


# Counting by hand.


def content(record: Record) -> tuple[Any, ...]:
    return tuple((PLAIN | record)[name] for name in PLAIN)


def matched(before: list[Record], after: list[Record]) -> list[tuple[Record | None, Record | None]]:
    """Pair records by id and content, then by content, then by id."""
    pairs: list[tuple[Record | None, Record | None]] = []
    old, new = list(before), list(after)
    for alike in (
        lambda a, b: a["id"] == b["id"] and content(a) == content(b),
        lambda a, b: content(a) == content(b),
        lambda a, b: a["id"] == b["id"],
    ):
        for one in list(old):
            other = next((b for b in new if alike(one, b)), None)
            if other is not None:
                pairs.append((one, other))
                old.remove(one)
                new.remove(other)
    return pairs + [(one, None) for one in old] + [(None, other) for other in new]


def answer(record: Record, indicator: str) -> float | None:
    full = PLAIN | record
    if full["net_3m"] != 1:
        return None
    if indicator == "SKL5":
        parts = [full[name] for name in SKILLS.values()]
        return 0 if 0 in parts else None if min(parts) < 0 else 1
    value: int = full[{"RCT1": "rct_unknown", "ACC5": "net_age1", **SKILLS}[indicator]]
    return None if value < 0 else value


def belongs(record: Record, cell: str) -> bool:
    full = PLAIN | record
    for part in filter(None, cell.split(",")):
        name, code = part.split("=")
        if name == "age":
            low, high = (int(year) for year in code.removeprefix("Y").split("T"))
            if not low <= full["age"] <= high:
                return False
        elif {"sex": SEX.get(full["sex"]), "residence": AREA.get(full["area"]), "region": full["adm1"]}[
            name
        ] != code:
            return False
    return True


def state(record: Record | None, row: dict[str, Any]) -> float | None:
    if record is None or not belongs(record, row["cell"]) or any(belongs(record, c) for c in row["without"]):
        return None
    own = answer(record, row["indicator"])
    if row["member"] is None or own is None:
        return own
    part = answer(record, row["member"])
    return None if part is None else abs(own - part)


def counted(pairs: list[tuple[Record | None, Record | None]], row: dict[str, Any]) -> dict[str, int | None]:
    states = [(state(one, row), state(other, row)) for one, other in pairs]
    differing = [(a, b) for a, b in states if a != b]
    found: Counter[str] = Counter({name: 0 for name in (*COUNTS, *ANSWERS)})
    for a, b in differing:
        found["entered" if a is None else "left" if b is None else "changed"] += 1
        for side, value in (("before", a), ("after", b)):
            if value is not None:
                found[f"{'yes' if value == 1 else 'no'}_{side}"] += 1
    return found | (dict.fromkeys(ANSWERS) if row["indicator"] == "ACC5" else {})


def compared(
    before: list[Record], after: list[Record], few: Framework, manifest: SurveyManifest
) -> Iterator[dict[str, Any]]:
    """Give the rows, each held against what is counted by hand."""
    found = changes(Version(table(before), None, manifest), Version(table(after), None, manifest), few)
    assert found.schema.equals(CHANGES)
    pairs = matched(before, after)
    for row in found.to_pylist():
        assert {name: row[name] for name in (*COUNTS, *ANSWERS)} == counted(pairs, row)
        yield row


records = st.fixed_dictionaries(
    {
        "age": st.sampled_from([7, 10, 13, 16]),
        "sex": st.sampled_from([1, 2, -9]),
        "area": st.sampled_from([1, 3]),
        "adm1": st.sampled_from(["XA-1", "XA-2", "-9"]),
        "net_3m": st.sampled_from([1, 1, 0]),
        "rct_unknown": st.sampled_from([0, 1, -8]),
        "net_age1": st.sampled_from([6, 8, -8]),
        "skl_privacy": st.sampled_from([0, 1, -8]),
        "weight": st.sampled_from([0.5, 2.0]),
    }
)
files = st.dictionaries(st.integers(0, 9), records, min_size=1, max_size=8).map(
    lambda found: [{"id": number, **record} for number, record in found.items()]
)


@settings(max_examples=25, deadline=None)
@given(files, st.data())
def test_counts_are_those_of_counting_by_hand(
    few: Framework, manifest: Make, before: list[Record], data: Any
) -> None:
    kept = [record for record in before if data.draw(st.booleans(), label="kept")]
    after = kept + data.draw(files.map(lambda new: [{**r, "id": r["id"] + 5} for r in new]), label="new")
    after = list({record["id"]: record for record in after}.values())
    assert list(compared(before, after, few, manifest(**AGES_COVERED)))


def sets(rows: list[dict[str, Any]], indicator: str = "RCT1") -> set[tuple[str, tuple[str, ...]]]:
    return {
        (row["cell"], tuple(row["without"]))
        for row in rows
        if row["indicator"] == indicator and row["member"] is None
    }


def test_the_groups_are_those_that_tables_show_and_what_follows_from_them(
    few: Framework, manifest: Make
) -> None:
    girls = [{"id": n, "sex": 2, "age": age, "area": 1} for n, age in enumerate((7, 13, 16))]
    boys = [{"id": n, "sex": 1, "age": age, "area": 3} for n, age in enumerate((10, 13), 5)]
    found = sets(list(compared(girls + boys, girls + boys, few, manifest(**AGES_COVERED))))
    age = {"age=Y9T11", "age=Y12T14", "age=Y15T17"}
    crossed = {"sex=F,age=Y12T14", "sex=F,age=Y15T17", "sex=M,age=Y9T11", "sex=M,age=Y12T14"}
    others = {"sex=F", "sex=M", "residence=U", "residence=R", "region=XA-1", "age=Y9T17"}
    assert {cell for cell, without in found if not without} == {"", *age, *crossed, *others}
    assert {without[0] for cell, without in found if cell == "" and len(without) == 1} == {
        *age,
        *crossed,
        *others,
    }
    rests = {(cell, frozenset(without)) for cell, without in found if len(without) > 1}
    assert rests == {
        ("", frozenset({"sex=F", "sex=M"})),
        ("", frozenset(age)),
        ("", frozenset(crossed)),
        ("", frozenset({"residence=U", "residence=R"})),
        ("sex=F", frozenset({"sex=F,age=Y12T14", "sex=F,age=Y15T17"})),
        ("sex=M", frozenset({"sex=M,age=Y9T11", "sex=M,age=Y12T14"})),
        ("age=Y12T14", frozenset({"sex=F,age=Y12T14", "sex=M,age=Y12T14"})),
        ("age=Y9T17", frozenset(age)),
    }
    assert ("age=Y9T17", ("age=Y12T14",)) in found
    assert ("sex=F", ("sex=M,age=Y12T14",)) not in found


def test_a_file_that_was_numbered_anew_has_not_changed(few: Framework, manifest: Make) -> None:
    before = [{"id": n, "age": 10 + n % 8, "rct_unknown": n % 2, "net_age1": 5 + n % 4} for n in range(20)]
    after = [{**record, "id": 19 - n, "weight": 3.0} for n, record in enumerate(before)]
    assert not any(row[name] for row in compared(before, after, few, manifest()) for name in COUNTS)
    # With one child fewer, every number moves and one child has left.
    shifted = [{**record, "id": n} for n, record in enumerate(before[1:])]
    totals = {
        row["indicator"]: (row["entered"], row["left"], row["changed"])
        for row in compared(before, shifted, few, manifest())
        if (row["cell"], row["without"], row["member"]) == ("", [], None)
    }
    assert set(totals.values()) == {(0, 1, 0)}


def test_a_corrected_answer_and_a_corrected_group_are_told_apart(few: Framework, manifest: Make) -> None:
    before = [{"id": n, "age": 9 + n} for n in range(8)]
    after = [*before[:-2], {"id": 6, "age": 15, "rct_unknown": 1}, {"id": 7, "age": 16, "sex": 2}]
    rows = {
        (row["indicator"], row["cell"]): row
        for row in compared(before, after, few, manifest())
        if not row["without"] and row["member"] is None
    }
    assert [rows["RCT1", ""][name] for name in (*COUNTS, *ANSWERS)] == [0, 0, 1, 0, 1, 1, 0]
    assert [rows["RCT1", "sex=M"][name] for name in COUNTS] == [0, 1, 1]
    assert [rows["SKL1", "sex=F"][name] for name in COUNTS] == [1, 0, 0]
    assert [rows["SKL1", "residence=R"][name] for name in COUNTS] == [0, 0, 0]


def test_parents_and_dyads_are_compared_too(framework: Framework, manifest: Make) -> None:
    child, parent = synthetic(framework, "child", 60), synthetic(framework, "parent", 40)
    earlier, later = Version(child, parent, manifest()), Version(child, parent.slice(0, 39), manifest())
    totals = {
        row["indicator"]: row
        for row in changes(earlier, later, framework).to_pylist()
        if (row["cell"], row["without"], row["member"]) == ("", [], None)
    }
    kinds = {code: framework.indicators[code].definition.record for code in totals}
    assert {"child", "parent", "dyad"} <= set(kinds.values())
    for code, row in totals.items():
        assert (row["entered"], row["changed"]) == (0, 0)
        assert row["left"] in ((0,) if kinds[code] == "child" else (0, 1))
    assert any(row["left"] for code, row in totals.items() if kinds[code] == "parent")


def test_an_indicator_of_one_version_only_is_not_compared(few: Framework, manifest: Make) -> None:
    everything = table([{"id": n} for n in range(4)])
    less = everything.drop_columns(["rct_unknown"])
    found = changes(Version(less, None, manifest()), Version(everything, None, manifest()), few)
    assert set(found["indicator"].to_pylist()) == set(CODES) - {"RCT1"}
    assert not any(found["changed"].to_pylist())
