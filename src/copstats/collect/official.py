"""Opens a submission that holds no survey: administrative counts, or answers to the policy questionnaire."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa

from copstats.collect.counts_file import read_counts
from copstats.collect.documents import Document, nearest
from copstats.collect.package import DataSource, Package, open_package
from copstats.collect.policy_file import read_answers
from copstats.collect.submission import MANIFEST
from copstats.errors import SubmissionError, SubmissionErrors
from copstats.framework import Area, Framework, frameworks, load_framework
from copstats.framework.official import AdministrativeManifest, OfficialManifest, PolicyManifest

_KINDS: dict[str | None, tuple[str, type[OfficialManifest]]] = {
    "administrative": ("administrative_manifest", AdministrativeManifest),
    "policy": ("policy_manifest", PolicyManifest),
}


@dataclass(frozen=True)
class OfficialSubmission:
    """Administrative counts or policy answers that passed all checks.

    Attributes:
        manifest: what the office states.
        content_hash: sha256 of what the manifest says and of the data file; the same for a folder and a zip.
        table: schema ``COUNTS`` or ``POLICY_ANSWERS``.
        framework: version that it follows.
    """

    manifest: OfficialManifest
    content_hash: str
    table: pa.Table
    framework: Framework

    @property
    def id(self) -> str:
        """For example ``KEN_2026_HELPLINE_v01_M``."""
        return self.manifest.submission_id


def is_official(path: Path | Package) -> bool:
    """Say whether a folder or zip holds administrative counts or policy answers; not if it is unreadable."""
    try:
        return _manifest_of(open_package(path)).text("kind") in _KINDS
    except SubmissionError:
        return False


def open_official(path: Path | Package, *, areas: Mapping[str, Area]) -> OfficialSubmission:
    """Open, read and check administrative counts or policy answers.

    Args:
        path: folder or zip: ``manifest.yaml`` and the data file; or a package that is open already.
        areas: countries and areas by ISO 3166-1 alpha-3 code.

    Raises:
        SubmissionErrors: all that is wrong, with file and line, or column and row; never a value.
    """
    try:
        package = open_package(path)
        document = _manifest_of(package)
    except SubmissionError as problem:
        raise SubmissionErrors([problem]) from None
    manifest, framework = _checked(document, areas)
    file = manifest.files.counts if isinstance(manifest, AdministrativeManifest) else manifest.files.answers
    try:
        where = document.where("files")
        source = package.data_file(file.path, where, file.encoding)
        if isinstance(manifest, AdministrativeManifest):
            table = read_counts(source, manifest, framework, areas)
        else:
            table = read_answers(source, manifest, framework)
    except SubmissionErrors:
        raise
    except SubmissionError as problem:
        raise SubmissionErrors([problem]) from None
    return OfficialSubmission(manifest, _content_hash(document, source), table, framework)


def _manifest_of(package: Package) -> Document:
    content = package.document(MANIFEST)
    if content is None:
        raise SubmissionError("S102", where=MANIFEST, file=MANIFEST)
    return Document(MANIFEST, content)


def _checked(document: Document, areas: Mapping[str, Area]) -> tuple[OfficialManifest, Framework]:
    kind = document.text("kind")
    if kind not in _KINDS:
        raise SubmissionErrors([SubmissionError("S371", where=document.where("kind"), kind=kind or "-")])
    schema, of_kind = _KINDS[kind]
    errors = document.errors(schema)
    known = frameworks()
    version, area = document.text("framework"), document.text("ref_area")
    if version is not None and version not in known:
        where = document.where("framework")
        errors.append(SubmissionError("S110", where=where, version=version, known=", ".join(known) or "-"))
    if area is not None and area not in areas:
        where = document.where("ref_area")
        errors.append(SubmissionError("S111", where=where, area=area, known=nearest(area, areas)))
    if errors:
        raise SubmissionErrors(errors)
    manifest = msgspec.convert(document.data, of_kind)
    return manifest, load_framework(manifest.framework)


def _content_hash(document: Document, source: DataSource) -> str:
    lines = f"manifest {document.fingerprint()}\ndata {source.sha256}"
    return hashlib.sha256(lines.encode()).hexdigest()
