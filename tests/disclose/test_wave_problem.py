"""From the estimates of a wave to what is withheld: what the attacker's system holds."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from copstats.disclose import load_profile, protect
from copstats.disclose.relations import cells_of, relations_of, wave_problem
from copstats.errors import ConfidentialityError
from copstats.framework import load_framework
from copstats.store.schemas import ATTACKER, DIMENSIONS
from tests.disclose.estimates import FREE, SUBMISSION, cell, table

PROFILE, FRAMEWORK = load_profile(), load_framework()
AGES = ("Y9T11", "Y12T14", "Y15T17")


def group(n: int, events: int, weight: float, share: float, **where: Any) -> dict[str, Any]:
    return cell(
        **where,
        n=n,
        events=events,
        weight=weight,
        estimate=share,
        se=0.02,
        ci_lower=max(share - 0.04, 0),
        ci_upper=min(share + 0.04, 1),
        largest_weight_share=min(2 / max(n, 10), 0.2),
    )


def tabulated(
    seed: int, n: int, share: float, unknown: float, indicator: str = "RCD4"
) -> list[dict[str, Any]]:
    """Cells of sex, age and their cross of invented children, some without a category."""
    random = np.random.default_rng(seed)
    sex = np.where(random.random(n) < unknown, "?", random.choice(["F", "M"], n, p=[0.7, 0.3]))
    age = np.where(random.random(n) < unknown, "?", random.choice(AGES, n, p=[0.1, 0.4, 0.5]))
    weight = random.lognormal(0, 0.4, n)
    yes = random.random(n) < share
    found = []
    for wanted in [
        ("_T", "_T"),
        *((s, "_T") for s in "FM"),
        *((s, a) for s in ("_T", "F", "M") for a in AGES),
    ]:
        inside = ((sex == wanted[0]) | (wanted[0] == "_T")) & ((age == wanted[1]) | (wanted[1] == "_T"))
        if not inside.any():
            continue
        named = [name for name, code in zip(("sex", "age"), wanted, strict=True) if code != "_T"]
        heaviest = weight[inside].sum()
        one = group(
            int(inside.sum()),
            int(yes[inside].sum()),
            float(heaviest),
            float(weight[inside & yes].sum() / heaviest),
            indicator=indicator,
            disaggregation="_".join(named) or "total",
            sex=wanted[0],
            age=wanted[1],
        )
        one["largest_weight_share"] = min(float(weight[inside].max() / heaviest), 0.2)
        found.append(one)
    return found


def intervals(attacker: list[dict[str, Any]], values: list[dict[str, Any]]) -> dict[tuple[str, str], float]:
    """Width in respondents of every secret of sex by age: an attack of its own, with unknown categories."""
    key = {(row["sex"], row["age"]): row for row in attacker}
    shown = {(row["sex"], row["age"]): row["value"] for row in values}
    atoms = [(s, a) for s in ("F", "M", "?") for a in (*AGES, "?")]

    def under(cell_: tuple[str, str], atom: tuple[str, str]) -> bool:
        return all(c in ("_T", x) for c, x in zip(cell_, atom, strict=True))

    n = {at: _atom(key, at, "n") for at in atoms}
    weight = {at: max(_atom(key, at, "weight"), 0.0) if n[at] else 0.0 for at in atoms}
    matrix, limits = [], []
    for at, row in key.items():
        step = 0.001 if row["n"] >= 1000 else 0.01
        low, high = 0.0, 1.0
        if shown[at] is not None:
            low, high = shown[at] / 100 - step / 2, shown[at] / 100 + step / 2
        elif row["reason"] == "low":
            high = row["coded_limit"]
        elif row["reason"] == "high":
            low = 1 - row["coded_limit"]
        line = [float(under(at, atom)) for atom in atoms]
        matrix += [line, [-x for x in line]]
        limits += [high * row["weight"] + 1e-9, -low * row["weight"] + 1e-9]
    bounds = [(0, weight[atom]) for atom in atoms]
    widths = {}
    for at, row in key.items():
        if row["reason"] in ("n", "psus", "dominance", "low", "high") and row["n"]:
            line = np.array([float(under(at, atom)) for atom in atoms])
            least, most = (linprog(side * line, matrix, limits, bounds=bounds) for side in (1, -1))
            assert least.status == most.status == 0
            widths[at] = (-most.fun - least.fun) / row["weight"] * row["n"]
    return widths


def _atom(key: dict[tuple[str, str], dict[str, Any]], at: tuple[str, str], of: str) -> float:
    """Inclusion and exclusion: who has no category is what the categories leave."""
    sexes = [("_T", 1), ("F", -1), ("M", -1)] if at[0] == "?" else [(at[0], 1)]
    ages = [("_T", 1), *((a, -1) for a in AGES)] if at[1] == "?" else [(at[1], 1)]
    return sum(i * j * key[s, a][of] for s, i in sexes for a, j in ages if (s, a) in key)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n=st.sampled_from([90, 200, 400, 1100]),
    share=st.sampled_from([0.01, 0.05, 0.3, 0.97]),
    unknown=st.sampled_from([0.0, 0.02]),
)
def test_no_secret_of_an_invented_wave_is_narrower_than_its_protection(
    seed: int, n: int, share: float, unknown: float
) -> None:
    found = protect(
        table(*tabulated(seed, n, share, unknown)), PROFILE, consent_level=FREE, framework=FRAMEWORK
    )
    attacker = found.attacker.to_pylist()
    widths = intervals(attacker, found.values.to_pylist())
    events = PROFILE.thresholds.minimum_events.tiers["A"]
    for row in attacker:
        if (row["sex"], row["age"]) in widths:
            coded = row["reason"] in ("low", "high")
            needed = events - 1 if coded else min(events, row["n"])
            assert widths[row["sex"], row["age"]] >= needed - 1e-5


def test_a_cell_that_follows_from_two_others_takes_one_of_them_along() -> None:
    cells = [
        group(1500, 375, 1500.0, 0.25),
        group(20, 5, 20.0, 0.25, disaggregation="sex", sex="F"),
        group(1480, 370, 1480.0, 0.25, disaggregation="sex", sex="M"),
    ]
    found = protect(table(*cells), PROFILE, consent_level=FREE, framework=FRAMEWORK)
    reasons = {row["sex"]: row["reason"] for row in found.values.to_pylist()}
    assert reasons == {"_T": None, "F": "n", "M": "secondary"}
    shown = {row["sex"]: row for row in found.values.to_pylist()}["M"]
    assert (shown["obs_status"], shown["obs_conf"], shown["n_band"]) == ("Q", "D", None)
    assert found.attacker.schema.equals(ATTACKER)
    assert Counter(row["reason"] for row in found.attacker.to_pylist()) == {None: 1, "n": 1, "secondary": 1}
    assert [(r["reason"], r["cells"]) for r in found.costs.to_pylist()] == [("n", 1), ("secondary", 1)]


def test_a_wave_of_totals_has_no_relations_to_break() -> None:
    cells = [
        group(1500, 375, 1500.0, 0.25),
        group(20, 5, 20.0, 0.25, disaggregation="sex", sex="F"),
        group(1480, 370, 1480.0, 0.25, disaggregation="sex", sex="M"),
    ]
    found = protect(table(*cells), PROFILE, consent_level={SUBMISSION: "national"}, framework=FRAMEWORK)
    (row,) = found.values.to_pylist()
    assert row["reason"] is None and all(row[name] == "_T" for name in DIMENSIONS)
    assert found.attacker.num_rows == 1


def test_who_has_no_category_is_protected_too() -> None:
    """Five children of whom the disability is not known follow from three shares, but for the rounding."""
    one = {"disaggregation": "disability"}
    cells = [
        group(1505, 300, 1505.0, 300 / 1505),
        group(1390, 277, 1390.0, 277 / 1390, **one, disability="PWD"),
        group(110, 21, 110.0, 21 / 110, **one, disability="PD"),
    ]
    found = protect(table(*cells), PROFILE, consent_level=FREE, framework=FRAMEWORK)
    reasons = {row["disability"]: row["reason"] for row in found.values.to_pylist()}
    assert reasons == {"_T": None, "PWD": None, "PD": "secondary"}
    complete = [
        cells[0],
        cells[1] | {"n": 1395, "weight": 1395.0, "events": 279, "estimate": 279 / 1395},
        cells[2],
    ]
    found = protect(table(*complete), PROFILE, consent_level=FREE, framework=FRAMEWORK)
    assert all(row["reason"] is None for row in found.values.to_pylist())


def test_any_of_gives_its_members_away() -> None:
    """Who met one of three forms is rare: then so is who met the first, whatever its own cell hides."""
    member = group(600, 8, 600.0, 0.006, indicator="RCT4", tier="B") | {"psus": 1}
    rare = group(600, 12, 600.0, 0.008, indicator="RCT7", tier="B")
    often = group(600, 60, 600.0, 0.1, indicator="RCT7", tier="B")
    for composite, reason in ((rare, "secondary"), (often, None)):
        found = protect(table(member, composite), PROFILE, consent_level=FREE, framework=FRAMEWORK)
        reasons = {row["indicator"]: row["reason"] for row in found.values.to_pylist()}
        assert reasons == {"RCT4": "psus", "RCT7": reason}


def test_one_child_who_breaks_a_filter_does_not_unmake_a_relation() -> None:
    """Who met somebody has met somebody new: 40 and 41 children, as one of them was asked by mistake."""
    known = group(600, 40, 600.0, 40 / 600, indicator="RCT1", tier="B")
    met = group(600, 41, 600.0, 41 / 600, indicator="RCT2", tier="B")
    relations = [relations_of(FRAMEWORK, ["RCT1", "RCT2"], "child")]
    rows = [_as_read(one, number) for number, one in enumerate((known, met))]
    system = wave_problem(cells_of(rows), relations).system
    (row,) = np.flatnonzero((system.rows.toarray() == [-1, 1]).all(axis=1))
    assert system.row_upper[row] == pytest.approx(1)


def _as_read(of: dict[str, Any], number: int) -> dict[str, Any]:
    return of | {
        "cell": number,
        "statistic": "proportion",
        "eligible_weight": of["weight"],
        "share": of["estimate"],
        "share_lower": None,
        "share_upper": None,
        "protected": True,
        "coded": False,
        "reason": "psus",
        "minimum_n": 50,
        "minimum_events": 10,
        "reliable": True,
    }


def test_shares_among_those_who_answered_yes_give_their_number_away() -> None:
    """Upset children by sex follow from the shares of those who were very upset, among both and among all."""
    cells = []
    for sex, n, upset, very in (("_T", 1000, 500, 250), ("F", 980, 490, 245), ("M", 20, 10, 5)):
        where = {"disaggregation": "total" if sex == "_T" else "sex", "sex": sex}
        cells += [
            group(n, upset, float(n), upset / n, indicator="HRM1", **where),
            group(upset, very, float(upset), very / upset, indicator="HRM2", tier="B", **where)
            | {"nonresponse": 0.0},
        ]
    found = protect(table(*cells), PROFILE, consent_level=FREE, framework=FRAMEWORK).values.to_pylist()
    reasons = {(row["indicator"], row["sex"]): row["reason"] for row in found}
    assert reasons["HRM1", "M"] == reasons["HRM2", "M"] == "n"
    assert "secondary" in reasons.values()


@pytest.mark.parametrize(
    "changed", [{"n": 1400}, {"weight": 1e9}, {"estimate": 0.99, "ci_upper": 1.0}], ids=str
)
def test_cells_that_do_not_add_up_are_refused(changed: dict[str, Any]) -> None:
    cells = [
        group(1000, 250, 1000.0, 0.25),
        group(500, 125, 500.0, 0.25, disaggregation="sex", sex="F") | changed,
        group(500, 125, 500.0, 0.25, disaggregation="sex", sex="M"),
    ]
    with pytest.raises(ConfidentialityError) as problem:
        protect(table(*cells), PROFILE, consent_level=FREE, framework=FRAMEWORK)
    assert problem.value.code == "C103" and problem.value.where == SUBMISSION
