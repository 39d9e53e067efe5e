"""The two stages on tables small enough to work by hand, their invariances, and the formula in fractions."""

from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.analyse.cells import Measure
from copstats.analyse.design import SinglePsu, design_sql
from copstats.analyse.domains import Axis, Disaggregation
from copstats.analyse.variance import estimate_measures
from copstats.errors import EstimationError
from copstats.store.engine import memory_connection

CONNECTION = memory_connection(threads=1)
GROUP = Disaggregation("group", (Axis("group", "dim_g", "g", ("a", "b")),))
TOTAL = Disaggregation("total")


def estimate(
    rows: list[dict[str, Any]], *, single_psu: SinglePsu = "adjust", with_fpc: bool = False
) -> dict[str, dict[str, Any]]:
    """Estimates of y: `total`, and by g (`a` is 1, `b` is 2)."""
    types = [("weight", pa.float64()), ("stratum", pa.string()), ("psu", pa.string())]
    types += [("y", pa.float64()), ("g", pa.int64()), ("fpc_psu", pa.int64())]
    CONNECTION.register("t", pa.Table.from_pylist(rows, pa.schema(types)))
    result = estimate_measures(
        CONNECTION,
        "SELECT * FROM t",
        design_sql(["t"], with_fpc=with_fpc),
        [Measure("Y", "y", "TRUE")],
        [TOTAL, GROUP],
        single_psu=single_psu,
    )
    return {{0: "total", 101: "a", 201: "b"}[row["domain"]]: row for row in result.to_pylist()}


def record(
    stratum: str, psu: str, weight: float, y: float | None, g: int | None = 1, **more: Any
) -> dict[str, Any]:
    return {"stratum": stratum, "psu": psu, "weight": weight, "y": y, "g": g, "fpc_psu": None} | more


TWO_STRATA = [
    record("1", "1", 1, 1),
    record("1", "1", 1, 0),
    record("1", "2", 2, 1),
    record("2", "1", 1, 0, 2),
    record("2", "2", 3, 1, 2),
]


def test_a_proportion_by_hand() -> None:
    # p = (1 + 2 + 3) / 8. Residual totals w (y - p) / 8: -1/16 and 1/16 in stratum 1, -3/32 and 3/32 in 2.
    # V = 2/(2-1) [2 (1/16)^2] + 2/(2-1) [2 (3/32)^2], with means 0 in both strata.
    row = estimate(TWO_STRATA)["total"]
    assert row["estimate"] == 0.75
    assert math.isclose(row["variance"], 4 * (1 / 16) ** 2 + 4 * (3 / 32) ** 2, rel_tol=1e-15)
    assert (row["n"], row["events"], row["psus"], row["strata"]) == (5, 3, 4, 2)
    assert (row["sum_w"], row["largest_weight_share"], row["largest_psu_share"]) == (8, 3 / 8, 2 / 5)


def test_a_psu_without_members_of_the_domain_still_counts_in_its_stratum() -> None:
    rows = [*TWO_STRATA, record("1", "3", 1, 0, 2)]
    # Domain a lies in stratum 1 only, which has three PSUs: p = 3/4, residual totals -1/8, 1/8, 0.
    row = estimate(rows)["a"]
    assert row["estimate"] == 0.75
    assert math.isclose(row["variance"], 3 / 2 * 2 * (1 / 8) ** 2, rel_tol=1e-15)
    assert (row["psus"], row["strata"]) == (2, 1)


def test_finite_population_correction_by_hand() -> None:
    frame = {"1": 4, "2": 2}
    rows = [r | {"fpc_psu": frame[r["stratum"]]} for r in TWO_STRATA]
    # Half of stratum 1 was drawn and all of stratum 2.
    row = estimate(rows, with_fpc=True)["total"]
    assert math.isclose(row["variance"], 0.5 * 4 * (1 / 16) ** 2, rel_tol=1e-15)


def test_a_record_without_category_is_in_the_total_only() -> None:
    rows = [*TWO_STRATA, record("2", "2", 1, 0, None)]
    result = estimate(rows)
    assert result["total"]["n"] == 6
    assert result["a"]["n"] + result["b"]["n"] == 5


def test_a_missing_answer_leaves_the_denominator_and_the_count_of_psus() -> None:
    rows = [*TWO_STRATA, record("2", "3", 5, None, 2)]
    row = estimate(rows)["total"]
    assert (row["estimate"], row["n"], row["eligible"], row["psus"]) == (0.75, 5, 6, 4)
    assert (row["sum_w"], row["sum_w_eligible"]) == (8, 13)
    # The third PSU of stratum 2 has no valid answer, yet it is part of the sample: its residual is 0.
    assert math.isclose(row["variance"], 4 * (1 / 16) ** 2 + 3 / 2 * 2 * (3 / 32) ** 2, rel_tol=1e-15)


def test_no_valid_answer_gives_no_estimate() -> None:
    rows = [r | {"y": None} for r in TWO_STRATA]
    row = estimate(rows)["total"]
    assert (row["n"], row["estimate"], row["variance"], row["sum_w"]) == (0, None, None, None)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("remove", Fraction(1, 64)),
        ("certainty", Fraction(1, 64)),
        ("adjust", Fraction(1, 64)),
        ("average", Fraction(2, 64)),
    ],
)
def test_a_stratum_with_one_psu(option: SinglePsu, expected: Fraction) -> None:
    # p = 1/2 of weight 8; residual totals: 1/16 and -1/16 in stratum 1; 0 in the one PSU of stratum 2.
    rows = [record("1", "1", 1, 1), record("1", "2", 1, 0), record("2", "1", 3, 1), record("2", "1", 3, 0)]
    row = estimate(rows, single_psu=option)["total"]
    assert math.isclose(row["variance"], float(expected), rel_tol=1e-15)


def test_adjust_adds_the_squared_residual_of_the_single_psu() -> None:
    rows = [record("1", "1", 1, 1), record("1", "2", 1, 1), record("2", "1", 2, 0)]
    # p = 1/2; residual totals 1/8, 1/8 and -1/4: stratum 1 has no variation, stratum 2 adds (1/4)^2.
    assert estimate(rows, single_psu="adjust")["total"]["variance"] == 1 / 16
    assert estimate(rows, single_psu="certainty")["total"]["variance"] == 0
    with pytest.raises(EstimationError) as refused:
        estimate(rows, single_psu="fail")
    assert refused.value.code == "E005"
    assert refused.value.title.endswith(": 1")


def test_a_stratum_taken_whole_may_have_one_psu() -> None:
    rows = [
        record("1", "1", 1, 1, fpc_psu=1),
        record("2", "1", 1, 0, fpc_psu=2),
        record("2", "2", 1, 1, fpc_psu=2),
    ]
    assert estimate(rows, single_psu="fail", with_fpc=True)["total"]["variance"] == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"weight": None}, "E002"),
        ({"weight": 0.0}, "E002"),
        ({"weight": -1.0}, "E002"),
        ({"weight": math.nan}, "E002"),
        ({"stratum": None}, "E003"),
        ({"psu": None}, "E003"),
        ({"fpc_psu": 1}, "E006"),
        ({"fpc_psu": 9}, "E006"),
    ],
)
def test_records_that_estimates_may_not_leave_out(change: dict[str, Any], code: str) -> None:
    frame = {"1": 4, "2": 2}
    rows = [r | {"fpc_psu": frame[r["stratum"]]} for r in TWO_STRATA]
    rows[0] |= change
    if code == "E006" and change["fpc_psu"] == 1:
        rows = [r | {"fpc_psu": 1} for r in rows]
    with pytest.raises(EstimationError) as refused:
        estimate(rows, with_fpc=True)
    assert refused.value.code == code
    assert refused.value.title
    assert refused.value.hint


def test_an_unknown_treatment_of_single_psus_is_refused() -> None:
    with pytest.raises(EstimationError) as refused:
        estimate(TWO_STRATA, single_psu="averge")  # type: ignore[arg-type]
    assert refused.value.code == "E004"


def test_two_runs_give_the_same_bits() -> None:
    rows = [
        record(str(i % 3), str(i % 7), 1 + (i * 7919 % 101) / 97, float(i * 31 % 5 < 2), 1 + i % 2)
        for i in range(5000)
    ]
    assert estimate(rows) == estimate(rows)


records = st.lists(
    st.builds(
        record,
        st.sampled_from(["n", "s", "w"]),
        st.sampled_from(["1", "2", "3"]),
        st.integers(1, 40).map(lambda quarter: quarter / 4),
        st.sampled_from([0.0, 1.0, 1.0, 0.0, None]),
        st.sampled_from([1, 2]),
    ),
    min_size=1,
    max_size=30,
)


def by_the_textbook(rows: list[dict[str, Any]], group: int | None) -> tuple[Fraction, Fraction] | None:
    """Estimate and variance, record by record and in exact fractions; a single PSU is centred at 0."""
    chosen = [r for r in rows if r["y"] is not None and group in (None, r["g"])]
    if not chosen:
        return None
    weight = sum(Fraction(r["weight"]) for r in chosen)
    p = sum(Fraction(r["weight"]) * Fraction(r["y"]) for r in chosen) / weight
    totals: dict[str, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for r in rows:
        totals[r["stratum"]][r["psu"]] += 0
    for r in chosen:
        totals[r["stratum"]][r["psu"]] += Fraction(r["weight"]) * (Fraction(r["y"]) - p) / weight
    variance = Fraction(0)
    for psus in totals.values():
        size = len(psus)
        if size == 1:
            variance += next(iter(psus.values())) ** 2
        else:
            mean = sum(psus.values()) / size
            variance += Fraction(size, size - 1) * sum((z - mean) ** 2 for z in psus.values())
    return p, variance


def near(left: float | None, right: float | Fraction | None) -> bool:
    if left is None or right is None:
        return left is right
    return math.isclose(left, float(right), rel_tol=1e-9, abs_tol=1e-18)


@settings(deadline=None, max_examples=60)
@given(records)
def test_equals_the_textbook_formula_in_exact_arithmetic(rows: list[dict[str, Any]]) -> None:
    result = estimate(rows)
    for name, group in (("total", None), ("a", 1), ("b", 2)):
        wanted = by_the_textbook(rows, group)
        row = result.get(name, {"estimate": None, "variance": None})
        assert near(row["estimate"], wanted and wanted[0])
        assert near(row["variance"], wanted and wanted[1])
        assert row["variance"] is None or row["variance"] >= 0


@settings(deadline=None, max_examples=40)
@given(records, st.permutations(range(30)), st.sampled_from([0.001, 3.0, 1e6]))
def test_order_scale_of_weights_and_names_of_strata_and_psus_do_not_matter(
    rows: list[dict[str, Any]], order: list[int], factor: float
) -> None:
    names = {"n": "z-1", "s": "z-0", "w": "a"}
    changed = [
        r | {"weight": r["weight"] * factor, "stratum": names[r["stratum"]], "psu": f"k{9 - int(r['psu'])}"}
        for r in (rows[i] for i in order if i < len(rows))
    ]
    before, after = estimate(rows), estimate(changed)
    assert before.keys() == after.keys()
    for name, row in before.items():
        for column in ("estimate", "variance", "largest_weight_share", "largest_psu_share"):
            assert near(after[name][column], row[column]), column
        for column in ("n", "events", "eligible", "psus", "strata"):
            assert after[name][column] == row[column]


@settings(deadline=None, max_examples=40)
@given(records)
def test_a_domain_and_its_complement_make_the_total(rows: list[dict[str, Any]]) -> None:
    result = estimate(rows)
    parts = [result[name] for name in ("a", "b") if name in result]
    for column in ("n", "events", "eligible"):
        assert sum(part[column] for part in parts) == result["total"][column]
    weighted = sum((part["sum_w"] or 0) * (part["estimate"] or 0) for part in parts)
    if result["total"]["n"]:
        assert near(result["total"]["estimate"] * result["total"]["sum_w"], weighted)
