"""Made-up surveys of children with true answers at hand, and what the gate would say without relations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from copstats.analyse.wave import estimate_wave
from copstats.disclose.precision import published_form, register_steps
from copstats.disclose.primary import decide
from copstats.disclose.profile import load_profile
from copstats.disclose.secondary import attacker_table
from copstats.framework.loader import load_framework
from copstats.framework.manifest import SurveyManifest
from copstats.store.engine import memory_connection
from tests.analyse.conftest import MANIFEST

FRAMEWORK, PROFILE = load_framework(), load_profile()
_SHARES = {
    "skl_privacy": 0.6, "skl_block": 0.5, "skl_report": 0.35, "skl_verify": 0.2,
    "rct_unknown": 0.3, "rct_gift": 0.01, "rct_threat": 0.02, "rct_imgshared": 0.04,
    "rcd_cybervic": 0.12, "rcd_cyberperp": 0.05, "rcm_data": 0.1, "rcm_scam": 0.03, "rcm_hack": 0.015,
    "med_safe": 0.7, "med_tech": 0.4, "own_phone": 0.8, "net_home": 0.95, "in_school": 0.97,
}  # fmt: skip
_REGIONS = np.array([0.3, 0.2, 0.15, 0.12, 0.1, 0.07, 0.04, 0.02])


@dataclass(frozen=True)
class Survey:
    """Records as arrays, one entry a child.

    Attributes:
        children: framework variable -> codes; ``weight``, ``stratum``, ``psu``, ``child_id``.
        version: of the submission.
    """

    children: dict[str, npt.NDArray[Any]]
    version: int = 1

    def estimates(self, *, ages: tuple[int, int] = (9, 17)) -> pa.Table:
        population = MANIFEST["population"] | {"ages": {"min": ages[0], "max": ages[1]}}
        changed = MANIFEST | {"version": self.version, "population": population}
        manifest = msgspec.convert(changed, SurveyManifest)
        return estimate_wave(pa.table(self.children), None, manifest, None, FRAMEWORK, as_of_year=2026)

    def without(self, child: int) -> Survey:
        """The next version, with one child withdrawn."""
        kept = np.arange(len(self.children["weight"])) != child
        return Survey({name: column[kept] for name, column in self.children.items()}, self.version + 1)

    def corrected(self, child: int, variable: str, code: int) -> Survey:
        """The next version, with one answer corrected."""
        children = {name: column.copy() for name, column in self.children.items()}
        children[variable][child] = code
        return Survey(children, self.version + 1)


@cache
def survey(n: int = 1500, *, equal_weights: bool = False, missing: float = 0.0, seed: int = 5) -> Survey:
    """Return a survey in 8 strata of 10 schools, with regions of very different sizes."""
    random = np.random.default_rng(seed)
    region = random.choice(8, n, p=_REGIONS)
    age, sex = random.integers(9, 18, n), random.integers(1, 3, n)
    quintile = random.integers(1, 6, n)
    yes = {name: 2 - (random.random(n) < _tilted(share, sex, age)) for name, share in _SHARES.items()}
    user = random.random(n) < 0.93
    older = age >= 12
    scales = {
        name: random.choice(5, n, p=p) + 1
        for name, p in {
            "rcn_selfharm": [0.8, 0.12, 0.05, 0.02, 0.01],
            "rcn_hate": [0.5, 0.3, 0.1, 0.06, 0.04],
            "rcn_violence": [0.6, 0.2, 0.1, 0.06, 0.04],
            "rcn_sexual": [0.75, 0.15, 0.06, 0.03, 0.01],
        }.items()
    }
    upset = random.choice(4, n, p=[0.8, 0.12, 0.05, 0.03]) + 1
    children: dict[str, npt.NDArray[Any]] = {
        **{name: np.where(user, code, -7) for name, code in (yes | scales | {"hrm_upset": upset}).items()},
        **{name: yes[name] for name in ("own_phone", "net_home", "in_school")},
        "net_3m": np.where(user, 1, 2),
        "age": age,
        "sex": sex,
        "area": random.integers(1, 3, n),
        "ses_q": quintile,
        "disability": np.where(random.random(n) < 0.04, 1, 2),
        "adm1": np.array([f"XA-{r}" for r in region]),
        "weight": np.ones(n) if equal_weights else random.gamma(4, 250, n) * (1 + 0.5 * region),
        "stratum": np.array([f"s{r}" for r in region]),
        "psu": np.array([f"p{r}-{p}" for r, p in zip(region, random.integers(0, 10, n), strict=True)]),
        "child_id": np.array([f"c{i}" for i in range(n)]),
    }
    for name in ("rct_gift", "rct_threat", "rct_imgshared"):
        children[name] = np.where(older, children[name], -7)
    asked = user & (upset >= 2)
    children["hlp_told"] = np.where(asked, 2 - (random.random(n) < 0.45), -7)
    for name in (*_SHARES, *scales):
        lost = (random.random(n) < missing) & (children[name] > 0)
        children[name] = np.where(lost, -8, children[name])
    return Survey(children)


def _tilted(share: float, sex: npt.NDArray[Any], age: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    logit = np.log(share / (1 - share)) + 0.4 * (sex - 1.5) + 0.1 * (age - 13)
    return np.asarray(1 / (1 + np.exp(-logit)))


@dataclass(frozen=True)
class Twin:
    """What primary rules alone would publish."""

    values: pa.Table
    attacker: pa.Table


def unprotected(estimates: pa.Table) -> Twin:
    """Return what would be published if no relation among cells were looked at."""
    (submission,) = set(estimates["submission_id"].to_pylist())
    with memory_connection(threads=1) as connection:
        decide(connection, estimates, PROFILE, consent_level={submission: "disaggregated"})
        register_steps(connection, PROFILE)
        values = published_form(connection, PROFILE)
        return Twin(values, attacker_table(connection))
