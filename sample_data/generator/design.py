"""Draws the sample: strata, clusters, invited children, response and weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copstats.framework.manifest import SurveyManifest
from sample_data.generator.questionnaire import Answers

SCHOOL_CLASSES = 2


@dataclass(frozen=True)
class Plan:
    """The sample design of a survey.

    Attributes:
        regions: first-level units; each is crossed with urban and rural to give the strata.
        psus: clusters drawn in each stratum.
        invited: children invited in each cluster.
        response: share of the invited who answer, at the reference child.
        children: children of the survey's ages in the country, to which the weights add up.
        single: give the last stratum one cluster only.
    """

    regions: int
    psus: int
    invited: int
    response: float
    children: int
    single: bool = False


@dataclass(frozen=True)
class Sample:
    """Children who answered, with their design.

    Attributes:
        stratum: number of the stratum, from 0.
        psu: number of the cluster in the whole sample, from 0.
        cluster: number of the cluster in its stratum, from 1: not unique across strata.
        member: number of the child in the cluster, from 1.
        frame: clusters of the stratum in the frame.
        weight: final weight.
        known: ``age``, ``sex``, ``ses_q``, ``area`` and, in schools, ``in_school``.
    """

    stratum: NDArray[np.int64]
    psu: NDArray[np.int64]
    cluster: NDArray[np.int64]
    member: NDArray[np.int64]
    frame: NDArray[np.int64]
    weight: NDArray[np.float64]
    known: Answers


def draw_sample(rng: np.random.Generator, plan: Plan, manifest: SurveyManifest) -> Sample:
    """Return the responding children of a stratified two-stage sample.

    Response falls with age and wealth and varies between clusters. Weights are the inverse of the sampling
    rate of the stratum, divided by the response of the cluster, times a lognormal calibration factor.
    """
    strata = 2 * plan.regions
    clusters = np.full(strata, plan.psus)
    if plan.single:
        clusters[-1] = 1
    stratum_of = np.repeat(np.arange(strata), clusters)
    frame_of = (clusters * rng.integers(40, 90, strata))[stratum_of]

    psu = np.repeat(np.arange(len(stratum_of)), plan.invited)
    stratum = stratum_of[psu]
    known = _children(rng, psu, stratum, manifest)
    answered = rng.random(len(psu)) < _response(rng, plan, known, psu)

    invited = np.bincount(psu)
    present = np.bincount(psu[answered], minlength=len(invited))
    base = rng.lognormal(0, 0.35, strata)[stratum] * invited[psu] / np.maximum(present[psu], 1)
    weight = (base * rng.lognormal(0, 0.15, len(psu)))[answered]
    first = np.concatenate([[0], np.cumsum(clusters)[:-1]])
    return Sample(
        stratum=stratum[answered],
        psu=psu[answered],
        cluster=(psu - first[stratum] + 1)[answered],
        member=(np.arange(len(psu)) % plan.invited + 1)[answered],
        frame=frame_of[psu][answered],
        weight=np.round(weight * plan.children / weight.sum(), 4),
        known={name: values[answered] for name, values in known.items()},
    )


def _children(
    rng: np.random.Generator, psu: NDArray[np.int64], stratum: NDArray[np.int64], manifest: SurveyManifest
) -> Answers:
    n = len(psu)
    ages = manifest.population.ages
    urban = stratum % 2 == 0
    wealth = rng.normal(0, 0.6, psu.max() + 1)[psu] + 0.5 * urban - 0.25 + rng.normal(0, 0.8, n)
    known = {
        "age": rng.integers(ages.min, ages.max + 1, n),
        "sex": 1 + (rng.random(n) < 0.49).astype(np.int64),
        "ses_q": 1 + np.searchsorted([-0.87, -0.26, 0.26, 0.87], wealth),
        "area": np.where(urban, 1 + (rng.random(n) < 0.35), 3),
    }
    if manifest.population.setting == "school":
        known["in_school"] = np.ones(n, dtype=np.int64)
    if manifest.population.universe == "internet_users":
        known["net_3m"] = np.ones(n, dtype=np.int64)
    return known


def _response(
    rng: np.random.Generator, plan: Plan, known: Answers, psu: NDArray[np.int64]
) -> NDArray[np.float64]:
    logit = np.log(plan.response / (1 - plan.response)) + rng.normal(0, 0.4, psu.max() + 1)[psu]
    logit = logit - 0.12 * (known["age"] - 13) / 2 - 0.1 * (known["ses_q"] - 3)
    return np.asarray(1 / (1 + np.exp(-logit)))
