"""Small submissions of counts and answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from copstats.collect.official import OfficialSubmission, open_official
from copstats.framework import Area

AREAS = {code: Area(code, code, {}) for code in ("KEN", "NAM", "NOR")}
_MANIFEST: dict[str, Any] = {
    "framework": "cop-2026",
    "ref_area": "KEN",
    "reference_year": 2025,
    "version": 1,
    "title": {"en": "Counts"},
    "dissemination": {"consent": True},
    "contact": {"organisation": "Statistics office"},
}


def counts(folder: Path, lines: Iterable[str], **changes: Any) -> Path:
    """Write a submission of counts; a change of ``files`` is one of ``files.counts``."""
    own = {"kind": "administrative", "collection": "HELPLINE"}
    file = {"path": "counts.csv"} | changes.pop("files", {})
    return _written(folder, lines, own | {"files": {"counts": file}} | changes)


def answers(folder: Path, lines: Iterable[str], **changes: Any) -> Path:
    """Write a submission of policy answers."""
    own = {"kind": "policy", "collection": "POLICY", "respondent_role": "focal point"}
    return _written(folder, lines, own | {"files": {"answers": {"path": "counts.csv"}}} | changes)


def _written(folder: Path, lines: Iterable[str], says: Mapping[str, Any]) -> Path:
    folder.mkdir(parents=True)
    (folder / "counts.csv").write_text("\n".join([*lines, ""]), "utf-8")
    (folder / "manifest.yaml").write_text(yaml.safe_dump({**_MANIFEST, **says}), "utf-8")
    return folder


def opened(folder: Path) -> OfficialSubmission:
    return open_official(folder, areas=AREAS)
