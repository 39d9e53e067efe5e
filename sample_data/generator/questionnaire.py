"""The model of the answers: for every item who is asked, how answers spread, and what moves them.

Every item, yes/no or scale, is one cumulative logit: shares at the reference child (a boy of 13 in the middle
wealth quintile) give the cut points, and the terms below shift the child along them. The skip pattern is
written here by hand, apart from the framework's, so that an error in either shows as a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Answers = dict[str, NDArray[np.int64]]
Asked = Callable[[Answers, int], NDArray[np.bool_]]
"""Answers so far and the national age floor (0 where there is none) -> who is asked."""

NOT_APPLICABLE, DOES_NOT_KNOW, REFUSED = -7, -8, -9


def everyone(answers: Answers, _floor: int) -> NDArray[np.bool_]:
    """All children."""
    return np.ones(len(answers["age"]), dtype=bool)


def users(answers: Answers, _floor: int) -> NDArray[np.bool_]:
    """Children who used the internet in the last three months."""
    return np.asarray(answers["net_3m"] == 1)


def users_from_9(answers: Answers, floor: int) -> NDArray[np.bool_]:
    """Internet users of 9 or older."""
    return np.asarray(users(answers, floor) & (answers["age"] >= 9))


def users_from_12(answers: Answers, floor: int) -> NDArray[np.bool_]:
    """Internet users of 12 or older, or of the national age floor where that is higher."""
    return np.asarray(users(answers, floor) & (answers["age"] >= max(12, floor)))


def with_contact(answers: Answers, _floor: int) -> NDArray[np.bool_]:
    """Children who had contact with a person whom they did not know."""
    return np.asarray(answers["rct_unknown"] == 1)


def bullied(answers: Answers, _floor: int) -> NDArray[np.bool_]:
    """Children who were bullied online."""
    return np.asarray(answers["rcd_cybervic"] == 1)


def upset(answers: Answers, _floor: int) -> NDArray[np.bool_]:
    """Children whom something online upset in the last twelve months."""
    return np.asarray(answers["hrm_upset"] >= 2)


def told(answers: Answers, _floor: int) -> NDArray[np.bool_]:
    """Children who told someone about it."""
    return np.asarray(answers["hlp_told"] == 1)


def pupils(answers: Answers, _floor: int) -> NDArray[np.bool_]:
    """Children who attend school."""
    return np.asarray(answers["in_school"] == 1)


@dataclass(frozen=True)
class Item:
    """One question.

    Attributes:
        shares: code -> share of the answers of the reference child, in the order of the scale.
        asked: who is asked.
        age: shift of the logit for each two years of age above 13.
        girl: shift for girls.
        wealth: shift for each wealth quintile above the third.
        risk: loading of the child's general exposure to risk.
        unknown: share of "does not know".
        refused: share of "prefers not to say".
    """

    shares: Mapping[int, float]
    asked: Asked = users
    age: float = 0.0
    girl: float = 0.0
    wealth: float = 0.0
    risk: float = 0.0
    unknown: float = 0.0
    refused: float = 0.003


def yes(share: float, **terms: float | Asked) -> Item:
    """Return an item answered no (0) or yes (1)."""
    return Item({0: 1 - share, 1: share}, **terms)  # type: ignore[arg-type]


def scale(*shares: float, first: int = 1, **terms: float | Asked) -> Item:
    """Return an item with consecutive codes from ``first``."""
    return Item(dict(enumerate(shares, start=first)), **terms)  # type: ignore[arg-type]


BACKGROUND: dict[str, Item] = {
    "in_school": yes(0.95, asked=everyone, age=-0.35, wealth=0.25, refused=0),
    "disability": yes(0.07, asked=everyone, wealth=-0.1, refused=0.004),
    "lang_minority": yes(0.12, asked=everyone, wealth=-0.15),
    "live_parents": scale(0.7, 0.18, 0.09, 0.03, asked=everyone, wealth=-0.1),
}

INTERNET: dict[str, Item] = {
    "net_3m": yes(0.78, asked=everyone, age=0.75, girl=-0.1, wealth=0.35, refused=0),
    "net_freq": scale(0.68, 0.24, 0.08, age=-0.4, wealth=-0.2),
    "dev_phone": scale(0.06, 0.05, 0.08, 0.21, 0.6, age=0.4, wealth=0.1),
    "dev_comp": scale(0.35, 0.12, 0.15, 0.2, 0.18, wealth=0.4),
    "dev_console": scale(0.5, 0.1, 0.12, 0.16, 0.12, girl=-0.7, wealth=0.3),
    "own_phone": yes(0.62, asked=everyone, age=0.8, wealth=0.3, refused=0.001),
    "net_home": yes(0.7, asked=everyone, wealth=0.55, refused=0.001),
    "net_hours": scale(0.2, 0.34, 0.26, 0.12, 0.08, age=0.35, risk=0.2, unknown=0.01),
    "act_learn": scale(0.08, 0.1, 0.18, 0.36, 0.28, age=0.2, girl=0.15, wealth=0.15),
    "act_social": scale(0.2, 0.06, 0.08, 0.2, 0.46, age=0.7, girl=0.25),
    "act_game": scale(0.18, 0.1, 0.14, 0.26, 0.32, age=-0.15, girl=-0.9),
    "act_create": scale(0.45, 0.2, 0.15, 0.12, 0.08, age=0.2),
    "act_civic": scale(0.72, 0.14, 0.08, 0.04, 0.02, age=0.2, wealth=0.1),
    "sns_public": scale(0.5, 0.28, 0.22, first=0, age=-0.2, unknown=0.03),
    "skl_privacy": yes(0.52, age=0.5, wealth=0.15, unknown=0.04),
    "skl_block": yes(0.62, age=0.55, girl=0.1, wealth=0.1, unknown=0.03),
    "skl_report": yes(0.45, age=0.4, wealth=0.1, unknown=0.05),
    "skl_verify": yes(0.4, age=0.4, wealth=0.2, unknown=0.05),
    "skl_create": yes(0.35, age=0.35, wealth=0.25, unknown=0.03),
}

RISKS: dict[str, Item] = {
    "rcn_selfharm": scale(0.8, 0.1, 0.05, 0.03, 0.02, age=0.35, girl=0.3, risk=0.9, refused=0.02),
    "rcn_hate": scale(0.66, 0.15, 0.1, 0.06, 0.03, age=0.35, risk=0.8, refused=0.015),
    "rcn_violence": scale(0.62, 0.17, 0.11, 0.07, 0.03, age=0.25, girl=-0.2, risk=0.8, refused=0.015),
    "rcn_sexual": scale(
        0.7, 0.12, 0.09, 0.06, 0.03, asked=users_from_9, age=0.6, girl=-0.3, risk=0.8, refused=0.035
    ),
    "rct_unknown": yes(0.27, age=0.45, risk=0.8, refused=0.015),
    "rct_met": yes(0.2, asked=with_contact, age=0.3, risk=0.5, refused=0.02),
    "rct_sexask": scale(
        0.965, 0.02, 0.009, 0.004, 0.002, asked=users_from_12, age=0.3, girl=0.6, risk=1.1, refused=0.04
    ),
    "rct_gift": yes(0.004, asked=users_from_12, age=0.2, girl=0.3, risk=1.2, unknown=0.008, refused=0.035),
    "rct_threat": yes(0.006, asked=users_from_12, age=0.2, girl=0.3, risk=1.2, unknown=0.008, refused=0.035),
    "rct_imgshared": yes(
        0.0035, asked=users_from_12, age=0.2, girl=0.4, risk=1.2, unknown=0.012, refused=0.035
    ),
    "rcd_cybervic": yes(0.11, girl=0.25, wealth=-0.05, risk=1.0, unknown=0.008, refused=0.015),
    "rcd_cyberfreq": scale(
        0.66, 0.18, 0.1, 0.06, first=2, asked=bullied, risk=0.4, unknown=0.02, refused=0.01
    ),
    "rcd_cyberperp": yes(0.09, age=0.1, girl=-0.3, risk=0.9, refused=0.025),
    "rcm_data": yes(0.11, age=0.15, risk=0.7, unknown=0.02, refused=0.01),
    "rcm_scam": yes(0.05, age=0.2, girl=-0.2, risk=0.6, unknown=0.01, refused=0.008),
    "rcm_spend": yes(0.1, girl=-0.5, wealth=0.1, risk=0.5, unknown=0.01, refused=0.006),
    "rcm_hack": yes(0.09, age=0.1, risk=0.6, unknown=0.03, refused=0.006),
    "rcx_excess": scale(0.72, 0.14, 0.08, 0.04, 0.02, age=0.3, risk=0.7, refused=0.01),
    "rcx_fake": yes(0.02, age=0.2, girl=0.4, risk=1.0, unknown=0.025, refused=0.02),
    "hrm_upset": scale(0.72, 0.17, 0.07, 0.03, 0.01, girl=0.35, risk=1.1, refused=0.012),
    "hrm_intens": scale(0.5, 0.34, 0.16, first=2, asked=upset, girl=0.4, risk=0.3, refused=0.01),
    "hrm_type": scale(0.36, 0.2, 0.26, 0.1, 0.08, asked=upset, unknown=0.02, refused=0.02),
}

HELP: dict[str, Item] = {
    "hlp_told": yes(0.62, asked=upset, age=-0.2, girl=0.3, refused=0.01),
    "hlp_parent": yes(0.55, asked=told, age=-0.5, refused=0.01),
    "hlp_friend": yes(0.56, asked=told, age=0.5, girl=0.2, refused=0.01),
    "hlp_teacher": yes(0.12, asked=told, age=-0.2, refused=0.01),
    "hlp_helpline": yes(0.03, asked=told, refused=0.01),
    "hlp_police": yes(0.02, asked=told, refused=0.01),
    "hlp_platform": yes(0.24, asked=upset, age=0.3, unknown=0.01, refused=0.01),
    "hlp_know_help": yes(0.52, asked=everyone, age=0.25, wealth=0.1, unknown=0.03),
    "hlp_know_line": yes(0.4, asked=everyone, age=0.25, wealth=0.1, unknown=0.02),
    "hlp_know_hotline": yes(0.2, asked=everyone, age=0.3, wealth=0.15, unknown=0.03),
    "med_talk": scale(0.14, 0.14, 0.2, 0.3, 0.22, age=-0.25, girl=0.2, wealth=0.1, refused=0.005),
    "med_safe": yes(0.66, age=-0.1, girl=0.15, wealth=0.15, unknown=0.008, refused=0.004),
    "med_rules": scale(0.34, 0.26, 0.22, 0.18, first=0, age=-0.55, unknown=0.02),
    "med_tech": yes(0.26, age=-0.45, wealth=0.25, unknown=0.035),
    "med_school": yes(0.52, asked=pupils, age=0.15, unknown=0.02),
    "wel_life": scale(
        0.01,
        0.01,
        0.02,
        0.04,
        0.05,
        0.1,
        0.11,
        0.19,
        0.22,
        0.13,
        0.12,
        first=0,
        asked=everyone,
        age=-0.25,
        girl=-0.2,
        wealth=0.15,
        risk=-0.4,
        refused=0.008,
    ),
    "wel_family": scale(0.1, 0.14, 0.18, 0.28, 0.3, asked=everyone, age=-0.3, wealth=0.05, refused=0.01),
    "rgt_asked": scale(0.3, 0.2, 0.2, 0.18, 0.12, wealth=0.1, unknown=0.01),
    "rgt_know": yes(0.58, asked=everyone, age=0.3, wealth=0.15, unknown=0.02),
}

PARENT: dict[str, Item] = {
    "p_rel": scale(0.66, 0.22, 0.03, 0.06, 0.03, asked=everyone, refused=0),
    "p_ageband": scale(0.08, 0.44, 0.36, 0.12, asked=everyone, refused=0.003),
    "p_educ": scale(0.03, 0.14, 0.2, 0.3, 0.08, 0.08, 0.12, 0.04, 0.01, first=0, asked=everyone, wealth=0.5),
    "p_net_3m": yes(0.8, asked=everyone, wealth=0.5, refused=0),
    "p_rules": yes(0.6, age=-0.3, refused=0.004),
    "p_tech": yes(0.24, age=-0.4, wealth=0.25, unknown=0.02),
    "p_talk": scale(0.1, 0.14, 0.2, 0.32, 0.24, age=-0.2, wealth=0.1, refused=0.004),
    "p_know_line": yes(0.45, asked=everyone, wealth=0.15, unknown=0.01),
    "p_know_hotline": yes(0.22, asked=everyone, wealth=0.15, unknown=0.02),
    "p_info_source": scale(0.28, 0.26, 0.08, 0.08, 0.2, 0.1, asked=everyone, unknown=0.02),
    "p_want": yes(0.7, asked=everyone, unknown=0.02),
}
