"""What a record counts in an indicator: answers, missing codes, skips, composites, dyads, ages, universes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from copstats.analyse.wave import estimate_wave
from copstats.errors import EstimationError
from copstats.framework.loader import Framework
from copstats.framework.manifest import SurveyManifest
from copstats.store.engine import memory_connection
from copstats.store.schemas import ESTIMATES

Make = Callable[..., SurveyManifest]

FLOATS = [field.name for field in ESTIMATES if pa.types.is_floating(field.type)]
NOT_APPLICABLE, DOES_NOT_KNOW, REFUSED = -7, -8, -9


def children(*answers: dict[str, Any], copies: int = 1) -> pa.Table:
    """A record for each set of answers, all in one stratum, each a PSU, equally weighted."""
    base = {"weight": 1.0, "stratum": "1", "age": 13, "sex": 1, "net_3m": 1}
    rows = [base | {"psu": str(i), "child_id": f"c{i}"} | row for i, row in enumerate(answers * copies)]
    return pa.Table.from_pylist(rows)


def total(table: pa.Table, indicator: str, disaggregation: str = "total") -> dict[str, Any]:
    (row,) = [
        r for r in table.to_pylist() if r["indicator"] == indicator and r["disaggregation"] == disaggregation
    ]
    return row


def estimate(
    child: pa.Table, manifest: SurveyManifest, framework: Framework, parent: pa.Table | None = None
) -> pa.Table:
    return estimate_wave(child, parent, manifest, None, framework, as_of_year=2026)


def counts(row: dict[str, Any]) -> tuple[int, int, int]:
    return row["events"], row["n"], row["eligible"]


def test_missing_codes_leave_the_denominator_unless_the_indicator_says_otherwise(
    framework: Framework, manifest: Make
) -> None:
    answers = [{"hlp_know_help": code, "own_phone": code} for code in (1, 0, DOES_NOT_KNOW, REFUSED)]
    result = estimate(children(*answers), manifest(), framework)
    # HLP4: not knowing is an answer. ACC4: it is not.
    assert counts(total(result, "HLP4")) == (1, 3, 4)
    assert counts(total(result, "ACC4")) == (1, 2, 4)
    assert total(result, "ACC4")["nonresponse"] == 0.5


def test_a_skip_by_a_negative_answer_counts_as_0_and_one_by_a_refusal_as_missing(
    framework: Framework, manifest: Make
) -> None:
    answers = [
        {"rct_unknown": 1, "rct_met": 1},
        {"rct_unknown": 0, "rct_met": NOT_APPLICABLE},
        {"rct_unknown": REFUSED, "rct_met": NOT_APPLICABLE},
        {"net_3m": 0, "rct_unknown": NOT_APPLICABLE, "rct_met": NOT_APPLICABLE},
    ]
    assert counts(total(estimate(children(*answers), manifest(), framework), "RCT2")) == (1, 2, 3)


def test_a_child_who_does_not_use_the_internet_counts_as_0_among_all_children(
    framework: Framework, manifest: Make
) -> None:
    answers = [
        {"rcd_cybervic": 1},
        {"rcd_cybervic": 0},
        {"net_3m": 0, "rcd_cybervic": NOT_APPLICABLE},
        {"net_3m": REFUSED, "rcd_cybervic": NOT_APPLICABLE},
    ]
    result = estimate(children(*answers), manifest(modules=["access", "conduct"]), framework)
    assert counts(total(result, "RCD4")) == (1, 3, 4)
    # Among users: the child whose use is unknown may be one, so it is non-response.
    assert counts(total(result, "RCD1")) == (1, 2, 3)


def test_an_all_of_is_0_if_one_part_is_0_and_missing_only_where_that_leaves_it_open(
    framework: Framework, manifest: Make
) -> None:
    def skills(*codes: int) -> dict[str, int]:
        return dict(zip(("skl_privacy", "skl_block", "skl_report", "skl_verify"), codes, strict=True))

    answers = [skills(1, 1, 1, 1), skills(1, 0, REFUSED, 1), skills(1, 1, REFUSED, 1), skills(0, 0, 0, 0)]
    assert counts(total(estimate(children(*answers), manifest(), framework), "SKL5")) == (1, 3, 4)


def test_an_any_of_is_1_if_one_part_is_1_and_missing_only_where_that_leaves_it_open(
    framework: Framework, manifest: Make
) -> None:
    def contacts(*codes: int) -> dict[str, int]:
        return dict(zip(("rct_gift", "rct_threat", "rct_imgshared"), codes, strict=True))

    answers = [contacts(0, REFUSED, 1), contacts(0, REFUSED, 0), contacts(0, 0, 0)]
    young = contacts(*[NOT_APPLICABLE] * 3) | {"age": 10}
    result = estimate(children(*answers, young), manifest(), framework)
    assert counts(total(result, "RCT7")) == (1, 2, 3)


def test_children_below_the_national_age_floor_are_outside_and_the_ages_asked_stand_beside(
    framework: Framework, manifest: Make
) -> None:
    answers = [
        {"age": 13, "rct_sexask": NOT_APPLICABLE},
        {"age": 14, "rct_sexask": 1},
        {"age": 17, "rct_sexask": 3},
    ]
    result = estimate(children(*answers), manifest(population={"age_floor": 14}), framework)
    row = total(result, "RCT3")
    assert counts(row) == (1, 2, 2)
    assert (row["comparability"], row["comparability_reasons"]) == ("C", "age_band")
    assert total(result, "RCT3", "common_age")["age"] == "Y14T17"
    bands = {r["age"] for r in result.to_pylist() if (r["indicator"], r["disaggregation"]) == ("RCT3", "age")}
    assert bands == {"Y15T17"}


def test_dyads_are_children_with_their_parent_and_the_parents_weight(
    framework: Framework, manifest: Make
) -> None:
    child = children(*[{"hrm_upset": code} for code in (2, 3, 4, 1, REFUSED, 5)])
    parent = pa.Table.from_pylist(
        [
            {"child_id": f"c{i}", "parent_id": f"p{i}", "stratum": "1", "psu": str(i), "weight_parent": w}
            | {"p_aware_upset": a}
            for i, (w, a) in enumerate([(2.0, 0), (1.0, 1), (5.0, DOES_NOT_KNOW), (9.0, 0), (1.0, 0)])
        ]
    )
    row = total(estimate(child, manifest(), framework, parent), "MED5")
    # Upset and with a parent: c0, c1, c2; c3 was not upset, c4 did not say, c5 has no parent in the file.
    assert counts(row) == (1, 3, 4)
    assert row["estimate"] == 2 / 8
    assert row["psus"] == 3


def test_a_dyad_without_a_parents_weight_carries_the_childs(framework: Framework, manifest: Make) -> None:
    child = children({"hrm_upset": 2, "weight": 3.0}, {"hrm_upset": 2, "weight": 1.0})
    parent = pa.table(
        {"child_id": ["c0", "c1"], "stratum": ["1", "1"], "psu": ["0", "1"], "p_aware_upset": [0, 1]}
    )
    row = total(estimate(child, manifest(not_asked=["p_know_line"]), framework, parent), "MED5")
    assert row["estimate"] == 0.75


def test_parents_are_estimated_with_their_weight_and_all_psus_of_the_wave(
    framework: Framework, manifest: Make
) -> None:
    child = children({}, {}, {}, {})
    parent = pa.table(
        {
            "child_id": ["c0", "c1", "c2"],
            "stratum": ["1", "1", "1"],
            "psu": ["0", "1", "2"],
            "weight_parent": [1.0, 1.0, 2.0],
            "p_know_line": [1, 0, 1],
        }
    )
    row = total(estimate(child, manifest(), framework, parent), "MED6")
    assert (row["estimate"], row["psus"]) == (0.75, 3)
    # Residuals 1/16, -3/16, 2/16 and 0 for the PSU in which no parent answered.
    assert row["se"] == pytest.approx((4 / 3 * (1 + 9 + 4) / 256) ** 0.5, rel=1e-14)


@pytest.mark.parametrize(
    ("indicator", "change", "reason"),
    [
        ("RCD3", {"not_asked": ["rcd_cyberperp"]}, ("not_asked", "rcd_cyberperp")),
        ("RCM1", {"modules": ["access"]}, ("module_not_covered", "contract")),
        ("HLP4", {"population": {"universe": "internet_users"}}, ("universe", None)),
        ("MED5", {}, ("no_parent_file", None)),
        ("MED6", {}, ("no_parent_file", None)),
        ("RSK1", {"modules": ["access", "conduct", "contact"]}, ("module_not_covered", "content;contract")),
    ],
)
def test_an_absent_indicator_says_why(
    framework: Framework,
    manifest: Make,
    indicator: str,
    change: dict[str, Any],
    reason: tuple[str, str | None],
) -> None:
    child = children({"rcd_cybervic": 1, "hlp_know_help": 1})
    row = total(estimate(child, manifest(**change), framework), indicator)
    assert (row["state"], row["absent_reason"], row["absent_detail"]) == ("absent", *reason)
    assert (row["n"], row["estimate"], row["comparability"]) == (0, None, "")


def test_an_indicator_of_which_no_record_is_eligible_says_so(framework: Framework, manifest: Make) -> None:
    row = total(estimate(children({"net_3m": 0, "net_freq": NOT_APPLICABLE}), manifest(), framework), "ACC2")
    assert (row["state"], row["absent_reason"]) == ("absent", "no_eligible_records")


def test_every_indicator_has_a_total_or_a_reason_and_the_table_its_schema(
    framework: Framework, manifest: Make
) -> None:
    result = estimate(children({"own_phone": 1}, {"own_phone": 0}), manifest(), framework)
    totals = [r["indicator"] for r in result.to_pylist() if r["disaggregation"] == "total"]
    assert totals == sorted(framework.indicators)
    assert result.schema == ESTIMATES


def test_one_psu_gives_no_standard_error_and_no_interval(framework: Framework, manifest: Make) -> None:
    row = total(
        estimate(children({"own_phone": 1, "psu": "1"}, {"own_phone": 0, "psu": "1"}), manifest(), framework),
        "ACC4",
    )
    assert (row["estimate"], row["df"], row["reliability"]) == (0.5, 0, "unreliable")
    for name in ("se", "ci_lower", "ci_upper", "deff", "n_effective", "kg_lower", "kg_upper"):
        assert row[name] is None, name


def test_no_events_give_an_upper_limit_and_no_nan_anywhere(framework: Framework, manifest: Make) -> None:
    result = estimate(children({"own_phone": 0}, copies=40), manifest(), framework)
    row = total(result, "ACC4")
    assert (row["estimate"], row["se"], row["events"]) == (0, 0, 0)
    assert row["ci_lower"] == 0
    assert row["ci_upper"] == pytest.approx(1 - 0.025 ** (1 / 40))
    assert row["deff"] is None
    assert not any(
        value is not None and math.isnan(value) for name in FLOATS for value in result[name].to_pylist()
    )


def test_nothing_valid_gives_a_row_without_an_estimate(framework: Framework, manifest: Make) -> None:
    row = total(
        estimate(children({"own_phone": REFUSED}, {"own_phone": None}), manifest(), framework), "ACC4"
    )
    assert counts(row) == (0, 0, 2)
    assert (row["state"], row["nonresponse"], row["estimate"], row["df"]) == ("estimated", 1, None, None)
    assert (row["reliability"], row["comparability"]) == (None, "C")


def test_design_columns_are_needed(framework: Framework, manifest: Make) -> None:
    with pytest.raises(EstimationError) as refused:
        estimate(children({"own_phone": 1}).drop_columns(["psu", "weight"]), manifest(), framework)
    assert (refused.value.code, refused.value.params) == ("E001", {"columns": "psu, weight"})


def test_a_stream_gives_what_a_table_gives_and_the_connection_is_left_empty(
    framework: Framework, manifest: Make
) -> None:
    table = children({"own_phone": 1, "adm1": "XA-1"}, {"own_phone": 0, "adm1": "XA-2"}, copies=5)
    connection = memory_connection(threads=1)
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=3))
    streamed = estimate_wave(
        reader, None, manifest(), None, framework, as_of_year=2026, connection=connection
    )
    assert streamed == estimate(table, manifest(), framework)
    assert connection.execute("SHOW ALL TABLES").fetchall() == []


def test_a_fault_of_the_engine_tells_no_value(framework: Framework, manifest: Make) -> None:
    table = children({"own_phone": 1})
    faulty = table.set_column(table.schema.get_field_index("age"), "age", pa.array(["Mary Smith"]))
    with pytest.raises(EstimationError) as refused:
        estimate(faulty, manifest(), framework)
    assert refused.value.code == "E009"
    assert "Mary" not in str(refused.value)
    assert refused.value.__suppress_context__
