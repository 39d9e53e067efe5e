"""Groups of a survey and rounds of it held against each other, on records of which everything is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from copstats.analyse.groups import group_errors
from copstats.analyse.rounds import Round, consecutive, round_pairs
from copstats.analyse.wave import estimate_wave
from copstats.framework.loader import Framework, load_framework
from copstats.framework.manifest import Crosswalk, SurveyManifest, Wording
from copstats.framework.manifest import Mapping as Recoding
from tests.analyse.test_wave import synthetic

Make = Callable[..., SurveyManifest]
PANEL = {"design": {"overlap": "psus"}, "ethics": {"panel_linkage": True}}
CODE, ANSWER, FILTER = "SKL1", "skl_privacy", "net_3m"


@pytest.fixture(scope="module")
def records(framework: Framework) -> pa.Table:
    return synthetic(framework, "child", 600)


def estimated(
    records: pa.Table, of: SurveyManifest, framework: Framework, crosswalk: Crosswalk | None = None
) -> Round:
    cells: dict[str, pa.Table] = {}
    found = estimate_wave(records, None, of, crosswalk, framework, as_of_year=2026, keep=cells.update)
    return Round(of, crosswalk, found, cells)


@pytest.fixture(scope="module")
def earlier(records: pa.Table, manifest: Make, framework: Framework) -> Round:
    return estimated(records, manifest(reference_year=2023, **PANEL), framework)


@pytest.fixture(scope="module")
def later(records: pa.Table, manifest: Make, framework: Framework) -> Round:
    """Other answers of the children of the same PSUs."""
    return estimated(answered_later(records), manifest(**PANEL), framework)


def answered_later(records: pa.Table) -> pa.Table:
    turned = pc.if_else(pc.less(pc.random(len(records), initializer=7), 0.3), 0, records[ANSWER])
    return records.set_column(records.column_names.index(ANSWER), ANSWER, turned)


def linearised(records: pa.Table, chosen: npt.NDArray[np.bool_]) -> tuple[float, npt.NDArray[np.float64]]:
    """Share of yes among the chosen users, and what each record adds to its error (Woodruff 1971)."""
    weight, answer = records["weight"].to_numpy(), records[ANSWER].to_numpy()
    asked = chosen & (records[FILTER].to_numpy() == 1) & (answer >= 0)
    total = weight[asked].sum()
    share = (weight * (answer == 1))[asked].sum() / total
    return float(share), np.where(asked, weight * ((answer == 1) - share) / total, 0.0)


def error(records: pa.Table, scores: npt.NDArray[np.float64]) -> float:
    """Standard error of a sum over PSUs drawn within strata."""
    strata, psus = records["stratum"].to_pylist(), records["psu"].to_pylist()
    sums: dict[str, dict[str, float]] = {}
    for stratum, psu, score in zip(strata, psus, scores, strict=True):
        of_stratum = sums.setdefault(stratum, {})
        of_stratum[psu] = of_stratum.get(psu, 0.0) + score
    return float(np.sqrt(sum(len(one) * np.var(list(one.values()), ddof=1) for one in sums.values())))


def one(table: pa.Table, **where: str) -> dict[str, Any]:
    rows = [row for row in table.to_pylist() if all(row[name] == value for name, value in where.items())]
    assert len(rows) == 1
    return rows[0]


def total(table: pa.Table, **where: str) -> dict[str, Any]:
    names = ("sex", "age", "residence", "wealth_quintile", "disability", "education", "region")
    return one(table, **(dict.fromkeys(names, "_T") | {"indicator": CODE} | where))


def test_the_error_between_girls_and_boys_holds_their_covariance(
    records: pa.Table, earlier: Round, framework: Framework
) -> None:
    found = group_errors(earlier.estimates, earlier.cells, earlier.manifest, framework)
    row = one(found, indicator=CODE, dimension="sex", group_a="F", group_b="M")
    codes = framework.codes(framework.variables("child")["sex"])
    sex = np.array([codes[value].sdmx for value in records["sex"].to_pylist()])
    girls, boys = (linearised(records, sex == code)[1] for code in "FM")
    assert row["samples"] == "covariance"
    assert row["se"] == pytest.approx(error(records, girls - boys), rel=1e-12)
    assert row["df"] == 16


def test_without_sums_by_psu_the_error_is_the_largest_possible(earlier: Round, framework: Framework) -> None:
    known = group_errors(earlier.estimates, earlier.cells, earlier.manifest, framework).to_pylist()
    bound = group_errors(earlier.estimates, None, earlier.manifest, framework).to_pylist()
    key = ("indicator", "dimension", "group_a", "group_b")
    assert [[row[name] for name in key] for row in known] == [[row[name] for name in key] for row in bound]
    assert {row["samples"] for row in bound} == {"bound"}
    assert len(known) > 500 and all(a["se"] <= b["se"] + 1e-12 for a, b in zip(known, bound, strict=True))


def test_ages_follow_each_other_and_every_pair_stands_once(earlier: Round, framework: Framework) -> None:
    found = group_errors(earlier.estimates, earlier.cells, earlier.manifest, framework)
    rows = [row for row in found.to_pylist() if (row["indicator"], row["dimension"]) == (CODE, "age")]
    pairs = [(row["group_a"], row["group_b"]) for row in rows]
    assert pairs == [("Y9T11", "Y12T14"), ("Y9T11", "Y15T17"), ("Y12T14", "Y15T17")]


def test_linked_rounds_share_their_psus(
    records: pa.Table, earlier: Round, later: Round, framework: Framework
) -> None:
    row = total(round_pairs(earlier, later, framework))
    changed = answered_later(records)
    everybody = np.ones(len(records), bool)
    before, after = linearised(records, everybody), linearised(changed, everybody)
    assert row["samples"] == "linked" and row["df"] == 16
    assert row["se"] == pytest.approx(error(records, after[1] - before[1]), rel=1e-12)
    apart = np.hypot(total(earlier.estimates)["se"], total(later.estimates)["se"])
    assert row["se"] < apart


@pytest.mark.parametrize(
    ("overlap", "samples"),
    [("none", "independent"), ("psus", "assumed_independent")],
    ids=["new PSUs", "the same PSUs, not linked"],
)
def test_other_rounds_count_as_independent(
    earlier: Round, later: Round, manifest: Make, overlap: str, samples: str
) -> None:
    unlinked = Round(manifest(design={"overlap": overlap}), None, later.estimates, later.cells)
    row = total(round_pairs(earlier, unlinked, load_framework()))
    apart = np.hypot(total(earlier.estimates)["se"], total(later.estimates)["se"])
    assert row["samples"] == samples
    assert row["se"] == pytest.approx(apart, rel=1e-12) and row["df"] == 32


def test_no_panel_keys_are_kept_of_a_wave_that_is_in_no_panel(
    records: pa.Table, earlier: Round, manifest: Make, framework: Framework
) -> None:
    alone = estimated(records, manifest(), framework)
    assert earlier.cells is not None and alone.cells is not None
    keys = {"panel_stratum", "panel_psu"}
    assert keys <= set(earlier.cells["child_psu_design"].column_names)
    assert not keys & set(alone.cells["child_psu_design"].column_names)


def asked(recall: str) -> Crosswalk:
    wording = Wording(kind="identical", recall=recall)
    return Crosswalk(framework="cop-2026", child={"rcd_cybervic": Recoding(wording=wording)})


def test_two_rounds_of_different_recall_are_not_comparable(
    earlier: Round, later: Round, framework: Framework
) -> None:
    """Thailand, cyberbullying: 33.3 per cent in 2013 and 15.0 in 2021, of different periods and questions."""
    classes: Mapping[str, str] = {
        recall: total(
            round_pairs(
                Round(earlier.manifest, asked(recall), earlier.estimates),
                Round(later.manifest, asked("12 months"), later.estimates),
                framework,
            ),
            indicator="RCD4",
        )["comparability"]
        for recall in ("12 months", "30 days")
    }
    assert classes["12 months"] < "C" and classes["30 days"] == "C"


def test_rounds_that_differ_from_the_framework_in_opposite_ways_are_not_comparable(
    earlier: Round, later: Round, framework: Framework
) -> None:
    """Six and eighteen months are each half of a year away from it, and a third of each other."""
    pair = round_pairs(
        Round(earlier.manifest, asked("6 months"), earlier.estimates),
        Round(later.manifest, asked("18 months"), later.estimates),
        framework,
    )
    row = total(pair, indicator="RCD4")
    assert row["comparability"] == "C" and "recall" in row["comparability_reasons"].split(";")
    assert total(pair)["comparability"] < "C"


def test_the_age_of_the_data_sets_no_rounds_apart(
    records: pa.Table, later: Round, manifest: Make, framework: Framework
) -> None:
    old = estimated(
        records,
        manifest(reference_year=2010, fieldwork={"start": "2010-03-01", "end": "2010-04-30"}),
        framework,
    )
    assert total(old.estimates)["comparability"] == "C"
    assert total(round_pairs(old, later, framework))["comparability"] == "A"


def test_rounds_follow_each_other_within_a_survey_of_a_country(manifest: Make) -> None:
    made = [
        manifest(reference_year=year, survey=survey, ref_area=area)
        for year, survey, area in (
            (2026, "COPS", "XAA"),
            (2020, "COPS", "XAA"),
            (2023, "COPS", "XAA"),
            (2025, "GSHS", "XAA"),
            (2025, "COPS", "XBB"),
        )
    ]
    pairs = [(a.reference_year, b.reference_year, b.survey, b.ref_area) for a, b in consecutive(made)]
    assert pairs == [(2020, 2023, "COPS", "XAA"), (2023, 2026, "COPS", "XAA")]
