"""Contrasts from kept cells: the numbers of R survey, and what holds for any sample."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from copstats.analyse import contrasts
from copstats.analyse.cells import Measure
from copstats.analyse.contrasts import Contrast, Estimates, Kept, Term
from copstats.analyse.design import SinglePsu, design_sql
from copstats.analyse.domains import Axis, Disaggregation
from copstats.analyse.kept import CellKeeper
from copstats.analyse.variance import estimate_measures
from copstats.errors import EstimationError
from copstats.store.engine import memory_connection

CATEGORIES: dict[str, Sequence[Any]] = {
    "sex": ("F", "M"),
    "agegrp": ("09-11", "12-14", "15-17"),
    "country": ("AAA", "BBB", "CCC"),
    "quint": (1, 2, 3, 4, 5),
    "stype": ("E", "H", "M"),
    "sch_wide": ("No", "Yes"),
    "wave": (1, 2, 3),
    "disab": (1,),
    "RIAGENDR": (1, 2),
    "agecat": ("(0,19]", "(19,39]", "(39,59]", "(59,Inf]"),
}
STANDARD = (0.34, 0.335, 0.325)
NHANES_STANDARD = (55901, 77670, 72816, 45364)


class Sample:
    """Kept cells of a design of the reference data, and the numbers of its domains."""

    def __init__(
        self, folder: Path, design: dict[str, Any], measures: dict[str, str], *crosses: tuple[str, ...]
    ) -> None:
        source = pa.csv.read_csv(folder / "data" / f"{design['dataset']}.csv")
        taken = {"stratum", "psu", "weight", "nh"}
        connection = memory_connection(threads=1)
        connection.register(
            "source",
            source.rename_columns([f"{c}_in_file" if c in taken else c for c in source.column_names]),
        )
        weight, psu = design["weights"], (design["ids"] or ["snum"])[0]
        weight = "weight_in_file" if weight == "weight" else weight
        fpc = f", {design['fpc'][0]} AS fpc_psu" if design.get("fpc") else ""
        where = f" WHERE {design['filter']}" if design.get("filter") else ""
        wave = (
            f"SELECT *, {weight} AS weight, {design.get('strata') or 1} AS stratum, {psu} AS psu{fpc}"
            f" FROM source{where}"
        )
        self.crosses = crosses
        self.keeper = CellKeeper()
        estimate_measures(
            connection,
            wave,
            design_sql([f"({wave})"], with_fpc=bool(fpc)),
            [Measure(name, sql) for name, sql in measures.items()],
            [Disaggregation("_".join(cross), tuple(map(axis, cross))) for cross in crosses],
            keep=self.keeper,
        )
        tables = self.keeper.tables([Disaggregation("_".join(c), tuple(map(axis, c))) for c in crosses])
        self.kept = Kept(tables["psu_design"], tables["psu_cells"])

    def term(self, measure: str, **levels: Any) -> Term:
        which = self.crosses.index(tuple(levels))
        number, factor = which, 100
        for name, level in levels.items():
            number += factor * (CATEGORIES[name].index(level) + 1)
            factor *= 10_000
        return Term(measure, number)

    def estimates(self, *terms: Term, single_psu: SinglePsu = "adjust") -> Estimates:
        return contrasts.estimates(self.kept, terms, single_psu)


def axis(name: str) -> Axis:
    whens = " ".join(f"WHEN '{code}' THEN {i}" for i, code in enumerate(CATEGORIES[name], 1))
    return Axis(name, f"dim_{name}", f"CASE {name}::VARCHAR {whens} END", tuple(map(str, CATEGORIES[name])))


@cache
def reference(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    content = json.loads((folder / "reference.json").read_text("utf-8"))
    return {d["id"]: d for d in content["designs"]}, {c["id"]: c for c in content["cases"]}


def results(s: Callable[..., Sample]) -> dict[str, dict[str, Contrast]]:
    """Case of the reference data -> its terms, computed here."""
    linear, ratio = contrasts.linear, contrasts.ratio
    standard = lambda found: contrasts.standardised(found, STANDARD)  # noqa: E731
    out: dict[str, dict[str, Contrast]] = {}
    for design in ("apiclus1", "apistrat"):
        api = s(design, {"api00": "api00"}, ("stype",), ("sch_wide",))
        e, h = (api.term("api00", stype=code) for code in "EH")
        out[f"{design}.contrast_E_minus_H"] = {"contrast": linear(api.estimates(e, h), (1, -1))}
        if design == "apiclus1":
            yes, no = (api.term("api00", sch_wide=code) for code in ("Yes", "No"))
            out["apiclus1.contrast_yes_no_within"] = {"contrast": linear(api.estimates(yes, no), (1, -1))}
            out["apiclus1.contrast_ratio"] = {"contrast": ratio(api.estimates(e, h))}

    nhanes = s("nhanes", {"chol": "HI_CHOL"}, ("RIAGENDR",), ("RIAGENDR", "agecat"), ("agecat",))
    sexes = [nhanes.term("chol", RIAGENDR=code) for code in (1, 2)]
    out["nhanes.sex_diff"] = {"contrast": linear(nhanes.estimates(*sexes), (1, -1))}
    by_age = lambda **sex: nhanes.estimates(  # noqa: E731
        *(nhanes.term("chol", **sex, agecat=band) for band in CATEGORIES["agecat"])
    )
    out["nhanes.standardize_total"] = {"HI_CHOL": contrasts.standardised(by_age(), NHANES_STANDARD)}
    out["nhanes.standardize_sex_lincomb"] = {
        f"sex{code}": contrasts.standardised(by_age(RIAGENDR=code), NHANES_STANDARD) for code in (1, 2)
    }

    three = s(
        "copABC",
        {"y": "y_online"},
        ("country",),
        ("country", "sex"),
        ("country", "quint"),
        ("country", "agegrp"),
    )
    countries = CATEGORIES["country"]
    each = three.estimates(*(three.term("y", country=c) for c in countries))
    out["copABC.regional_popweighted"] = {"region": linear(each, np.array([5.2, 1.7, 0.6]) / 7.5)}
    out["copABC.country_diff"] = {"contrast": linear(each, (1, -1, 0))}
    out["copABC.sex_ratio_by_country"] = {
        c: ratio(three.estimates(*(three.term("y", country=c, sex=sex) for sex in "FM"))) for c in countries
    }
    out["copABC.concentration_gap"] = {
        f"{c}_q5_q1": linear(three.estimates(*(three.term("y", country=c, quint=q) for q in (5, 1))), (1, -1))
        for c in ("AAA", "BBB")
    }
    ages = {c: [three.term("y", country=c, agegrp=a) for a in CATEGORIES["agegrp"]] for c in countries}
    out["copABC.std_country"] = {c: standard(three.estimates(*ages[c])) for c in countries}
    both = three.estimates(*ages["AAA"], *ages["BBB"])
    out["copABC.std_diff"] = {"contrast": linear(both, (*STANDARD, *(-x for x in STANDARD)))}

    one = s("copA", {"on": "y_online", "bully": "y_bully"}, (), ("disab",), ("agegrp",), ("sex", "agegrp"))
    some, everyone = one.term("on", disab=1), one.term("on")
    out["copA.subgroup_minus_all"] = {"contrast": linear(one.estimates(some, everyone), (1, -1))}
    out["copA.std_missing"] = {
        "y_bully": standard(one.estimates(*(one.term("bully", agegrp=a) for a in CATEGORIES["agegrp"])))
    }
    out["copA.std_by_sex_missing"] = {
        sex: standard(one.estimates(*(one.term("bully", sex=sex, agegrp=a) for a in CATEGORIES["agegrp"])))
        for sex in "FM"
    }

    waves = s("wave_indep", {"y": "y_online"}, ("wave",))
    found = waves.estimates(*(waves.term("y", wave=wave) for wave in (1, 2, 3)))
    out["wave_indep.diff31"] = {"contrast": linear(found, (-1, 0, 1))}
    out["wave_indep.linear_trend"] = {"contrast": linear(found, (-0.5, 0, 0.5))}
    pooled = s("wave_panel", {"y": "y_online"}, ("wave",))
    change = pooled.estimates(*(pooled.term("y", wave=wave) for wave in (2, 1)))
    out["wave_panel.diff"] = {"contrast": linear(change, (1, -1))}
    for option in ("remove", "certainty", "average", "adjust"):
        lonely = s("copD", {"y": "y_online"}, ("sex",))
        gap = lonely.estimates(*(lonely.term("y", sex=sex) for sex in "FM"), single_psu=option)
        out[f"copD.lonely_{option}.sexdiff"] = {"contrast": linear(gap, (1, -1))}
    return out


@pytest.mark.reference
def test_contrasts_are_those_of_r_survey(shared: Path) -> None:
    folder = shared / "reference" / "estimation"
    designs, cases = reference(folder)
    made = results(lambda name, measures, *crosses: Sample(folder, designs[name], measures, *crosses))
    compared, seen = 0, set()
    for name, terms in made.items():
        if name not in cases:
            continue
        seen.add(name)
        wanted = {(r["term"], r["stat"]): r["value"] for r in cases[name]["results"]}
        for term, found in terms.items():
            for stat, value in (("est", found.value), ("se", found.se)):
                assert math.isclose(value, wanted[term, stat], rel_tol=1e-9), (name, term, stat, value)
                compared += 1
    assert len(seen) >= 20
    assert compared >= 50


@pytest.mark.reference
def test_waves_kept_apart_give_what_they_give_together(shared: Path) -> None:
    folder = shared / "reference" / "estimation"
    designs, cases = reference(folder)
    table = pa.csv.read_csv(folder / "data" / "copwaves.csv")
    for design, joined in (("wave_panel", "panel"), ("wave_indep", "independent")):
        parts = []
        for wave in (2, 1):
            one = designs[design] | {"filter": f"wave = {wave}"}
            sample = Sample(folder, one, {"y": "y_online"}, ())
            ids, strata = one["ids"][0], one["strata"]
            rows = table.filter(pa.compute.equal(table["wave"], wave))
            keys = sorted(set(zip(rows[strata].to_pylist(), rows[ids].to_pylist(), strict=True)))
            kept = Kept(
                sample.kept.design.append_column("panel_stratum", [[k[0] for k in keys]]).append_column(
                    "panel_psu", [[k[1] for k in keys]]
                ),
                sample.kept.cells,
            )
            parts.append((kept, [sample.term("y")]))
        together = (
            contrasts.panel(parts)
            if joined == "panel"
            else contrasts.independent([contrasts.estimates(*part) for part in parts])
        )
        found = contrasts.linear(together, (1, -1))
        if design == "wave_panel":
            wanted = {r["stat"]: r["value"] for r in cases["wave_panel.diff"]["results"]}
            assert math.isclose(found.value, wanted["est"], rel_tol=1e-9)
            assert math.isclose(found.se, wanted["se"], rel_tol=1e-9)
            assert together.covariance[0, 1] > 0
        else:
            by = {(r["term"], r["stat"]): r["value"] for r in cases["wave_indep.by"]["results"]}
            assert math.isclose(found.se, math.hypot(by["1", "se"], by["2", "se"]), rel_tol=1e-9)


def small(**change: Any) -> Kept:
    design = {"unit": [0, 1, 2, 3], "stratum_no": [1, 1, 2, 2], "psus": [2.0] * 4, "taken": [0.0] * 4}
    cells = {"domain": [0] * 4, "unit": [0, 1, 2, 3], "w": [2.0, 2.0, 1.0, 3.0], "n": [2.0, 1, 1, 1]}
    cells |= {"wy_Y": [1.0, 2.0, 0.0, 3.0]}
    return Kept(pa.table(design | change), pa.table(cells))


def test_a_variance_by_hand() -> None:
    # The sample of test_variance: p = 0.75, residuals -1/16, 1/16, -3/32, 3/32.
    found = contrasts.estimates(small(), [Term("Y", 0)])
    assert found.value[0] == 0.75
    assert math.isclose(found.covariance[0, 0], 4 * (1 / 16) ** 2 + 4 * (3 / 32) ** 2, rel_tol=1e-15)
    assert found.df == 2


def test_an_estimate_less_itself_is_exactly_certain() -> None:
    found = contrasts.estimates(small(), [Term("Y", 0), Term("Y", 0)])
    assert contrasts.linear(found, (1, -1)) == Contrast(0.0, 0.0, 2)


def test_an_empty_group_leaves_no_standardised_rate() -> None:
    found = contrasts.estimates(small(), [Term("Y", 0), Term("Y", 7)])
    rate = contrasts.standardised(found, (1, 1))
    assert math.isnan(rate.value)
    assert math.isnan(rate.se)


def test_what_cannot_be_answered_is_refused() -> None:
    with pytest.raises(EstimationError) as refused:
        contrasts.estimates(small(), [Term("Z", 0)])
    assert refused.value.code == "E010"
    with pytest.raises(EstimationError) as refused:
        contrasts.estimates(small(stratum_no=[1, 1, 1, 2]), [Term("Y", 0)], "fail")
    assert refused.value.code == "E005"
    with pytest.raises(EstimationError) as refused:
        contrasts.panel([(small(), [Term("Y", 0)])])
    assert refused.value.code == "E011"
