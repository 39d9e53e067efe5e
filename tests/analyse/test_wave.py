"""A whole wave with every indicator: what holds for any estimate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from copstats.analyse.wave import estimate_wave
from copstats.framework.loader import Framework
from copstats.framework.manifest import SurveyManifest

Make = Callable[..., SurveyManifest]


def synthetic(framework: Framework, kind: str, n: int) -> pa.Table:
    """Records with a valid answer to every question, in 4 strata of 5 PSUs."""
    random = np.random.default_rng(20260301)
    columns: dict[str, Any] = {}
    for name, variable in framework.variables(kind).items():
        if variable.type == "code":
            columns[name] = random.choice(list(framework.codes(variable)), n)
        elif variable.type in ("integer", "number") and variable.role != "design":
            columns[name] = random.integers(int(variable.minimum or 0), int(variable.maximum or 9), n)
    number = np.arange(n)
    columns |= {
        "stratum": [f"s{i % 4}" for i in number],
        "psu": [f"p{i}" for i in random.integers(0, 5, n)],
        "child_id": [f"c{i}" for i in number],
        "weight" if kind == "child" else "weight_parent": random.uniform(0.5, 2, n),
    }
    if kind == "child":
        columns |= {"age": random.integers(9, 18, n), "adm1": [f"XA-{i % 3}" for i in number]}
    return pa.table(columns)


@pytest.fixture(scope="module")
def sources(framework: Framework) -> tuple[pa.Table, pa.Table]:
    return synthetic(framework, "child", 600), synthetic(framework, "parent", 400)


@pytest.fixture(scope="module")
def rows(framework: Framework, manifest: Make, sources: tuple[pa.Table, pa.Table]) -> list[dict[str, Any]]:
    return estimate_wave(*sources, manifest(), None, framework, as_of_year=2026).to_pylist()


def test_every_indicator_is_estimated_where_everything_was_asked(
    framework: Framework, rows: list[dict[str, Any]]
) -> None:
    assert {row["indicator"] for row in rows if row["state"] == "estimated"} == framework.indicators.keys()


def test_limits_lie_between_0_and_1_around_the_estimate(rows: list[dict[str, Any]]) -> None:
    shares = [row for row in rows if row["state"] == "estimated" and row["unit"] == "PERCENT"]
    assert len(shares) > 1000
    for row in shares:
        assert row["se"] >= 0
        assert 0 <= row["ci_lower"] <= row["estimate"] <= row["ci_upper"] <= 1
        assert 0 <= row["kg_lower"] <= row["estimate"] <= row["kg_upper"] <= 1
        assert 0 < row["n_effective"] <= row["n"]
        assert row["df"] == row["psus"] - row["strata"] > 0
        assert 0 <= row["events"] <= row["n"] <= row["eligible"]
        assert 0 < row["largest_weight_share"] <= 1
        assert 0 < row["largest_psu_share"] <= 1
        assert row["reliability"] in ("reliable", "review", "unreliable")


def test_categories_of_a_full_dimension_make_the_total(rows: list[dict[str, Any]]) -> None:
    totals = {row["indicator"]: row for row in rows if row["disaggregation"] == "total"}
    for name in ("sex", "residence", "wealth_quintile", "disability", "region", "sex_age"):
        for code in ("ACC4", "RCT7", "RSK1", "MED5"):
            parts = [r for r in rows if (r["indicator"], r["disaggregation"]) == (code, name)]
            assert sum(part["n"] for part in parts) == totals[code]["n"]
            assert sum(part["events"] for part in parts) == totals[code]["events"]


def test_the_order_of_records_and_the_scale_of_weights_do_not_matter(
    framework: Framework, manifest: Make, sources: tuple[pa.Table, pa.Table], rows: list[dict[str, Any]]
) -> None:
    child, parent = (table.take(list(range(table.num_rows))[::-1]) for table in sources)
    place = child.schema.get_field_index("weight")
    child = child.set_column(place, "weight", pa.array(child["weight"].to_numpy() * 1234.5))
    changed = estimate_wave(child, parent, manifest(), None, framework, as_of_year=2026).to_pylist()
    assert len(changed) == len(rows)
    for before, after in zip(rows, changed, strict=True):
        for name, value in before.items():
            if name == "weight" and value is not None:
                # It is the sum of the weights; those of parents stayed as they were.
                record = framework.indicators[before["indicator"]].definition.record
                grown = 1234.5 if record == "child" else 1
                assert after[name] == pytest.approx(grown * value, rel=1e-9), name
            elif isinstance(value, float):
                assert after[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
            else:
                assert after[name] == value, name
