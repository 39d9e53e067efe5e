"""The audit by itself: hand-made releases, and invented ones against linear programs of scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.disclose import load_profile
from copstats.disclose.audit import Audit, Published, audit_values
from copstats.disclose.audit.implications import Filter, Nesting, logic_of
from copstats.framework import load_framework
from copstats.store.schemas import ATTACKER, DIMENSIONS, INDICATOR_VALUE
from tests.attack.linear import intervals, known_cells

FRAMEWORK, PROFILE = load_framework(), load_profile()
SOURCE = "XAA_2026_COPS_v01_M"
_TOTAL = dict.fromkeys(DIMENSIONS, "_T")
_TABLES = {
    (): "total",
    ("sex",): "sex",
    ("age",): "age",
    ("sex", "age"): "sex_age",
    ("region",): "region",
}
Row = dict[str, Any]


def cell(
    n: int, *, value: float | None = None, reason: str | None = None, weight: float | None = None, **at: str
) -> Row:
    """Return a cell of RCD1, or of the indicator that is named, with all that rows of both tables need."""
    code = at.pop("indicator", "RCD1")
    tier = FRAMEWORK.indicators[code].definition.tier
    t = {"A": 5, "B": 10}[tier]
    coded = reason in ("low", "high")
    return {
        "ref_area": "XAA",
        "survey": "COPS",
        "time_period": "2026",
        "source": at.pop("source", SOURCE),
        "indicator": code,
        "unit_measure": "PCNT",
        "standardised": "N",
        **(_TOTAL | at),
        "value": value,
        "se": None if value is None else 1.0,
        "ci_lower": value and max(value - 2, 0),
        "ci_upper": value and min(value + 2, 100),
        "n_band": band(n) if reason is None or coded else None,
        "nonresponse_band": "0-5" if reason is None or coded else None,
        "obs_status": "A" if reason is None else "Q",
        "obs_conf": "F" if reason is None else "A",
        "reason": reason,
        "tier": tier,
        "unit": "PERCENT",
        "disaggregation": _TABLES[tuple(at)],
        "n": n,
        "weight": float(n) if weight is None else weight,
        "coded_limit": (t - 1) / n if coded else None,
    }


def band(n: int) -> str | None:
    codes = [one.code for one in PROFILE.n_bands.bands if one.lower <= n]
    return codes[-1] if codes else None


def tables(rows: list[Row]) -> tuple[pa.Table, pa.Table]:
    values = [{name: row.get(name) for name in INDICATOR_VALUE.names} for row in rows]
    known = [
        {name: row.get(name) for name in ATTACKER.names} | {"submission_id": row["source"]} for row in rows
    ]
    return pa.Table.from_pylist(values, INDICATOR_VALUE), pa.Table.from_pylist(known, ATTACKER)


def audit(rows: list[Row], *earlier: list[Row], knows: bool = True) -> Audit:
    values, attacker = tables(rows)
    before = [Published("before", *tables(one)) for one in earlier]
    return audit_values(values, attacker if knows else None, FRAMEWORK, PROFILE, earlier=before)


def kinds(found: Audit) -> set[str]:
    return {finding.kind for finding in found.findings}


SAFE = [
    cell(1000, value=20.0),
    cell(480, value=20.0, sex="M"),
    cell(520, value=20.0, sex="F"),
    cell(300, value=20.0, region="XA-1"),
    cell(400, reason="secondary", region="XA-2"),
    cell(280, value=20.0, region="XA-3"),
    cell(20, reason="n", region="XA-4"),
]


FINE = [
    cell(2040, value=20.0),
    cell(1000, value=20.0, region="XA-1"),
    cell(1020, reason="secondary", region="XA-2"),
    cell(20, reason="n", region="XA-3"),
]
"""In tenths of a per cent rounding hides little: without the complementary suppression XA-3 is known."""


def changed(place: int, **entries: Any) -> list[Row]:
    return [row | entries if k == place else row for k, row in enumerate(SAFE)]


def test_a_safe_release_passes_and_its_weakest_cells_are_named() -> None:
    found = audit(SAFE)
    assert found.passed and found.weak == () and (found.waves, found.protected) == (1, 2)
    weakest, other = found.weakest
    assert str(weakest.cell) == "XAA COPS 2026 RCD1 region=XA-4"
    assert other.cell.place == "_T but region=XA-2"
    assert weakest.needed == 5 and weakest.found == pytest.approx(20)
    assert [what for _, what in found.assumptions] == ["known"]


def test_without_the_complementary_suppression_the_withheld_cell_is_known() -> None:
    assert audit(FINE).passed
    found = audit([*FINE[:2], FINE[2] | cell(1020, value=20.0, region="XA-2"), FINE[3]])
    (finding,) = found.findings
    assert finding.kind == "interval" and finding.needed == 5
    assert finding.found == pytest.approx(2.04 + 1 + 1.02, abs=1e-4)


def test_the_children_without_a_category_are_a_cell_of_their_own() -> None:
    """Of 1,500 children 1,497 say that they are boys: what the others answered follows."""
    (finding,) = audit([cell(1500, value=20.0), cell(1497, value=20.0, sex="M")]).findings
    assert (finding.kind, finding.cell.place, finding.needed) == ("nested", "_T but sex", 3)
    assert audit([cell(1500, value=20.0), cell(1500, value=20.0, sex="M")]).passed


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (changed(0, value=27.0), "inconsistent"),
        (changed(1, value=20.3), "shape"),
        (changed(1, n=24), "shape"),
        (changed(2, n=521), "inconsistent"),
        (changed(2, source="XAA_2026_COPS_v02_M"), "shape"),
    ],
    ids=["value", "digits", "few answers", "more than all", "two versions"],
)
def test_one_change_is_found(rows: list[Row], kind: str) -> None:
    assert kind in kinds(audit(rows))


def test_an_attackers_file_of_another_release_is_found() -> None:
    values, _ = tables(SAFE)
    _, other = tables(changed(4, reason="low", coded_limit=0.01))
    assert kinds(audit_values(values, other, FRAMEWORK, PROFILE)) == {"inconsistent"}
    without = other.filter([row["region"] != "XA-4" for row in SAFE])
    assert "inconsistent" in kinds(audit_values(values, without, FRAMEWORK, PROFILE))


def test_what_an_earlier_release_showed_stays_known() -> None:
    earlier = changed(6, reason=None, value=20.0, n=20)
    assert audit(SAFE).passed
    found = audit(SAFE, earlier)
    assert kinds(found) == {"vintage"}
    assert {finding.cell.place for finding in found.findings} == {"region=XA-4"}


def test_a_release_that_carries_the_same_values_forward_passes() -> None:
    assert audit(SAFE, SAFE, SAFE).passed


def test_few_more_or_fewer_respondents_are_found_and_many_are_not() -> None:
    before = changed(1, value=21.0)
    more = [1, 1, 0, 1, 0, 0, 0]
    grown = [row | {"n": row["n"] + k, "weight": row["n"] + k} for row, k in zip(SAFE, more, strict=True)]
    found = audit(grown, before)
    assert kinds(found) == {"vintage"}
    assert {(f.cell.place, f.needed, f.found) for f in found.findings} == {
        (place, 10, 1) for place in ("_T", "sex=M", "region=XA-1")
    }
    many = [row | {"n": 2 * row["n"], "weight": 2 * row["weight"]} for row in SAFE[:-1]]
    assert audit([row | {"n_band": row["n_band"] and band(row["n"])} for row in many], before[:-1]).passed


def test_a_corrected_answer_of_the_same_respondents_is_found() -> None:
    found = audit(SAFE, changed(1, value=21.0))
    assert {(one.kind, one.cell.place) for one in found.findings} == {("vintage", "sex=M")}


def test_without_the_attackers_file_the_bands_are_taken() -> None:
    found = audit(SAFE, knows=False)
    assert found.passed
    assert [what for _, what in found.assumptions] == ["bands"]
    hidden = [
        cell(80, value=20.0),
        cell(60, value=20.0, region="XA-1"),
        cell(20, reason="n", region="XA-2"),
    ]
    found = audit(hidden, knows=False)
    assert found.passed, "with weights that nobody knows nothing follows"
    assert {one.cell.place for one in found.weak} == {"region=XA-2"}, "but it does if they are equal"
    other = audit(hidden, SAFE, knows=False)
    assert "vintages_not_compared" in {what for _, what in other.assumptions}


def test_a_base_that_is_the_yes_of_another_indicator_opens_it() -> None:
    """All but few are online; who was asked only when online tells how many are."""
    users = [cell(1000, reason="high", indicator="ACC1"), cell(1000, value=50.0, indicator="SKL1")]
    assert audit(users).passed
    logic = logic_of(FRAMEWORK, {"ACC1", "SKL1", "HLP1", "HRM1", "RCD1", "RCD4"})
    assert Filter("ACC1", "SKL1", complete=True, routed=False) in logic.filters
    assert Filter("HRM1", "HLP1", complete=True, routed=False) in logic.filters
    assert logic.nestings == (Nesting("RCD1", "RCD4", definitional=True),)


def test_a_group_that_is_not_there_tells_that_nobody_passed_the_filter() -> None:
    """Who was upset is asked who was told: a region without a row there has nobody who was upset."""
    filtering = [
        cell(400, value=20.0, indicator="HRM1"),
        cell(250, value=21.0, indicator="HRM1", region="XA-1"),
        cell(20, reason="n", indicator="HRM1", region="XA-2"),
        cell(130, reason="secondary", indicator="HRM1", region="XA-3"),
    ]
    asked = [
        cell(80, value=50.0, indicator="HLP1"),
        cell(55, value=50.0, indicator="HLP1", region="XA-1"),
        cell(25, reason="n", indicator="HLP1", region="XA-3"),
    ]
    assert audit(filtering).passed
    found = audit([*filtering, *asked])
    assert ("interval", "HRM1", "region=XA-2") in {
        (one.kind, one.cell.indicator, one.cell.place) for one in found.findings
    }
    empty = cell(0, reason="n", indicator="HLP1", region="XA-2")
    assert not any(one.cell.indicator == "HRM1" for one in audit([*filtering, *asked, empty]).findings)


def test_relations_of_composites_and_questions_open_cells() -> None:
    """A part is at most the whole: 3 of 100 in the whole leave 3 for a part that is withheld."""
    whole = cell(400, value=3.0, indicator="RCT7")
    part = cell(400, reason="dominance", indicator="RCT6")
    alone = audit([cell(400, value=30.0, indicator="RCT7"), part])
    assert alone.passed
    found = audit([whole | {"value": 1.0}, part])
    assert kinds(found) == {"interval"} and found.findings[0].found == pytest.approx(6, abs=1e-3)


@st.composite
def releases(draw: st.DrawFn) -> list[Row]:
    """One question of invented records with unknown categories, rounded, some cells withheld."""
    size = draw(st.integers(40, 1400))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    code = draw(st.sampled_from(["RCD1", "RCT1", "HRM2"]))
    sex = random.choice(["M", "F", "?"], size, p=[0.5, 0.48, 0.02])
    age = random.choice(["Y9T11", "Y12T14", "Y15T17", "?"], size, p=[0.6, 0.33, 0.05, 0.02])
    region = random.choice(["XA-1", "XA-2", "XA-3", "?"], size, p=[0.7, 0.25, 0.04, 0.01])
    weight = random.gamma(3, 1, size) if draw(st.booleans()) else np.ones(size)
    yes = random.random(size) < draw(st.sampled_from([0.02, 0.1, 0.5, 0.97]))
    hidden = draw(st.sampled_from([0.0, 0.2, 0.6]))
    columns = {"sex": sex, "age": age, "region": region}
    rows = []
    for table in _TABLES:
        keys = {tuple(str(columns[d][k]) for d in table) for k in range(size)}
        for key in sorted(key for key in keys if "?" not in key):
            inside = np.ones(size, dtype=bool)
            for dimension, one in zip(table, key, strict=True):
                inside &= columns[dimension] == one
            at = dict(zip(table, key, strict=True))
            rows.append(_stated(weight[inside], yes[inside], code, at, random.random() < hidden))
    return rows


def _stated(weight: np.ndarray, yes: np.ndarray, code: str, at: dict[str, str], hide: bool) -> Row:
    n, events = len(yes), int(yes.sum())
    tier = FRAMEWORK.indicators[code].definition.tier
    t, least = {"A": (5, 25), "B": (10, 50)}[tier]
    share = float((weight * yes).sum() / weight.sum())
    reason = (
        "n" if n < least
        else "low" if events < t
        else "high" if n - events < t
        else "secondary" if hide
        else None
    )  # fmt: skip
    decimals = 1 if tier == "A" and n >= 1000 else 0
    value = round(100 * share, decimals) if reason is None else None
    row = cell(n, value=value, reason=reason, weight=float(weight.sum()), indicator=code, **at)
    if reason in ("low", "high"):
        row["coded_limit"] = max((t - 1) / n, min(share, 1 - share))
    return row


@given(releases())
@settings(max_examples=25, deadline=None)
def test_the_verdict_is_that_of_another_attackers_linear_programs(rows: list[Row]) -> None:
    values, attacker = tables(rows)
    found = audit_values(values, attacker, FRAMEWORK, PROFILE)
    code = rows[0]["indicator"]
    expected = {
        " ".join(f"{d}={c}" for d, c in key) or "_T": (known.needed, width)
        for key, known, width in intervals(known_cells(values, attacker)[code])
    }
    narrow = {place for place, (needed, width) in expected.items() if width < needed - 1e-6}
    assert {f.cell.place for f in found.findings if f.kind == "interval"} == narrow
    assert kinds(found) <= {"interval", "nested"}, "what is true never contradicts itself"
    for one in found.weakest:
        if one.cell.place in expected:
            assert (one.needed, one.found) == pytest.approx(expected[one.cell.place], abs=1e-4)
