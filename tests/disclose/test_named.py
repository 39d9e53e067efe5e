"""Named profiles: they add, and what takes away is refused with file and line."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from copstats.disclose.primary import decide
from copstats.disclose.profile import TIERS, load_profile, named_profiles, named_within
from copstats.errors import DefinitionError
from copstats.store.engine import memory_connection
from tests.disclose.estimates import FREE, cell, table

BASE = load_profile()
LARGER_IS_STRICTER = ("minimum_", "low_reliability_")


def reason(named: str | None, **changed: Any) -> str | None:
    with memory_connection(threads=1) as connection:
        decide(connection, table(cell(**changed)), load_profile(named=named), consent_level=FREE)
        ((found,),) = connection.sql("SELECT reason FROM decided").fetchall()
    return found


def test_the_profiles_that_a_home_may_choose() -> None:
    assert named_profiles() == ["mics", "nchs", "who_gshs"]


@pytest.mark.parametrize("name", named_profiles())
def test_a_named_profile_takes_nothing_away(name: str) -> None:
    of = load_profile(named=name)
    assert of.id == f"cop-1+{name}"
    assert named_within(of.id) == named_within(f"{of.id} {of.version}") == name
    assert named_within(BASE.id) is None and named_within(f"{BASE.id} {BASE.version}") is None
    for threshold, base in BASE.thresholds.given():
        for tier in TIERS:
            number = getattr(of.thresholds, threshold).tiers[tier]
            sign = 1 if threshold.startswith(LARGER_IS_STRICTER) else -1
            assert sign * number >= sign * base.tiers[tier], (threshold, tier)
    assert of.reasons == BASE.reasons and of.tables == BASE.tables and of.units == BASE.units
    assert of.limits == BASE.limits


@pytest.mark.parametrize("name", named_profiles())
def test_every_number_of_a_named_profile_has_its_source(name: str) -> None:
    for threshold, given in load_profile(named=name).thresholds.given():
        if given != getattr(BASE.thresholds, threshold):
            assert given.source.startswith(("Practice", "Standard")), threshold


def test_mics_is_what_the_framework_asks_for() -> None:
    of = load_profile(named="mics").thresholds
    assert (of.minimum_n.tiers, of.low_reliability_n.tiers) == ({"A": 25, "B": 50}, {"A": 50, "B": 100})


@pytest.mark.parametrize(("n", "tier", "found"), [(29, "A", "n"), (30, "A", None), (49, "B", "n")])
def test_nchs_asks_for_thirty_answers(n: int, tier: str, found: str | None) -> None:
    changed = {"n": n, "events": n // 2, "tier": tier, "estimate": 0.5, "ci_lower": 0.4, "ci_upper": 0.6}
    assert reason("nchs", **changed, n_effective=30.0, kg_lower=0.4, kg_upper=0.6) == found


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"n_effective": 29.9}, "unreliable"),
        ({"n_effective": 30.0}, None),
        ({"n_effective": None}, "unreliable"),
        ({"kg_lower": 0.125, "kg_upper": 0.425}, "unreliable"),  # as wide as 0.30
        ({"kg_lower": 0.125, "kg_upper": 0.42}, None),
        ({"kg_upper": None}, "unreliable"),
        # relative widths of 130 % and more, at an estimate of 0.04
        ({"estimate": 0.04, "kg_lower": 0.018, "kg_upper": 0.070}, None),
        ({"estimate": 0.04, "kg_lower": 0.018, "kg_upper": 0.071}, "unreliable"),
        ({"estimate": 0.01, "kg_lower": 0.002, "kg_upper": 0.052}, None),  # 500 %, but no wider than 0.05
    ],
    ids=str,
)
def test_nchs_asks_for_precision(changed: dict[str, Any], found: str | None) -> None:
    cell_of = {"ci_lower": 0.001, "ci_upper": 0.5} | changed
    assert reason("nchs", **cell_of) == found
    assert reason(None, **cell_of) is None, "the framework flags it and publishes it"


def test_precision_is_asked_of_proportions_only() -> None:
    median = {"unit": "YEARS", "events": 600, "estimate": 10.0, "ci_lower": 9.0, "ci_upper": 11.0}
    unknown = dict.fromkeys(("n_effective", "kg_lower", "kg_upper"))
    assert reason("nchs", indicator="ACC5", **median, **unknown) is None


def test_confidentiality_comes_before_precision() -> None:
    assert reason("nchs", events=2, n_effective=1.0) == "low"
    assert reason("nchs", largest_psu_share=0.9, n_effective=1.0) == "dominance"


@pytest.mark.parametrize(("n", "found"), [(100, "n"), (101, None)])
def test_gshs_shows_nothing_of_a_hundred_answers_or_fewer(n: int, found: str | None) -> None:
    assert reason("who_gshs", n=n, events=40) == found
    assert reason(None, n=n, events=40) is None


def test_an_unreliable_figure_is_no_secret() -> None:
    assert BASE.required_width("A", "unreliable", 60) == 0


@pytest.fixture
def project(tmp_path: Path, root: Path) -> Path:
    shutil.copytree(root / "schemas", tmp_path / "schemas")
    return tmp_path


def refused(project: Path, name: str) -> DefinitionError:
    with pytest.raises(DefinitionError) as problem:
        load_profile(root=project, named=name)
    assert problem.value.why and problem.value.hint
    return problem.value


@pytest.mark.parametrize("name", ["none", "../disclosure", "NCHS", "nchs.yaml"])
def test_an_unknown_profile_is_refused(project: Path, name: str) -> None:
    error = refused(project, name)
    assert (error.code, error.params["known"]) == ("R016", "mics, nchs, who_gshs")


@pytest.mark.parametrize(
    ("threshold", "tier", "number"),
    [
        ("minimum_n", "A", 24),
        ("minimum_n", "B", 49),
        ("low_reliability_n", "A", 49),
        ("minimum_events", "B", 9),
        ("minimum_psus", "A", 2),
        ("largest_psu_share", "B", 0.41),
        ("largest_weight_share", "A", 0.21),
        ("crossed_dimensions", "B", 3),
    ],
)
def test_a_looser_threshold_is_refused(project: Path, threshold: str, tier: str, number: float) -> None:
    text = f"""\
id: loose
version: 1.0.0
title: Looser
thresholds:
  {threshold}:
    rule: R1
    text: A text.
    source: A source.
    tiers: {{{tier}: {number}}}
"""
    (project / "schemas" / "cop-2026" / "disclosure" / "loose.yaml").write_text(text, "utf-8")
    error = refused(project, "loose")
    assert (error.code, error.where) == ("R017", "loose.yaml:9")
    assert error.params == {"tier": tier, "threshold": threshold}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("id: nchs", "id: other", "R018"),
        ("tiers: {A: 0.3, B: 0.3}", "tiers: {A: 0.3}", "R011"),
        ("title: National", "limits: {}\ntitle: National", "D002"),
        ("  minimum_effective_n:", "  minimum_answers:", "D002"),
    ],
)
def test_a_broken_named_profile_is_refused(project: Path, old: str, new: str, code: str) -> None:
    path = project / "schemas" / "cop-2026" / "disclosure" / "nchs.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    error = refused(project, "nchs")
    assert error.code == code and error.where.startswith("nchs.yaml:")
