"""Attacks on published values: each succeeds on an unprotected twin and fails on what the gate publishes.

Numbers are those of the list of attacks in docs/disclosure.md. The attackers here are written by themselves:
they read the published table and do arithmetic, fractions, least squares and scipy's linear programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy.optimize import nnls

from copstats.disclose import protect
from copstats.disclose.audit import Audit, Published, audit_values
from copstats.store.schemas import DIMENSIONS
from tests.attack.linear import half_step, intervals, key_of, known_cells
from tests.attack.surveys import FRAMEWORK, PROFILE, Survey, Twin, survey, unprotected

Row = dict[str, Any]
REGIONS = [f"XA-{r}" for r in range(8)]
FEW = ("HLP1", "ACC4", "RCN1", "SKL4")
"""Indicators on which linear programs of scipy are tried where all would take long."""


@cache
def estimates_of(n: int, equal_weights: bool = False, missing: float = 0.0) -> pa.Table:
    return survey(n, equal_weights=equal_weights, missing=missing).estimates()


def gate(estimates: pa.Table) -> Twin:
    (submission,) = set(estimates["submission_id"].to_pylist())
    out = protect(estimates, PROFILE, consent_level={submission: "disaggregated"}, framework=FRAMEWORK)
    return Twin(out.values, out.attacker)


@cache
def published(n: int = 1500, missing: float = 0.0) -> Twin:
    return gate(estimates_of(n, missing=missing))


def audited(release: Twin, *earlier: Twin) -> Audit:
    before = [Published(str(k), one.values, one.attacker) for k, one in enumerate(earlier)]
    return audit_values(release.values, release.attacker, FRAMEWORK, PROFILE, earlier=before)


def cells(table: pa.Table, **where: Any) -> Iterator[Row]:
    return (row for row in table.to_pylist() if all(row[name] == value for name, value in where.items()))


def shown(values: pa.Table) -> dict[tuple[Any, ...], Row]:
    return {
        (row["indicator"], key_of(row)): row
        for row in values.to_pylist()
        if row["value"] is not None and row["unit_measure"] == "PCNT"
    }


def solutions(share: float, half: float, sizes: range) -> set[tuple[int, int]]:
    """Return (x, n): the fractions that round to a share."""
    n = np.array(sizes)
    first, last = np.ceil((share - half) * n - 1e-9), np.floor((share + half) * n + 1e-9)
    return {
        (x, m)
        for m, a, b in zip(n.tolist(), first, last, strict=True)
        for x in range(int(max(a, 0)), int(b) + 1)
    }


def test_1_no_fraction_is_the_only_one() -> None:
    """Without weights a share is a fraction of whole numbers: six decimals name it."""
    estimates = estimates_of(1500, equal_weights=True)
    figures = shown(gate(estimates).values)
    rows = [row for row in cells(estimates, state="estimated") if (row["indicator"], key_of(row)) in figures]
    rows = [row for row in rows if 0 < row["events"] < row["n"]][::7]
    exact = rounded = 0
    for row in rows:
        near = range(int(row["n"] * 0.9), int(row["n"] * 1.1) + 2)
        exact += solutions(round(row["estimate"], 6), 5e-7, near) == {(row["events"], row["n"])}
        figure = figures[row["indicator"], key_of(row)]["value"] / 100
        rounded += len(solutions(figure, half_step(row["tier"], row["n"]), near)) == 1
    assert len(rows) > 50 and exact / len(rows) > 0.8
    assert rounded == 0


def test_2_no_number_of_answers_follows_from_a_standard_error() -> None:
    """In a simple random sample se^2 = p (1 - p) / (n - 1)."""
    base = survey(1500, equal_weights=True)
    design = {"psu": base.children["child_id"], "stratum": np.full(1500, "s")}
    estimates = replace(base, children=base.children | design).estimates()
    figures = shown(gate(estimates).values)
    errors: dict[str, list[float]] = {"exact": [], "rounded": []}
    for row in cells(estimates, state="estimated"):
        figure = figures.get((row["indicator"], key_of(row)))
        if figure is not None and figure["se"] > 0:
            p, se = round(row["estimate"], 4), round(row["se"], 4)
            errors["exact"].append(abs(p * (1 - p) / se**2 + 1 - row["n"]))
            p, se = figure["value"] / 100, figure["se"] / 100
            errors["rounded"].append(abs(p * (1 - p) / se**2 + 1 - row["n"]))
    hits = {name: np.mean(np.array(misses) < 0.5) for name, misses in errors.items()}
    assert len(errors["exact"]) > 300 and hits["exact"] > 0.15
    assert hits["rounded"] < 0.03


def recovered(figures: dict[tuple[Any, ...], float], truth: dict[tuple[Any, ...], Row]) -> list[float]:
    """Solve the quintiles' shares of the weight from all other indicators, then one quintile of each.

    Returns:
        How far the recovered numbers of yes are from the true ones, in respondents.
    """
    keys = [(("wealth_quintile", f"Q{q}"),) for q in range(1, 6)]
    full = [code for code, key in figures if not key and all((code, one) in figures for one in keys)]
    out = []
    for code in full:
        others = [other for other in full if other != code]
        shares = np.array([[figures[other, key] for key in keys] for other in others])
        totals = np.array([figures[other, ()] for other in others])
        share, _ = nnls(np.vstack([shares, 100 * np.ones(5)]), np.append(totals, 100.0))
        known = sum(share[q] * figures[code, keys[q]] for q in range(4))
        cell = truth[code, keys[4]]
        out.append(abs((figures[code, ()] - known) / share[4] - cell["estimate"]) * cell["n"])
    return out


def test_3_shares_of_weight_that_indicators_give_away_do_not_open_a_cell() -> None:
    """The attacker has the published file alone: no numbers, no weights."""
    estimates = estimates_of(1500)
    truth = {
        (row["indicator"], key_of(row)): row
        for row in cells(estimates, state="estimated", unit="PERCENT")
        if FRAMEWORK.indicators[row["indicator"]].definition.universe == "net_3m = 1"
    }
    figures = {at: row["value"] / 100 for at, row in shown(published().values).items() if at in truth}
    exact = recovered({at: round(truth[at]["estimate"], 4) for at in figures}, truth)
    rounded = recovered(figures, truth)
    assert len(exact) > 10 and np.mean(np.array(exact) < 0.5) > 0.9
    assert np.mean(np.array(rounded) < 0.5) < 0.35
    assert np.median(rounded) > 1


def narrow(release: Twin, codes: Iterable[str] = ()) -> tuple[int, int]:
    """Return how many cells need protection and how many have too little, each question by itself."""
    questions = known_cells(release.values, release.attacker)
    found = [
        width < known.needed - 1e-6
        for indicator in sorted(codes or questions)
        for _, known, width in intervals(questions[indicator])
    ]
    return len(found), sum(found)


def test_4_no_withheld_cell_has_a_narrow_interval() -> None:
    """With item non-response: denominators differ between questions."""
    twin, release = unprotected(estimates_of(1500, missing=0.03)), published(1500, 0.03)
    assert narrow(twin, FEW)[1] > 0
    protected, open_cells = narrow(release)
    assert protected > 100 and open_cells == 0
    assert not audited(twin).passed and audited(release).passed


def test_5_what_is_withheld_of_users_does_not_follow_from_all_children() -> None:
    """Of 26 children in a region 24 are online: those bullied online are among all who were bullied."""
    base = survey(1500)
    region = np.flatnonzero(base.children["adm1"] == "XA-7")[:26]
    far = np.setdiff1d(np.flatnonzero(base.children["adm1"] == "XA-7"), region)
    children = {name: column.copy() for name, column in base.children.items()}
    children["adm1"][far] = "XA-0"
    children["net_3m"][region] = 1
    for name in ("rcd_cybervic", "rcd_cyberperp"):
        children[name][region] = np.where(np.arange(26) % 3, 2, 1)
    children["net_3m"][region[:2]] = 2
    children["rcd_cybervic"][region[:2]] = -7
    estimates = Survey(children).estimates()
    where = {"region": "XA-7", "sex": "_T"}

    def remains_open(release: Twin) -> float:
        (outer,) = cells(release.values, indicator="RCD4", **where)
        (inner,) = cells(release.values, indicator="RCD1", **where)
        assert inner["reason"] == "n"
        if outer["value"] is None:
            return 24.0
        (n,) = (row["n"] for row in cells(release.attacker, indicator="RCD4", **where))
        return float(2 * half_step("A", n) * n + 2)

    assert remains_open(unprotected(estimates)) < 5
    assert not audited(unprotected(estimates)).passed
    assert remains_open(gate(estimates)) >= 5
    assert audited(gate(estimates)).passed


def test_5_an_empty_group_of_a_follow_up_question_does_not_tell_that_nobody_was_asked() -> None:
    """Who was not upset is not asked whether they told anyone: without a row, nobody was upset."""
    estimates = survey(500, seed=1).estimates()

    def upset_of_whom_nobody_was_asked(release: Twin) -> list[int]:
        asked = {key_of(row): row for row in cells(release.values, indicator="HLP1")}
        withheld = {key_of(row) for row in cells(release.values, indicator="HRM1", value=None)}
        yes = {key_of(row): row["events"] for row in cells(estimates, indicator="HRM1")}
        return [yes[key] for key in withheld - asked.keys()]

    twin, release = unprotected(estimates), gate(estimates)
    assert upset_of_whom_nobody_was_asked(twin) == [0, 0], "what is withheld is told"
    assert not upset_of_whom_nobody_was_asked(release)
    told = {(one.cell.indicator, one.cell.place) for one in audited(twin).findings}
    assert {("HRM1", "region=XA-5"), ("HRM1", "region=XA-7")} <= told
    assert audited(release).passed


def test_5_an_empty_group_looks_like_one_of_few_children() -> None:
    estimates = survey(500, seed=1).estimates()
    size = {key_of(row): row["n"] for row in cells(estimates, indicator="HLP1")}
    rows = {key_of(row): row for row in cells(gate(estimates).values, indicator="HLP1", reason="n")}
    looks: dict[bool, set[tuple[Any, ...]]] = {False: set(), True: set()}
    for key, row in rows.items():
        looks[size.get(key, 0) > 0].add(tuple(row[name] for name in row if name not in DIMENSIONS))
    assert looks[False] and looks[False] <= looks[True]


def complement(children: dict[str, npt.NDArray[Any]], few: int) -> dict[str, npt.NDArray[Any]]:
    """All but a few children of one sex: the others follow from the total."""
    out = {name: column.copy() for name, column in children.items()}
    out["sex"] = np.where(np.arange(len(out["sex"])) < few, 2, 1)
    return out


def test_5_a_complement_does_not_follow_from_the_total() -> None:
    estimates = Survey(complement(survey(1500).children, 12)).estimates()
    assert narrow(unprotected(estimates), FEW)[1] > 2
    release = gate(estimates)
    assert narrow(release, FEW)[1] == 0
    assert audited(release).passed


def test_6_nested_groups_do_not_give_their_difference_away() -> None:
    """All of 8 to 17 and those of the common ages differ by 20 children of 8."""
    children = {name: column.copy() for name, column in survey(1500).children.items()}
    children["age"][:20] = 8
    estimates = Survey(children).estimates(ages=(8, 17))
    twin, release = unprotected(estimates), gate(estimates)
    assert "nested" in {one.kind for one in audited(twin).findings}
    assert audited(release).passed
    assert min(differences(twin)) < 5 <= min(differences(release), default=5) + 1e-6


def differences(release: Twin) -> list[float]:
    """Return how many respondents two values leave open: of all, and of the common ages."""
    out = []
    for known in known_cells(release.values, release.attacker).values():
        total, common = known[()], known.get((("age", "Y9T17"),))
        if common is not None and min(common.low, total.low) > 0:
            rest = total.weight - common.weight
            low = max(total.low * total.weight - common.high * common.weight, 0)
            high = min(total.high * total.weight - common.low * common.weight, rest)
            out.append((high - low) / rest * (total.n - common.n))
    return out


def changed_cells(first: pa.Table, second: pa.Table) -> set[tuple[Any, ...]]:
    before, after = shown(first), shown(second)
    return {at for at in before.keys() & after.keys() if before[at]["value"] != after[at]["value"]}


def exact_figures(estimates: pa.Table) -> dict[tuple[Any, ...], float]:
    return {
        (r["indicator"], key_of(r)): r["estimate"]
        for r in cells(estimates, state="estimated", unit="PERCENT")
    }


def test_7_a_withdrawn_child_is_not_found_by_comparing_releases() -> None:
    base = survey(1500)
    child = 700
    before, after = estimates_of(1500), base.without(child).estimates()
    old, new = exact_figures(before), exact_figures(after)
    groups = {key for (_, key) in old if (_, key) in new and abs(old[_, key] - new[_, key]) > 1e-12}
    region = (("region", str(base.children["adm1"][child])),)
    assert region in groups and not {(("region", r),) for r in REGIONS} & groups - {region}, (
        "the twin tells her region"
    )
    first, second = published(), gate(after)
    assert audited(second).passed, "each release by itself is safe"
    found = audited(second, first)
    assert {one.kind for one in found.findings} == {"vintage"}, "so the old one is carried forward"
    assert audited(first, first).passed and not changed_cells(first.values, first.values)


def test_7_a_corrected_answer_is_not_found_by_comparing_releases() -> None:
    base = survey(1500)
    region = np.flatnonzero((base.children["adm1"] == "XA-5") & (base.children["net_3m"] == 1))
    child = int(region[np.argmax(base.children["weight"][region])])
    code = 3 - int(base.children["skl_privacy"][child])
    first, second = published(), gate(base.corrected(child, "skl_privacy", code).estimates())
    changed = changed_cells(first.values, second.values)
    assert {indicator for indicator, _ in changed} <= {"SKL1", "SKL5"} and changed, "the question is found"
    assert not audited(second, first).passed
    assert audited(first, first).passed


def test_8_freezing_one_region_reveals_it() -> None:
    """The new total less the new values of all other regions is the new value of the frozen one."""
    old, new = published(), gate(survey(1500).without(700).estimates())
    frozen = pc.equal(old.values["region"], "XA-1")
    kept = pc.not_equal(new.values["region"], "XA-1")
    mixed = Twin(pa.concat_tables([old.values.filter(frozen), new.values.filter(kept)]), new.attacker)
    found = audited(mixed, old)
    assert {"shape", "vintage"} <= {one.kind for one in found.findings}
    assert audited(old, old).passed


@pytest.mark.parametrize("partner", [0, 1])
def test_9_an_empty_cell_and_a_single_child_hide_nothing(partner: int) -> None:
    """A region of 12 children is withheld beside one of a single child, or of nobody who answers."""
    base = survey(1500)
    children = {name: column.copy() for name, column in base.children.items()}
    children["adm1"] = np.where(np.arange(1500) < 12, "XA-1", "XA-0").astype("U4")
    children["adm1"][12] = "XA-2"
    if partner == 0:
        for name in ("own_phone", "net_home", "in_school"):
            children[name][12] = -8
    estimates = Survey(children).estimates()
    twin, release = unprotected(estimates), gate(estimates)
    before = {key: w for key, _, w in intervals(known_cells(twin.values, twin.attacker)["ACC4"])}
    assert before[("region", "XA-1"),] < 5
    after = known_cells(release.values, release.attacker)["ACC4"]
    assert all(width >= known.needed - 1e-6 for _, known, width in intervals(after))
    assert audited(release).passed and not audited(twin).passed
