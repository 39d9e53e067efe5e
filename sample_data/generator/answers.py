"""Draws the answers of children and parents from the model of the questionnaire."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sample_data.generator.questionnaire import (
    BACKGROUND,
    DOES_NOT_KNOW,
    HELP,
    INTERNET,
    NOT_APPLICABLE,
    PARENT,
    REFUSED,
    RISKS,
    Answers,
    Item,
    everyone,
)

CHILD_ITEMS = BACKGROUND | INTERNET | RISKS | HELP


def draw_children(
    rng: np.random.Generator,
    known: Answers,
    psu: NDArray[np.int64],
    shift: Mapping[str, float],
    *,
    age_floor: int = 0,
    unfiltered: frozenset[str] = frozenset(),
) -> Answers:
    """Return the children's answers to every item, skips and missing codes included.

    Args:
        rng: source of random numbers.
        known: ``age`` (years), ``sex`` and ``ses_q`` codes, and any item that the design fixes.
        psu: number of the child's cluster, from 0; children of a cluster resemble each other.
        shift: item -> shift of its logit in this survey.
        age_floor: national age floor of sensitive items; 0 where there is none.
        unfiltered: items that this survey asked of every child, against the framework's skip pattern.
    """
    answers = dict(known)
    exposure = rng.normal(0, 1, len(psu))
    cluster = rng.normal(0, 0.3, psu.max() + 1)[psu]
    for name, item in CHILD_ITEMS.items():
        if name not in answers:
            logit = _logit(item, answers, exposure) + cluster + shift.get(name, 0.0)
            asked = everyone if name in unfiltered else item.asked
            answers[name] = _draw(rng, item, logit, asked(answers, age_floor))
        if name == "net_freq":
            answers["net_age1"] = _first_use(rng, answers)
    _reconcile(answers)
    return answers


def draw_parents(rng: np.random.Generator, children: Answers, shift: Mapping[str, float]) -> Answers:
    """Return one parent's answers for each of the children, in the same order.

    Args:
        rng: source of random numbers.
        children: answers of the linked children.
        shift: item -> shift of its logit in this survey.
    """
    answers: Answers = {}
    for name, item in PARENT.items():
        logit = _logit(item, children, np.zeros(len(children["age"]))) + shift.get(name, 0.0)
        answers[name] = _draw(rng, item, logit, item.asked(children, 0))
    relation = answers["p_rel"]
    young = (relation == 4) & (answers["p_ageband"] == 1)
    answers["p_ageband"] = np.where(young, 4, answers["p_ageband"])
    answers["p_sex"] = np.where(
        relation == 1, 2, np.where(relation == 2, 1, 1 + (rng.random(len(relation)) < 0.6))
    )
    for name, fact in (
        ("p_aware_upset", children["hrm_upset"] >= 2),
        ("p_aware_contact", children["rct_unknown"] == 1),
    ):
        item = Item({0: 0.88, 1: 0.12}, unknown=0.12, refused=0.004)
        answers[name] = _draw(rng, item, np.where(fact, 1.9, 0.0), item.asked(children, 0))
    return answers


def _logit(item: Item, child: Answers, exposure: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(
        item.age * (child["age"] - 13) / 2
        + item.girl * (child["sex"] == 2)
        + item.wealth * (child["ses_q"] - 3)
        + item.risk * exposure
    )


def _draw(
    rng: np.random.Generator, item: Item, logit: NDArray[np.float64], asked: NDArray[np.bool_]
) -> NDArray[np.int64]:
    codes = np.array(list(item.shares), dtype=np.int64)
    cumulative = np.cumsum(list(item.shares.values()))[:-1]
    cuts = np.log(cumulative / (1 - cumulative))
    uniform = rng.random(len(logit))
    latent = logit + np.log(uniform / (1 - uniform))
    answer = codes[(latent[:, None] > cuts).sum(axis=1)]
    silent = rng.random(len(logit))
    answer = np.where(silent < item.refused, REFUSED, answer)
    answer = np.where(silent > 1 - item.unknown, DOES_NOT_KNOW, answer)
    return np.where(asked, answer, NOT_APPLICABLE)


def _first_use(rng: np.random.Generator, answers: Answers) -> NDArray[np.int64]:
    """Return the age at first use: about 8, earlier in wealthier homes, never above the present age."""
    users = answers["net_3m"] == 1
    first = np.rint(rng.normal(8.2, 2.0, len(users)) - 0.4 * (answers["ses_q"] - 3)).astype(np.int64)
    first = np.clip(first, 3, answers["age"])
    first = np.where(rng.random(len(users)) < 0.03, DOES_NOT_KNOW, first)
    return np.where(users, first, NOT_APPLICABLE)


def _reconcile(answers: Answers) -> None:
    """Settle contradictions as an electronic questionnaire does when it asks again."""
    rare = answers["net_freq"] == 3
    for name in ("act_learn", "act_social", "act_game", "dev_phone", "dev_comp"):
        answers[name] = np.where(rare & (answers[name] == 5), 3, answers[name])
    answers["net_hours"] = np.where(rare & (answers["net_hours"] >= 4), 2, answers["net_hours"])
    called = answers["hlp_helpline"] == 1
    answers["hlp_know_line"] = np.where(called, 1, answers["hlp_know_line"])
    reported = answers["hlp_platform"] == 1
    answers["skl_report"] = np.where(reported & (answers["skl_report"] == 0), 1, answers["skl_report"])
    profile = (answers["act_social"] == 5) & (answers["sns_public"] == 2)
    answers["sns_public"] = np.where(profile, 0, answers["sns_public"])
