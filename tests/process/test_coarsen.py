"""Each way of making a variable coarser, by hand and by property."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.framework import Framework, load_framework
from copstats.framework.definitions import Coarsening, Variable
from copstats.language import translations
from copstats.process.coarsen import Note, coarsen
from tests.process.material import Submission, clean_child


def with_entry(framework: Framework, name: str, **entry: Any) -> Framework:
    """The framework with an entry ``coarsen`` for one more variable of the child file."""
    module = framework.module_of("child", name)
    coarser = msgspec.structs.replace(
        module.variables[name], privacy="coarsen", coarsen=msgspec.convert(entry, Coarsening)
    )
    changed = msgspec.structs.replace(module, variables=module.variables | {name: coarser})
    return dataclasses.replace(framework, modules={**framework.modules, module.module: changed})


def children(values: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    random = np.random.default_rng(2)
    count = len(next(iter(values.values())))
    return [
        clean_child(number, random) | {name: column[number] for name, column in values.items()}
        for number in range(count)
    ]


def coarse(
    framework: Framework, name: str, values: Sequence[Any], weights: Sequence[Any] | None = None
) -> tuple[list[Any], list[Note]]:
    """What becomes of a column, and what is told of it."""
    rows = children({name: values} | ({"weight": weights} if weights else {}))
    made = Submission().add(framework, "child", rows)
    coarsened = coarsen(made.connection, made, framework)
    sql = f"SELECT {coarsened.columns['child'][name]} FROM child ORDER BY record_no"
    bound = {key: value for key, value in coarsened.parameters.items() if f"${key}" in sql}
    found = [row[0] for row in made.connection.execute(sql, bound).fetchall()]
    return found, [note for note in coarsened.notes if note.variable == name]


def test_a_month_becomes_the_first_of_its_quarter(small: Framework) -> None:
    months = [f"2026-{month:02d}" for month in range(1, 13)]
    quarters = ["2026-01"] * 3 + ["2026-04"] * 3 + ["2026-07"] * 3 + ["2026-10"] * 3
    found, notes = coarse(small, "int_ym", [*months, "-9", None, "2026-13", "CANARY"])
    assert found == [*quarters, "-9", None, None, None]
    assert notes == [Note("child", "int_ym", "quarter", 10)]  # eight months, and two that are none
    assert coarse(small, "int_ym", quarters) == (quarters, [])


def test_large_numbers_become_the_limit(small: Framework) -> None:
    framework = with_entry(small, "net_age1", top_code=10)
    found, notes = coarse(framework, "net_age1", [-9, -7, 0, 9, 10, 11, 17, None])
    assert found == [-9, -7, 0, 9, 10, 10, 10, None]
    assert notes == [Note("child", "net_age1", "top_code", 2)]


MERGING: dict[str, Any] = {"into": "ZZ", "records": 3}


def test_rare_categories_become_one(small: Framework) -> None:
    framework = with_entry(small, "hh_id", merge_below=MERGING)
    found, notes = coarse(framework, "hh_id", [*"aaaa", *"bbbb", *"cc", "d", None, "-8"])
    assert found == [*"aaaa", *"bbbb", *["ZZ"] * 3, None, "-8"]
    assert notes == [Note("child", "hh_id", "merged", 3)]


def test_one_rare_category_is_not_left_alone_in_the_new_one(small: Framework) -> None:
    framework = with_entry(small, "hh_id", merge_below=MERGING)
    assert coarse(framework, "hh_id", [*"aaaaa", *"bbbb", "c"])[0] == [*"aaaaa", *["ZZ"] * 5]
    # where the category that takes it is large already, no other has to join
    assert coarse(framework, "hh_id", [*"aaaaa", *"bbbb", "c", *["ZZ"] * 3])[0][:9] == [*"aaaaa", *"bbbb"]


def test_a_share_of_the_answers_decides_too(small: Framework) -> None:
    framework = with_entry(small, "sex", merge_below={"into": 3, "share": 0.25})
    found, notes = coarse(framework, "sex", [1] * 7 + [2] * 2 + [3] + [-9] * 10)
    assert found == [1] * 7 + [3] * 3 + [-9] * 10  # 2 of 10 who answered
    assert notes == [Note("child", "sex", "merged", 2)]
    assert coarse(framework, "sex", [1] * 7 + [2] * 3 + [3]) == ([1] * 7 + [2] * 3 + [3], [])


def test_a_small_population_decides_where_the_weights_add_up_to_one(small: Framework) -> None:
    framework = with_entry(small, "hh_id", merge_below={"into": "ZZ", "population": 250})
    values, weights = [*"aaaa", *"bbbb", *"cc"], [100.0] * 4 + [50.0] * 4 + [200.0, float("nan")]
    found, notes = coarse(framework, "hh_id", values, weights)
    assert found == [*"aaaa", *["ZZ"] * 6]  # b stands for 200, c for 200
    assert notes == [Note("child", "hh_id", "merged", 6)]
    found, notes = coarse(framework, "hh_id", values, [1.0] * 10)
    assert found == values
    assert notes == [Note("child", "hh_id", "population_unknown")]


@settings(max_examples=50, deadline=None)
@given(counts=st.lists(st.integers(1, 9), min_size=1, max_size=8), least=st.integers(2, 8))
def test_no_category_but_the_new_one_is_rare(small: Framework, counts: list[int], least: int) -> None:
    framework = with_entry(small, "hh_id", merge_below={"into": "ZZ", "records": least})
    values = [f"r{region}" for region, count in enumerate(counts) for _ in range(count)]
    found, notes = coarse(framework, "hh_id", values)
    sizes = Counter(found)
    merged = sizes.pop("ZZ", 0)
    assert all(size >= least for size in sizes.values())
    assert merged >= least or not merged or not sizes
    assert sum(note.records for note in notes) == merged
    assert bool(merged) == (min(counts) < least)
    assert all(new in (old, "ZZ") for old, new in zip(values, found, strict=True))


def test_notes_name_no_value(small: Framework) -> None:
    framework = with_entry(small, "hh_id", merge_below=MERGING)
    _, notes = coarse(framework, "hh_id", ["CANARY1", "CANARY2", "CANARY3", *"aaaa"])
    told = [note.in_words(translations("en")) for note in notes]
    assert told == ["hh_id: rare categories became one. Records changed: 3."]
    assert "CANARY" not in f"{notes}"


@pytest.mark.parametrize(
    "entry",
    [
        {"privacy": "coarsen"},
        {"privacy": "keep", "coarsen": {"to": "quarter"}},
        {"privacy": "coarsen", "coarsen": {}},
        {"privacy": "coarsen", "coarsen": {"to": "quarter", "top_code": 3}},
        {"privacy": "coarsen", "coarsen": {"to": "day"}},
        {"privacy": "coarsen", "coarsen": {"merge_below": {"records": 30}}},
    ],
)
def test_an_entry_that_says_nothing_or_two_things_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"label": "A", "type": "code", "status": "core"} | entry, Variable)


def test_entries_of_the_framework_fit_their_variables() -> None:
    framework = load_framework()
    coarser = {
        name: variable
        for record in ("child", "parent")
        for name, variable in framework.variables(record).items()
        if variable.coarsen is not None
    }
    assert {"int_ym", "p_int_ym", "adm1", "live_parents"} <= coarser.keys()
    for name, variable in coarser.items():
        assert variable.sensitivity == "quasi_identifier", name
        entry = variable.coarsen
        assert entry.to is None or variable.type == "month"
        assert entry.top_code is None or variable.type in ("integer", "number")
        if entry.merge_below is not None and variable.type == "code":
            assert entry.merge_below.into in framework.codes(variable)
        elif entry.merge_below is not None:
            assert re.fullmatch(variable.pattern, entry.merge_below.into)
