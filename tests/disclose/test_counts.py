"""Administrative counts: what is published bounds no withheld count more narrowly than the profile asks."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from copstats.disclose import load_profile
from copstats.disclose.counts import protect_counts
from copstats.errors import ConfidentialityError
from copstats.store.counts import COUNTS, PROTECTED_COUNTS
from tests.disclose.tables import gauss

PROFILE = load_profile()
LEAST = PROFILE.limits.minimum_count.value
EXACT = msgspec.structs.replace(
    PROFILE,
    limits=msgspec.structs.replace(
        PROFILE.limits, rounding_base=msgspec.structs.replace(PROFILE.limits.rounding_base, value=1)
    ),
)
"""Without rounding, figures tell more."""
QUARTERS = ("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4")

Inner = Mapping[tuple[str, str, str], int]
Cell = tuple[str, str, str]


def count(value: int, sex: str = "_T", age: str = "_T", period: str = "2025", **facts: Any) -> dict[str, Any]:
    return {
        "submission_id": "XAA_2025_HELPLINE_v01_M",
        "ref_area": "XAA",
        "variable": "hl_counselling",
        "time_period": period,
        "sex": sex,
        "age": age,
        "breakdown": "_T",
        "code": "_T",
        "value": value,
        "protected": True,
        "provisional": False,
    } | facts


def protected(
    rows: Iterable[Mapping[str, Any]], profile: Any = PROFILE, **options: Any
) -> list[dict[str, Any]]:
    return protect_counts(pa.Table.from_pylist(list(rows), schema=COUNTS), profile, **options).to_pylist()


def by_sex(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {row["sex"]: row["value"] if row["reason"] is None else row["reason"] for row in rows}


def table(inner: Inner) -> list[dict[str, Any]]:
    """All cells of period x sex x age with their totals; the year where all its quarters are there."""
    periods, sexes, ages = (sorted({cell[i] for cell in inner}) for i in range(3))
    levels = ([*periods, "2025"] if len(periods) == 4 else periods, [*sexes, "_T"], [*ages, "_T"])
    return [count(total(inner, cell), cell[1], cell[2], cell[0]) for cell in itertools.product(*levels)]


def holds(cell: Cell, one: Cell) -> bool:
    return all(level in (own, "_T", "2025") for level, own in zip(cell, one, strict=True))


def total(inner: Inner, cell: Cell) -> int:
    return sum(value for one, value in inner.items() if holds(cell, one))


def narrowest(inner: Inner, published: Sequence[Mapping[str, Any]], half_step: int = 2) -> float:
    """Width of what an attacker finds for the small count told most of: by scipy, over inner cells."""
    cells = [(row["time_period"], row["sex"], row["age"]) for row in published]
    matrix = np.array([[float(holds(cell, one)) for one in inner] for cell in cells])
    shown = [i for i, row in enumerate(published) if row["value"] is not None]
    floor = {i: LEAST if cells[i][1:] != ("_T", "_T") else 0 for i in shown}
    least = [max(published[i]["value"] - half_step, floor[i]) for i in shown]
    most = [published[i]["value"] + half_step for i in shown]
    limits = np.vstack([matrix[shown], -matrix[shown]]), np.concatenate([most, np.negative(least)])
    widths = [np.inf]
    for i, row in enumerate(published):
        if row["value"] is not None or total(inner, cells[i]) >= LEAST:
            continue
        low, high = (
            linprog(side * matrix[i], *(limits if shown else (None, None)), bounds=(0, None))
            for side in (1, -1)
        )
        assert low.status == 0 and high.status in (0, 3)
        widths.append(np.inf if high.status else -high.fun - low.fun)
    return min(widths)


def test_a_small_count_and_one_more_are_withheld_for_the_same_reason() -> None:
    """Rounded alone, 40 and 43 would tell that there are 3 boys, give or take four; so the girls go too."""
    found = by_sex(protected([count(43), count(40, "F"), count(3, "M")]))
    assert found == {"_T": 45, "F": "count", "M": "count"}


def test_a_small_total_is_withheld_with_its_parts() -> None:
    """3 + 4 = 7: whoever reads 5 for all knows that neither group has more than seven."""
    found = by_sex(protected([count(7), count(3, "F"), count(4, "M")]))
    assert found == {"_T": "count", "F": "count", "M": "count"}


def test_counts_without_groups_are_rounded_only() -> None:
    assert by_sex(protected([count(0)])) == {"_T": 0}
    assert by_sex(protected([count(3)])) == {"_T": 5}
    assert by_sex(protected([count(1232, provisional=True)])) == {"_T": 1230}
    (row,) = protected([count(1232, provisional=True)])
    assert (row["obs_status"], row["obs_conf"]) == ("P", "F")


def test_a_withheld_count_says_why() -> None:
    row = next(r for r in protected([count(43), count(40, "F"), count(3, "M")]) if r["sex"] == "M")
    assert (row["value"], row["obs_status"], row["obs_conf"]) == (None, "Q", "C")
    assert "small count" in PROFILE.reasons[row["reason"]].label


def test_what_is_public_already_is_shown_as_it_is() -> None:
    found = by_sex(protected(count(*row, protected=False) for row in ((43,), (40, "F"), (3, "M"))))
    assert found == {"_T": 43, "F": 40, "M": 3}


@pytest.mark.parametrize(
    ("services", "largest", "second", "shown"),
    [
        (1, 400, None, False),
        (2, 300, 100, False),
        (5, 350, 20, False),  # two hold 92.5 %
        (5, 200, 100, True),
        (5, 330, 30, True),  # exactly 90 %, and 40 others hide the largest well enough
        (9, 365, 1, False),  # 34 others: the second knows the largest to 9.3 %
    ],
)
def test_totals_of_few_services(services: int, largest: int, second: int | None, shown: bool) -> None:
    (row,) = protected([count(400, services=services, largest=largest, second=second)])
    assert (row["reason"], row["obs_conf"]) == ((None, "F") if shown else ("services", "O"))


def test_a_dominated_total_cannot_be_worked_out_from_its_groups() -> None:
    groups = [count(180, "F"), count(220, "M")]
    found = protected([count(400, services=2, largest=300, second=100), *groups])
    assert by_sex(found)["_T"] == "services"
    assert "count" in (by_sex(found)["F"], by_sex(found)["M"])


def test_a_dominated_count_cannot_be_worked_out_from_what_contains_it() -> None:
    """At most 410 of 400 would be too close: the second service may learn no more than the rule allows."""
    rows = [
        count(400, services=2, largest=300, second=100),
        *(count(410, variable="hl_contacts_total"), count(600, variable="hl_attempts_total")),
    ]
    whole_of = {"hl_counselling": "hl_contacts_total", "hl_contacts_total": "hl_attempts_total"}
    found = {row["variable"]: row["reason"] for row in protected(rows, whole_of=whole_of)}
    assert found == {"hl_counselling": "services", "hl_contacts_total": "count", "hl_attempts_total": None}


def test_quarters_do_not_tell_of_a_year() -> None:
    rows = [count(50, "F", period=q) for q in QUARTERS[:3]] + [
        count(4, "F", period=QUARTERS[3]),
        count(154, "F"),
    ]
    found = {r["time_period"]: r["value"] for r in protected(rows, EXACT)}
    assert found.pop(QUARTERS[3]) is None
    assert sum(value is None for value in found.values()) == 1


def test_parts_of_a_count_do_not_tell_of_it() -> None:
    """Bullying and sexual abuse exclude each other: 100 less 96 leaves at most some girls."""
    rows = [
        count(300, variable="hl_online_violence"),
        count(100, "F", variable="hl_online_violence"),
        count(200, "M", variable="hl_online_violence"),
        *(count(96, "F", variable="hl_cyberbully"), count(150, variable="hl_cyberbully")),
        *(count(54, "M", variable="hl_cyberbully"), count(50, variable="hl_ocsea")),
        *(count(3, "F", variable="hl_ocsea"), count(47, "M", variable="hl_ocsea")),
    ]
    whole_of = {"hl_cyberbully": "hl_online_violence", "hl_ocsea": "hl_online_violence"}

    def withheld(**options: Any) -> set[tuple[str, str]]:
        return {(r["variable"], r["sex"]) for r in protected(rows, **options) if r["value"] is None}

    assert withheld() == {("hl_ocsea", "F"), ("hl_ocsea", "M")}
    assert withheld(whole_of=whole_of) > withheld()


def test_earlier_releases_are_known_for_good() -> None:
    """The girls were shown before the boys were counted; so it is the total that has to go."""
    rows = [count(43), count(40, "F"), count(3, "M")]
    before = pa.Table.from_pylist(protected([count(40, "F")]), schema=PROTECTED_COUNTS)
    assert by_sex(protected(rows, earlier=before)) == {"_T": "count", "F": 40, "M": "count"}
    revised = [count(60), count(57, "F"), count(3, "M")]
    assert protected(revised, earlier=before) == protected(revised)
    other = [row | {"submission_id": "XAA_2025_OTHERLINE_v01_M"} for row in rows]
    assert by_sex(protected(other, earlier=before)) == by_sex(protected(rows))
    second = [row | {"submission_id": "XAA_2025_HELPLINE_v02_M"} for row in rows]
    assert by_sex(protected(second, earlier=before)) == by_sex(protected(rows, earlier=before))


def test_counts_that_contradict_each_other_stop_the_gate() -> None:
    rows = [count(90), count(40, "F"), count(3, "M")]
    with pytest.raises(ConfidentialityError, match="C360"):
        protected(rows)


def test_nothing_to_publish() -> None:
    assert protected([]) == []


shapes = st.tuples(st.sampled_from([QUARTERS[:1], QUARTERS]), st.integers(2, 3), st.integers(1, 3)).flatmap(
    lambda shape: st.lists(
        st.one_of(st.integers(0, 12), st.integers(0, 60)),
        min_size=len(shape[0]) * shape[1] * shape[2],
        max_size=len(shape[0]) * shape[1] * shape[2],
    ).map(
        lambda values: dict(
            zip(
                itertools.product(shape[0], "FMO"[: shape[1]], ["Y0T11", "Y12T14", "Y15T17"][: shape[2]]),
                values,
                strict=True,
            )
        )
    )
)


@settings(max_examples=25, deadline=None)
@given(shapes)
def test_no_withheld_count_is_bounded_too_narrowly(inner: Inner) -> None:
    rows = table(inner)
    published = protected(rows)
    assert narrowest(inner, published) >= LEAST - 1e-6
    for row, said in zip(sorted(rows, key=order), published, strict=True):
        assert order(row) == order(said)
        if said["value"] is not None:
            assert abs(said["value"] - row["value"]) <= 2 and said["value"] % 5 == 0
            assert order(row)[1:] == ("_T", "_T") or row["value"] >= LEAST


def order(row: Mapping[str, Any]) -> Cell:
    return row["time_period"], row["sex"], row["age"]


def test_primary_suppression_alone_would_not_do() -> None:
    """The attack of the test above succeeds on tables in which small counts alone are withheld."""
    inner = {(QUARTERS[0], "F", "Y0T11"): 3, (QUARTERS[0], "M", "Y0T11"): 40}
    rows = table(inner)
    alone = [row | {"value": round(row["value"] / 5) * 5 if row["value"] >= LEAST else None} for row in rows]
    assert narrowest(inner, alone) < LEAST


def test_no_cell_is_withheld_in_vain() -> None:
    """Publishing any one of the cells that are withheld for others' sake would tell too much."""
    inner = dict(
        zip(
            itertools.product(QUARTERS[:1], "FMO", ["Y0T11", "Y12T14", "Y15T17"]),
            range(4, 40, 4),
            strict=True,
        )
    )
    published = protected(table(inner))
    for i, row in enumerate(published):
        true = total(inner, order(row))
        if row["value"] is None and true >= LEAST:
            shown = [*published[:i], row | {"value": (true + 2) // 5 * 5}, *published[i + 1 :]]
            assert narrowest(inner, shown) < LEAST


@pytest.mark.reference
def test_counts_of_gauss_suppression(shared: Path) -> None:
    """A published test table, unrounded: exact figures tell more, and still no small count follows."""
    _, read = gauss(shared, "d1_maxN3")
    codes = [[name.replace("Total", "_T") for name in (row["region"], row["main_income"])] for row in read]
    rows = [count(int(row["freq"]), *code, period="2025-Q1") for row, code in zip(read, codes, strict=True)]
    inner = {order(row): row["value"] for row in rows if "_T" not in order(row)}
    published = protected(rows, EXACT)
    assert narrowest(inner, published, half_step=0) >= LEAST - 1e-6
    small = [row["value"] if row["value"] >= LEAST else None for row in rows]
    alone = [row | {"value": value} for row, value in zip(rows, small, strict=True)]
    assert narrowest(inner, alone, half_step=0) < LEAST
