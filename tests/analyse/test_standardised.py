"""Standard errors of standardised proportions: those of R survey, and of a formula written out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from msgspec import structs

from copstats.analyse.standardised import standardised_errors
from copstats.framework import Framework
from copstats.framework.manifest import SurveyManifest
from copstats.framework.standard_population import standard_shares
from tests.analyse.test_contrasts import STANDARD, Sample, reference

Make = Callable[..., SurveyManifest]
GROUPS = [(sex, age) for sex in ("F", "M") for age in ("Y9T11", "Y12T14", "Y15T17")]


def weighted(framework: Framework, *weights: float) -> Framework:
    """The framework with other shares of the age bands."""
    ages = framework.head.ages
    bands = [structs.replace(b, standard_weight=w) for b, w in zip(ages.bands, weights, strict=True)]
    return replace(framework, head=structs.replace(framework.head, ages=structs.replace(ages, bands=bands)))


def domains(numbers: Mapping[tuple[str, str], int]) -> pa.Table:
    rows = [
        {"domain": number, "disaggregation": "sex_age", "sex": sex, "age": age}
        for (sex, age), number in numbers.items()
    ]
    return pa.Table.from_pylist(rows)


def by_sex(found: pa.Table, indicator: str = "RCD4") -> dict[str, dict[str, Any]]:
    return {row["sex"]: row for row in found.to_pylist() if row["indicator"] == indicator}


@pytest.mark.reference
def test_errors_are_those_of_r_survey(shared: Path, framework: Framework, manifest: Make) -> None:
    """Both sexes: half of each, their covariance counted."""
    folder = shared / "reference" / "estimation"
    designs, cases = reference(folder)
    sample = Sample(folder, designs["copA"], {"RCD4": "y_bully"}, ("sex", "agegrp"))
    in_file = dict(zip(("Y9T11", "Y12T14", "Y15T17"), ("09-11", "12-14", "15-17"), strict=True))
    numbers = {(s, a): sample.term("RCD4", sex=s, agegrp=in_file[a]).domain for s, a in GROUPS}
    tables = {
        "child_psu_design": sample.kept.design,
        "child_psu_cells": sample.kept.cells,
        "child_domains": domains(numbers),
    }
    found = by_sex(standardised_errors(tables, manifest(), weighted(framework, *STANDARD)))
    wanted = {(r["term"], r["stat"]): r["value"] for r in cases["copA.std_by_sex_missing"]["results"]}
    for sex in "FM":
        assert math.isclose(found[sex]["se"], wanted[sex, "se"], rel_tol=1e-9)
    both = wanted["F", "se"] ** 2 + wanted["M", "se"] ** 2 + 2 * wanted["F|M", "cov"]
    assert math.isclose(found["_T"]["se"], math.sqrt(both) / 2, rel_tol=1e-9)


def records() -> dict[str, np.ndarray[Any, Any]]:
    random = np.random.default_rng(8)
    n = 900
    return {
        "unit": random.integers(0, 20, n),
        "group": random.integers(0, 6, n),
        "w": random.uniform(0.5, 3, n),
        "y": random.integers(0, 2, n).astype(float),
    }


def kept(of: dict[str, np.ndarray[Any, Any]]) -> dict[str, pa.Table]:
    """Sums by PSU of 20 PSUs, 4 to a stratum."""
    unit = np.arange(20)
    design = {"unit": unit, "stratum_no": unit // 4, "psus": np.full(20, 4.0), "taken": np.zeros(20)}
    columns: dict[str, list[Any]] = {name: [] for name in ("domain", "unit", "w", "n", "wy_RCD4")}
    for u in unit:
        for g in range(6):
            here = (of["unit"] == u) & (of["group"] == g)
            if here.any():
                sums = (g, u, of["w"][here].sum(), float(here.sum()), (of["w"] * of["y"])[here].sum())
                for name, value in zip(columns, sums, strict=True):
                    columns[name].append(value)
    numbers = {group: number for number, group in enumerate(GROUPS)}
    return {
        "child_psu_design": pa.table(design),
        "child_psu_cells": pa.table(columns),
        "child_domains": domains(numbers),
    }


def test_the_variance_is_that_of_the_linearised_records(framework: Framework, manifest: Make) -> None:
    """Ultimate clusters: sum over strata of n / (n - 1) times the squared deviations of the PSUs' totals."""
    of = records()
    found = by_sex(standardised_errors(kept(of), manifest(), framework))
    for sex, chosen in (("_T", range(6)), ("F", range(3)), ("M", range(3, 6))):
        score = np.zeros(len(of["w"]))
        for group in chosen:
            here = of["group"] == group
            total = of["w"][here].sum()
            mean = (of["w"] * of["y"])[here].sum() / total
            score[here] += of["w"][here] * (of["y"][here] - mean) / total / len(chosen)
        psu = np.bincount(of["unit"], score, 20).reshape(5, 4)
        variance = 4 / 3 * ((psu - psu.mean(axis=1, keepdims=True)) ** 2).sum()
        assert math.isclose(found[sex]["se"], math.sqrt(variance), rel_tol=1e-9)
        assert found[sex]["df"] == 15


def test_a_group_without_answers_leaves_no_error(framework: Framework, manifest: Make) -> None:
    of = records()
    of["group"][of["group"] == 0] = 1
    assert by_sex(standardised_errors(kept(of), manifest(), framework)).keys() == {"M"}


def test_replicate_weights_are_not_taken_for_a_design(framework: Framework, manifest: Make) -> None:
    replicated = manifest(
        design={"replicate_weights": {"columns": ["r1", "r2"], "type": "BRR"}},
    )
    assert standardised_errors(kept(records()), replicated, framework).num_rows == 0


def test_shares_are_those_of_the_indicators_ages(framework: Framework) -> None:
    def shares(code: str, sex: str) -> dict[tuple[str, str], float]:
        return standard_shares(framework, framework.indicators[code].definition, sex)

    assert shares("RCD4", "_T") == pytest.approx(dict.fromkeys(GROUPS, 1 / 6))
    older = [("M", "Y12T14"), ("M", "Y15T17")]
    assert shares("RCT3", "M") == pytest.approx(dict.fromkeys(older, 1 / 2))
    assert shares("ACC5", "_T") == {}, "a median"
    assert shares("MED6", "_T") == {}, "no table of sex by age"
    cut = structs.replace(
        framework.indicators["RCD4"].definition,
        ages=structs.replace(framework.indicators["RCD4"].definition.ages, minimum=13),
    )
    assert standard_shares(framework, cut, "_T") == {}, "13 to 17 cuts through a band"
