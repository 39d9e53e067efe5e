from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from copstats.framework.manifest import SurveyManifest
from copstats.store.home import Home
from copstats.store.portal_uploads import UploadRegistry
from copstats.store.rows import FindingCount, NewSubmission, Provenance, State, Submission

RISK = {"all": {"keys": "sex age", "acceptable": "yes", "alone": "none", "below_3": "< 1 %"}}
MANIFEST: dict[str, Any] = {
    "kind": "survey",
    "framework": "cop-2026",
    "survey": "COPS",
    "reference_year": 2026,
    "title": {"en": "Children online", "fr": "Enfants en ligne"},
    "fieldwork": {"start": "2026-03-01", "end": "2026-05-31"},
    "population": {
        "ages": {"min": 9, "max": 17},
        "universe": "internet_users",
        "setting": "household",
        "coverage": "national",
    },
    "design": {"weight": "wt", "stratum": None, "psu": "cluster"},
    "sampling": "probability_documented",
    "mode": "self_completed",
    "modules": ["access"],
    "ethics": {"review": None, "consent": "parent_and_child"},
    "dissemination": {"consent": True},
    "response_rate": {"overall": 0.815},
    "files": {"child": {"path": "child.csv"}},
    "contact": {"organisation": "Statistics office", "email": "office@example.org"},
}


def register(
    home: Path,
    area: str,
    *,
    version: int = 1,
    survey: str = "COPS",
    findings: Mapping[str, int] | None = None,
    state: State = State.WAITING,
    sent_with: str = "",
) -> Submission:
    """Enter a checked submission, and with `sent_with`, a token's id, the upload that it came by."""
    said = {**MANIFEST, "ref_area": area, "version": version, "survey": survey}
    opened = Home.open(home)
    new = NewSubmission.of_survey(
        msgspec.convert(said, SurveyManifest),
        None,
        framework_fingerprint="f" * 64,
        content_hash=f"{area}{survey}{version}".encode().hex().ljust(64, "0"),
        variables={"child": ["sex"]},
        records={"child": 1200},
    )
    counts = [
        FindingCount(f"{severity}:one", severity, count) for severity, count in (findings or {}).items()
    ]
    provenance = Provenance(custody="double", linkage="wave", key_id="k1", agreement="agrees", risk=RISK)
    made = opened.registry.register(new, state, counts, provenance=provenance)
    if sent_with:
        uploads, now = UploadRegistry(opened.registry.database), dt.datetime.now(dt.UTC)
        begun, _ = uploads.begin(
            area, sent_with, "sealed", size=10, sha256=made.content_hash, most_open=9, now=now
        )
        uploads.complete(begun.id, now=now)
        uploads.finish(begun.id, made.id, now=now)
    return made
