from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from copstats.disclose import load_profile, protect
from copstats.disseminate import SourceRecord, build_release
from copstats.framework import Area, load_framework
from copstats.framework.denominators import POPULATION_REFERENCE, Denominators
from copstats.framework.manifest import SurveyManifest
from copstats.store.schemas import DIMENSIONS
from tests.disclose.estimates import ABSENT, cell, table
from tests.disseminate.differences import group, group_errors, pair, round_pairs

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
AREAS = {
    "XAA": Area("XAA", "Aruvia (fictional)", {"itu_region": "AFR"}),
    "XBB": Area("XBB", "=Belmora, with a long name (fictional)", {"itu_region": "AMS", "ldc": "1"}),
    "XCC": Area("XCC", "Qasriya (fictional)", {}),
}
DENOMINATORS = Denominators(
    pa.Table.from_pylist(
        [
            {"ref_area": area, "year": 2025, "sex": "_T", "age_minimum": 9, "age_maximum": 17}
            | {"population": children, "internet_users": None, "source": "Census", "vintage": "2025"}
            for area, children in (("XAA", 1.2e6), ("XBB", 4.5e5))
        ],
        POPULATION_REFERENCE,
    )
)


def manifest(area: str, year: int = 2026) -> SurveyManifest:
    return msgspec.convert(
        {
            "kind": "survey",
            "framework": "cop-2026",
            "ref_area": area,
            "survey": "COPS",
            "reference_year": year,
            "version": 1,
            "title": {"fr": "Enquête « enfants en ligne », essai", "en": "Survey of children online"},
            "fieldwork": {"start": dt.date(year, 3, 1), "end": dt.date(year, 4, 30)},
            "population": {
                "ages": {"min": 9, "max": 17},
                "universe": "all_children",
                "setting": "school",
                "coverage": "national",
            },
            "design": {"weight": "w", "stratum": "s", "psu": "p"},
            "sampling": "probability_documented",
            "mode": "self_completed",
            "modules": [],
            "ethics": {"review": None, "consent": "none"},
            "dissemination": {"consent": True},
            "files": {"child": {"path": "child.csv"}},
            "contact": {"organisation": "Statistics office"},
        },
        SurveyManifest,
    )


def record(area: str, year: int = 2026) -> SourceRecord:
    return SourceRecord.of(
        manifest(area, year), f"{area}{year}".encode().hex().ljust(64, "0"), {"child": 1500}
    )


def rows(area: str, year: int = 2026, **changed: Any) -> list[dict[str, Any]]:
    """A few cells of one survey: shown, coded, suppressed, flagged, broken down, absent."""
    of = {
        "submission_id": record(area, year).submission_id,
        "ref_area": area,
        "reference_year": year,
    } | changed
    sexes = [
        cell(
            disaggregation="sex",
            sex=sex,
            n=700,
            events=events,
            weight=5.6e5,
            estimate=share,
            ci_lower=low,
            ci_upper=high,
        )
        for sex, events, share, low, high in (("M", 140, 0.2, 0.17, 0.24), ("F", 205, 0.293, 0.25, 0.34))
    ]
    return [
        row | of
        for row in (
            cell(),
            *sexes,
            cell(indicator="ACC1", events=1498),
            cell(indicator="RCT3", tier="B", n=48, events=20),
            cell(indicator="RSK1", tier="B", n=90, events=30, reliability="review"),
            ABSENT | {"indicator": "HLP5"},
        )
    ]


@pytest.fixture(scope="session")
def values() -> pa.Table:
    estimates = table(
        *rows("XAA"),
        *rows("XAA", 2023, estimate=0.31, ci_lower=0.28, ci_upper=0.34),
        *rows(
            "XBB", comparability="A", comparability_reasons="", estimate=0.131, ci_lower=0.11, ci_upper=0.155
        ),
        *rows(
            "XCC",
            comparability="C",
            comparability_reasons="wording",
            estimate=0.55,
            ci_lower=0.5,
            ci_upper=0.6,
        ),
    )
    sources = (record("XAA"), record("XAA", 2023), record("XBB"), record("XCC"))
    return protect(
        estimates,
        load_profile(),
        consent_level={s.submission_id: "disaggregated" for s in sources},
        framework=load_framework(),
    ).values


def build(folder: Path, values: pa.Table, **changed: Any) -> Path:
    arguments: dict[str, Any] = {
        "label": "2026-Q4",
        "values": values,
        "framework": load_framework(),
        "areas": AREAS,
        "sources": [record("XCC"), record("XBB"), record("XAA", 2023), record("XAA"), record("XAA", 2020)],
        "fingerprint": "f" * 64,
        "signing_key": KEY,
        "denominators": DENOMINATORS,
        "round_pairs": round_pairs(
            pair(), pair(sex="F"), pair(sex="M", comparability="C"), pair(indicator="ACC1")
        ),
        "group_errors": group_errors(group(), group(submission_id="XCC_2026_COPS_v01_M")),
    }
    build_release(folder, **(arguments | changed))
    return folder


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory, values: pa.Table) -> Path:
    """A release that tests only read."""
    return build(tmp_path_factory.mktemp("release") / "2026-Q4", values)


def total(**changed: str) -> dict[str, str]:
    return dict.fromkeys(DIMENSIONS, "_T") | changed
