from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.disclose import load_profile, protect
from copstats.framework import load_framework
from tests.disclose.estimates import FREE, cell, table

PROFILE = load_profile()
FIGURES = ("value", "se", "ci_lower", "ci_upper")
CLOSE = 1e-9


def published(*cells: dict[str, Any]) -> list[dict[str, Any]]:
    numbered = [row | {"indicator": f"X{i:04}"} for i, row in enumerate(cells)]
    return protect(
        table(*numbered), PROFILE, consent_level=FREE, framework=load_framework()
    ).values.to_pylist()


def one(**changed: Any) -> dict[str, Any]:
    return published(cell(**changed))[0]


def figures(**changed: Any) -> tuple[float, ...]:
    row = one(**changed)
    return tuple(row[name] for name in FIGURES)


def test_values_by_hand() -> None:
    """0.24649 (0.2231 to 0.2719), SE 0.01234: in per cent, rounded by hand."""
    assert figures(n=1000) == (24.6, 1.2, 22.3, 27.2)
    assert figures(n=999) == (25.0, 1.2, 22.0, 28.0)
    assert figures(n=250, events=100) == (25.0, 1.2, 22.0, 28.0)
    assert figures(n=249, events=100) == (25.0, 1.0, 22.0, 28.0)
    assert figures(n=5000, tier="B") == (25.0, 1.2, 22.0, 28.0)


def test_medians_are_whole_years_with_their_errors() -> None:
    years = {"unit": "YEARS", "estimate": 10.0, "se": 0.7349, "ci_lower": 9.0, "ci_upper": 12.0}
    assert figures(**years, n=1500, events=600) == (10, 0.7, 9, 12)
    assert figures(**years, n=249, events=100) == (10, 0.7, 9, 12)
    assert figures(**years, n=1500, events=600, tier="B") == (10, 0.7, 9, 12)


def test_published_in_per_cent_of_a_survey() -> None:
    row = one()
    assert (row["unit_measure"], row["standardised"], row["time_period"]) == ("PCNT", "N", "2026")
    assert (row["obs_conf"], row["reason"], row["reliability"]) == ("F", None, "reliable")
    assert row["source"] == "XAA_2026_COPS_v01_M"


def test_limits_stay_possible() -> None:
    assert figures(estimate=0.005, ci_lower=-0.001, ci_upper=0.02)[2] == 0
    assert figures(estimate=0.995, ci_lower=0.98, ci_upper=1.0001)[3] == 100
    assert figures(n=600, estimate=0.995, ci_lower=0.98, ci_upper=0.9999)[3] == 100


@pytest.mark.parametrize(
    ("n", "band"),
    [
        *((25, "25-49"), (49, "25-49"), (50, "50-99"), (99, "50-99"), (100, "100-249"), (249, "100-249")),
        *((250, "250-499"), (500, "500-999"), (999, "500-999"), (1000, "1000-2499"), (2499, "1000-2499")),
        *((2500, "GE2500"), (10**6, "GE2500")),
    ],
)
def test_n_is_published_as_a_band(n: int, band: str) -> None:
    assert one(n=n, events=n // 2)["n_band"] == band


@pytest.mark.parametrize(
    ("share", "band"),
    [
        (0.0, "0-5"),
        (0.05, "0-5"),
        (0.0501, "5-10"),
        (0.1, "5-10"),
        (0.4, "10-40"),
        (0.41, "40-100"),
        (1.0, "40-100"),
        (None, None),
    ],
)
def test_nonresponse_is_published_as_a_band(share: float | None, band: str | None) -> None:
    assert one(nonresponse=share)["nonresponse_band"] == band


@st.composite
def any_cell(draw: st.DrawFn) -> dict[str, Any]:
    """An estimate of any tier and size, near and far from thresholds, with gaps and impossible numbers."""
    n = draw(st.one_of(st.none(), st.integers(0, 120), st.sampled_from([249, 250, 999, 1000, 4000])))
    estimate = draw(st.one_of(st.none(), st.floats(0, 1)))
    middle = estimate or 0.0
    gap = st.one_of(st.none(), st.floats(0, 1), st.just(float("nan")))
    return cell(
        tier=draw(st.sampled_from(["A", "B", "A", "B", "X", None])),
        n=n,
        events=draw(st.one_of(st.none(), st.integers(-1, (n or 0) + 1))),
        psus=draw(st.one_of(st.none(), st.integers(0, 8))),
        df=draw(st.one_of(st.none(), st.integers(-1, 60))),
        estimate=estimate,
        se=draw(st.one_of(st.none(), st.floats(0, 0.3))),
        ci_lower=draw(st.one_of(st.none(), st.floats(0, 1).map(lambda share: middle * share))),
        ci_upper=draw(st.one_of(st.none(), st.floats(0, 1).map(lambda share: middle + (1 - middle) * share))),
        largest_psu_share=draw(st.one_of(gap, st.floats(0.3, 0.6))),
        largest_weight_share=draw(st.one_of(gap, st.floats(0.0, 0.25))),
        reliability=draw(st.sampled_from(["reliable", "review", "unreliable", None])),
    )


def may_be_shown(of: dict[str, Any]) -> bool:
    """The rules once more, in Python, as notes on disclosure control state them."""
    numbers = ("n", "events", "psus", "df", "estimate", "se", "ci_lower", "ci_upper")
    shares = ("largest_psu_share", "largest_weight_share")
    if of["tier"] not in ("A", "B") or any(of[name] is None for name in (*numbers, *shares)):
        return False
    n, events, psus, psu_share, weight_share = (
        (25, 5, 3, 0.5, 0.2) if of["tier"] == "A" else (50, 10, 5, 0.4, 0.15)
    )
    return bool(
        of["n"] >= n
        and min(of["events"], of["n"] - of["events"]) >= events
        and of["psus"] >= psus
        and of["largest_psu_share"] <= psu_share
        and of["largest_weight_share"] <= weight_share
        and of["df"] > 0
        and of["se"] > 0
        and of["ci_lower"] <= of["estimate"] <= of["ci_upper"]
    )


@settings(max_examples=20, deadline=None)
@given(st.lists(any_cell(), min_size=1, max_size=40))
def test_a_figure_appears_exactly_where_every_rule_allows_it(cells: list[dict[str, Any]]) -> None:
    for of, row in zip(cells, published(*cells), strict=True):
        shown = may_be_shown(of)
        assert all((row[name] is not None) == shown for name in FIGURES)
        assert (row["reason"] is None) == shown
        assert (row["obs_status"] in ("A", "U")) == shown
        if not shown and row["reason"] not in ("low", "high"):
            assert row["n_band"] is None and row["nonresponse_band"] is None
        assert row["reliability"] == (of["reliability"] if shown else None)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0.0001, 0.3)),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from([("A", 100), ("A", 300), ("A", 2000), ("B", 100), ("B", 2000)]),
)
def test_the_published_interval_holds_the_computed_one(
    drawn: list[tuple[float, float, float, float]], size: tuple[str, int]
) -> None:
    tier, n = size
    step = Decimal("0.1") if tier == "A" and n >= 1000 else Decimal(1)
    se_step = 0.5 if n < 250 else 0.1
    cells = []
    for *shares, se in drawn:
        lower, estimate, upper = sorted(shares)
        cells.append(
            cell(tier=tier, n=n, events=n // 2, estimate=estimate, se=se, ci_lower=lower, ci_upper=upper)
        )
    for of, row in zip(cells, published(*cells), strict=True):
        assert row["ci_lower"] <= of["ci_lower"] * 100 + CLOSE
        assert row["ci_upper"] >= of["ci_upper"] * 100 - CLOSE
        assert row["ci_lower"] <= row["value"] <= row["ci_upper"]
        assert abs(row["value"] - of["estimate"] * 100) <= float(step) / 2 + CLOSE
        assert abs(row["se"] - of["se"] * 100) <= se_step / 2 + CLOSE
        for name, rounding in (("ci_lower", ROUND_FLOOR), ("ci_upper", ROUND_CEILING)):
            exact = (Decimal(of[name]) * 100 / step).to_integral_value(rounding) * step
            # One more step at most, where a computed limit lies within rounding error of a step.
            assert abs(Decimal(str(row[name])) - exact) <= step
        for name in ("value", "ci_lower", "ci_upper"):
            assert Decimal(str(row[name])) % step == 0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.02, 0.98), min_size=2, max_size=30), st.sampled_from([300, 2000]))
def test_rounding_keeps_the_order(estimates: list[float], n: int) -> None:
    ordered = sorted(estimates)
    cells = [
        cell(n=n, events=n // 2, estimate=e, ci_lower=e - 0.01, ci_upper=e + 0.01, se=0.005) for e in ordered
    ]
    rows = published(*cells)
    for name in ("value", "ci_lower", "ci_upper"):
        found = [row[name] for row in rows]
        assert found == sorted(found)
