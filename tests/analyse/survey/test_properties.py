"""What must hold for every sample."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats import Design, Estimates, estimate
from copstats.analyse.cells import Measure
from copstats.analyse.design import design_sql
from copstats.analyse.domains import Axis, Disaggregation
from copstats.analyse.variance import estimate_measures
from copstats.store.engine import memory_connection

DESIGN = Design(weight="w", strata="h", psu="i")
EXAMPLES = 10


@st.composite
def samples(draw: st.DrawFn) -> pa.Table:
    """Records of up to four strata with up to four PSUs; some answers are missing."""
    count = draw(st.integers(2, 40))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    answers: list[Any] = random.integers(0, 2, count).tolist()
    for place in np.flatnonzero(random.random(count) < draw(st.sampled_from([0.0, 0.2]))):
        answers[place] = None
    return pa.table(
        {
            "h": random.integers(1, draw(st.integers(1, 4)) + 1, count),
            "i": random.integers(1, draw(st.integers(1, 4)) + 1, count),
            "w": np.exp(random.normal(0, draw(st.sampled_from([0.1, 3.0])), count)),
            "x": random.normal(100, 10, count),
            "d": random.choice(["f", "m"], count),
            "y": pa.array(answers, pa.int64()),
        }
    )


def close(first: Estimates, second: Estimates, factor: float = 1.0) -> None:
    np.testing.assert_allclose(first.estimate * factor, second.estimate, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        first.covariance * factor**2, second.covariance, rtol=1e-8, atol=1e-12 * factor**2
    )
    np.testing.assert_array_equal(first.df, second.df)


FORMULAS = ("mean(y)", "mean(x)", "ratio(x, y + 1)", "proportion(d)")


@settings(max_examples=EXAMPLES, deadline=None)
@given(samples(), st.sampled_from([1e-6, 0.5, 1e6]))
def test_scaling_the_weights_changes_only_totals(data: pa.Table, factor: float) -> None:
    scaled = replace(DESIGN, weight=f"w * {factor!r}")
    close(estimate(data, DESIGN, *FORMULAS), estimate(data, scaled, *FORMULAS))
    close(estimate(data, DESIGN, "total(y)"), estimate(data, scaled, "total(y)"), factor)


@settings(max_examples=EXAMPLES, deadline=None)
@given(samples(), st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(data: pa.Table, random: Any) -> None:
    order = list(range(len(data)))
    random.shuffle(order)
    close(estimate(data, DESIGN, *FORMULAS), estimate(data.take(order), DESIGN, *FORMULAS))


@settings(max_examples=EXAMPLES, deadline=None)
@given(samples())
def test_names_of_strata_and_psus_do_not_matter(data: pa.Table) -> None:
    renamed = Design(weight="w", strata="'stratum ' || (7 - h)", psu="h * 100 - i", nest=False)
    close(estimate(data, DESIGN, *FORMULAS), estimate(data, renamed, *FORMULAS))


@settings(max_examples=EXAMPLES, deadline=None)
@given(samples())
def test_domains_add_up_to_the_whole(data: pa.Table) -> None:
    """The variance of the sum of a domain and its complement is that of the total."""
    parts = estimate(data, DESIGN, "total(x)", by="d")
    whole = estimate(data, DESIGN, "total(x)")
    together = parts.contrast(np.ones(len(parts)))
    np.testing.assert_allclose(together.estimate, whole.estimate, rtol=1e-12)
    if (np.bincount(_psus_by_stratum(data)) != 1).all():
        np.testing.assert_allclose(together.covariance, whole.covariance, rtol=1e-7, atol=1e-9)


def _psus_by_stratum(data: pa.Table) -> np.ndarray[Any, Any]:
    pairs = np.unique(np.stack([data["h"].to_numpy(), data["i"].to_numpy()]), axis=1)
    return np.repeat(np.arange(len(np.unique(pairs[0]))), np.unique(pairs[0], return_counts=True)[1])


@settings(max_examples=EXAMPLES, deadline=None)
@given(samples())
def test_shares_add_up_to_one_without_error(data: pa.Table) -> None:
    shares = estimate(data, DESIGN, "proportion(d)")
    whole = shares.contrast(np.ones(len(shares)))
    np.testing.assert_allclose(whole.estimate, 1, rtol=1e-14)
    np.testing.assert_allclose(whole.covariance, 0, atol=1e-15)


@settings(max_examples=EXAMPLES, deadline=None)
@given(samples(), st.sampled_from(["adjust", "remove", "average", "certainty"]))
def test_it_agrees_with_the_engine_of_the_waves(data: pa.Table, single_psu: Any) -> None:
    """Two implementations of the same method: SQL over PSU cells, and linear algebra over totals."""
    connection = memory_connection(threads=1)
    connection.register("records", data)
    wave = "SELECT *, w AS weight, h AS stratum, i AS psu FROM records"
    axis = Axis("d", "dim_d", "CASE d WHEN 'f' THEN 1 WHEN 'm' THEN 2 END", ("f", "m"))
    engine = estimate_measures(
        connection,
        wave,
        design_sql([f"({wave})"]),
        [Measure("y", "y")],
        [Disaggregation("by", (axis,))],
        single_psu=single_psu,
    ).to_pylist()
    ours = estimate(data, replace(DESIGN, single_psu=single_psu), "mean(y)", by="d").table.to_pylist()
    by_engine = {"fm"[row["domain"] // 100 % 10_000 - 1]: row for row in engine}
    assert len(ours) == len(by_engine)
    for row in ours:
        other = by_engine[row["d"]]
        assert (row["n"], row["psus"], row["strata"]) == (other["n"], other["psus"], other["strata"])
        if row["estimate"] is None:
            assert other["estimate"] is None
            continue
        np.testing.assert_allclose(row["estimate"], other["estimate"], rtol=1e-12)
        if row["se"] is None or other["variance"] is None:
            assert (row["se"], other["variance"]) == (None, None)
        else:
            np.testing.assert_allclose(row["se"] ** 2, other["variance"], rtol=1e-8, atol=1e-15)
