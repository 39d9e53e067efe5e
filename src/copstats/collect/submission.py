"""Opens a submission: everything that can be said of it before its data are read, all at once."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

import msgspec

from copstats.collect.crosswalk_checks import check_crosswalk, framework_variable
from copstats.collect.documents import Document, nearest
from copstats.collect.formats import named_format
from copstats.collect.package import DataSource, Folder, Package, open_package
from copstats.collect.readers import SourceFile, read_file
from copstats.errors import SubmissionError, SubmissionErrors
from copstats.framework import Area, Framework, frameworks, load_framework
from copstats.framework.definitions import RecordKind
from copstats.framework.manifest import Crosswalk, DataFile, SurveyManifest

T = TypeVar("T")
MANIFEST = "manifest.yaml"
CROSSWALK = "crosswalk.yaml"
RECORDS: tuple[RecordKind, ...] = ("child", "parent")
_NO_ENCODINGS = ("idna", "punycode", "undefined", "unicode", "raw", "mbcs", "oem", "utf-7", "utf_7")
"""Codecs of the library that are no encodings of a data file."""


@dataclass(frozen=True)
class Submission:
    """A submission that can be read.

    Attributes:
        manifest: what the survey says of itself.
        crosswalk: national columns and codes to those of the framework, if there is one.
        content_hash: sha256 of what the manifest and the crosswalk say and of the data files; the same for a
            folder and a zip, and wherever they lie.
        data_files: record kind -> data file.
        crosswalk_document: the crosswalk with its lines, for messages.
        manifest_document: the manifest with its lines, for messages.
    """

    manifest: SurveyManifest
    crosswalk: Crosswalk | None
    content_hash: str
    data_files: Mapping[RecordKind, DataSource]
    manifest_document: Document
    crosswalk_document: Document | None

    @property
    def id(self) -> str:
        """Identifier after IHSN, for example ``KEN_2026_COPS_v01_M``."""
        return self.manifest.submission_id

    @property
    def wave(self) -> str:
        """Identifier of the survey round, for example ``KEN_2026_COPS``."""
        return self.manifest.wave


def open_submission(
    path: Path | Package,
    *,
    manifest: Path | None = None,
    data: Path | None = None,
    areas: Mapping[str, Area],
    root: Path | None = None,
    planned: bool = False,
) -> Submission:
    """Open the submission in a folder or zip, or a data file with the manifest that describes it.

    Args:
        path: the folder, or a ``.zip``: ``manifest.yaml``, perhaps ``crosswalk.yaml``, and the data files;
            or a bare data file, which takes the place of the one that the manifest names; or a package that
            is open already.
        manifest: the manifest, if it lies elsewhere or has another name; ``crosswalk.yaml`` lies beside it.
        data: folder of the data files, if they lie elsewhere.
        areas: countries and areas by ISO 3166-1 alpha-3 code.
        root: folder that holds ``schemas/`` and ``indicators/``; the project's own by default.
        planned: data files need not be there yet; those that are not are absent from ``data_files``.

    Raises:
        SubmissionErrors: all that prevents reading it, each with file and line.
    """
    errors: list[SubmissionError] = []
    bare = path.name if isinstance(path, Path) and path.is_file() and named_format(path.name) else None
    with _collected(errors):
        package = _package(path, bare=bare is not None)
        documents = Folder(manifest.parent) if manifest is not None else package
        manifest_document = _document(documents, manifest.name if manifest is not None else MANIFEST)
    _raise(errors)
    crosswalk_document = None
    with _collected(errors):
        if documents.document(CROSSWALK) is not None:
            crosswalk_document = _document(documents, CROSSWALK)
    says = _typed(manifest_document, "manifest", SurveyManifest, errors)
    crosswalk = _typed(crosswalk_document, "crosswalk", Crosswalk, errors) if crosswalk_document else None
    errors += _unknown_area(manifest_document, areas)
    framework = _framework(manifest_document, root, errors)
    if framework is not None:
        errors += _unknown_names(manifest_document, framework)
        if crosswalk is not None and crosswalk_document is not None:
            errors += check_crosswalk(crosswalk, crosswalk_document, framework)
    faults: list[SubmissionError] = []
    sources = _data_files(manifest_document, Folder(data) if data is not None else package, faults, bare)
    errors += [fault for fault in faults if not (planned and fault.code == "S121")]
    if says is not None:
        errors += _contradictions(says, manifest_document, crosswalk, crosswalk_document)
    _raise(errors)
    assert says is not None  # noqa: S101
    return Submission(
        manifest=says,
        crosswalk=crosswalk,
        content_hash=_content_hash(manifest_document, crosswalk_document, sources),
        data_files=sources,
        manifest_document=manifest_document,
        crosswalk_document=crosswalk_document,
    )


def read_source(submission: Submission, record: RecordKind) -> SourceFile:
    """Read the data file of a record kind (in a limited subprocess).

    Raises:
        SubmissionError: the file cannot be read; names a column or row, never a value.
    """
    says: DataFile = getattr(submission.manifest.files, record)
    return read_file(submission.data_files[record], says)


def _package(path: Path | Package, *, bare: bool) -> Package:
    if not isinstance(path, Path):
        return path
    return Folder(path.parent) if bare else open_package(path)


@contextmanager
def _collected(errors: list[SubmissionError]) -> Iterator[None]:
    try:
        yield
    except SubmissionErrors as several:
        errors += several.errors
    except SubmissionError as one:
        errors.append(one)


def _raise(errors: list[SubmissionError]) -> None:
    if errors:
        raise SubmissionErrors(errors)


def _document(package: Package, name: str) -> Document:
    content = package.document(name)
    if content is None:
        raise SubmissionError("S102", where=name, file=name)
    return Document(name, content)


def _typed(document: Document, schema: str, kind: type[T], errors: list[SubmissionError]) -> T | None:
    """Return the document as its type, or None where its JSON Schema finds errors."""
    found = document.errors(schema)
    errors += found
    if found:
        return None
    try:
        return msgspec.convert(document.data, kind)
    except msgspec.ValidationError as problem:
        # Only what JSON cannot express, such as `true` used as a key.
        errors.append(SubmissionError("S107", where=document.name, key=document.name, expected=str(problem)))
        return None


def _unknown_area(manifest: Document, areas: Mapping[str, Area]) -> Iterator[SubmissionError]:
    area = manifest.text("ref_area")
    if area is not None and re.fullmatch("[A-Z]{3}", area) and area not in areas:
        yield SubmissionError("S111", where=manifest.where("ref_area"), area=area, known=nearest(area, areas))


def _framework(manifest: Document, root: Path | None, errors: list[SubmissionError]) -> Framework | None:
    version = manifest.text("framework")
    known = frameworks(root)
    if version in known:
        return load_framework(version, root)
    if version is not None:
        where = manifest.where("framework")
        errors.append(SubmissionError("S110", where=where, version=version, known=", ".join(known) or "-"))
    return None


def _unknown_names(manifest: Document, framework: Framework) -> Iterator[SubmissionError]:
    for index, module in enumerate(manifest.names("modules")):
        if module not in framework.modules:
            known = nearest(module, framework.modules)
            yield SubmissionError("S118", where=manifest.where("modules", index), module=module, known=known)
    names = framework.variables("dyad")
    for index, name in enumerate(manifest.names("not_asked")):
        if not any(framework_variable(framework, record, name) for record in RECORDS):
            where = manifest.where("not_asked", index)
            yield SubmissionError("S119", where=where, variable=name, known=nearest(name, names))


def _data_files(
    manifest: Document, package: Package, errors: list[SubmissionError], bare: str | None
) -> dict[RecordKind, DataSource]:
    """Return the data files by record kind; ``bare``: the one file that was given without its folder."""
    sources: dict[RecordKind, DataSource] = {}
    names = {record: manifest.text("files", record, "path") for record in RECORDS}
    if bare is not None:
        named = [record for record, name in names.items() if name and PurePosixPath(name).name == bare]
        names[named[0] if named else "child"] = bare
    for record, name in names.items():
        place = ("files", record)
        encoding = manifest.text(*place, "encoding")
        if encoding is not None and not _is_encoding(encoding):
            errors.append(
                SubmissionError("S126", where=manifest.where(*place, "encoding"), encoding=encoding)
            )
        if name:
            with _collected(errors):
                sources[record] = package.data_file(name, manifest.where(*place, "path"), encoding)
    return sources


def _is_encoding(name: str) -> bool:
    try:
        codec = codecs.lookup(name)
        codec.decode(b"")
    except (LookupError, ValueError):
        return False
    return not codec.name.startswith(_NO_ENCODINGS) and bool(getattr(codec, "_is_text_encoding", True))


def _contradictions(
    manifest: SurveyManifest,
    document: Document,
    crosswalk: Crosswalk | None,
    crosswalk_document: Document | None,
) -> Iterator[SubmissionError]:
    """Yield entries that are well formed and cannot both be true."""
    if manifest.fieldwork.end < manifest.fieldwork.start:
        yield SubmissionError("S127", where=document.where("fieldwork", "end"), first="start", second="end")
    ages = manifest.population.ages
    if ages.max < ages.min:
        where = document.where("population", "ages", "max")
        yield SubmissionError("S127", where=where, first="min", second="max")
    replicates = manifest.design.replicate_weights
    if replicates is not None and replicates.rscales is not None:
        columns, scales = len(replicates.columns), len(replicates.rscales)
        if columns != scales:
            where = document.where("design", "replicate_weights", "rscales")
            yield SubmissionError("S128", where=where, columns=columns, scales=scales)
    lone_parent = crosswalk is not None and crosswalk.parent and manifest.files.parent is None
    if lone_parent and crosswalk_document is not None:
        yield SubmissionError("S129", where=crosswalk_document.where("parent"))


def _content_hash(
    manifest: Document, crosswalk: Document | None, sources: Mapping[RecordKind, DataSource]
) -> str:
    lines = [f"manifest {manifest.fingerprint()}"]
    if crosswalk is not None:
        lines.append(f"crosswalk {crosswalk.fingerprint()}")
    lines += [f"{record} {source.sha256}" for record, source in sorted(sources.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
