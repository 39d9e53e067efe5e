from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from copstats.framework.loader import Framework, load_framework
from copstats.framework.manifest import SurveyManifest

MANIFEST: dict[str, Any] = {
    "kind": "survey",
    "framework": "cop-2026",
    "ref_area": "XAA",
    "survey": "COPS",
    "reference_year": 2026,
    "version": 1,
    "title": {"en": "Survey of children online"},
    "fieldwork": {"start": "2026-03-01", "end": "2026-04-30"},
    "population": {
        "ages": {"min": 9, "max": 17},
        "universe": "all_children",
        "setting": "household",
        "coverage": "national",
    },
    "design": {"stratum": "stratum", "psu": "psu", "weight": "weight"},
    "sampling": "probability_documented",
    "coverage_share": 0.97,
    "mode": "self_completed",
    "response_rate": {"overall": 0.81},
    "translation": {"method": "team_review", "languages": ["en"]},
    "modules": [
        "access",
        "use",
        "skills",
        "content",
        "contact",
        "conduct",
        "contract",
        "cross_cutting",
        "harm",
        "help",
        "mediation",
        "wellbeing",
        "rights",
        "interview",
        "parent_interview",
        "parent_background",
        "parent_mediation",
        "parent_help",
    ],
    "not_asked": [],
    "ethics": {"review": "National ethics board, 2026/1", "consent": "parent_and_child"},
    "dissemination": {"consent": True},
    "files": {"child": {"path": "child.csv"}},
    "contact": {"organisation": "National Statistics Office"},
}


def merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, value in change.items():
        deep = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = merged(out[key], value) if deep else value
    return out


@pytest.fixture(scope="session")
def framework() -> Framework:
    return load_framework()


@pytest.fixture(scope="session")
def manifest() -> Callable[..., SurveyManifest]:
    """Make a manifest that differs from a faultless one in the given entries."""

    def make(**change: Any) -> SurveyManifest:
        return msgspec.convert(merged(MANIFEST, change), SurveyManifest)

    return make
