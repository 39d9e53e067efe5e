"""The folder or zip that holds a submission. A zip is read in memory: nothing of it is unpacked to disk."""

from __future__ import annotations

import hashlib
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Protocol, cast

from copstats.collect.formats import HEAD_BYTES, held_format, named_format
from copstats.errors import SubmissionError

MAX_DATA_BYTES = 2**36
"""Of a data file in a folder. Workbooks have a lower limit, see `copstats.collect.parsers.workbook_parts`."""
MAX_UNPACKED_BYTES = 2**32
"""Of all files of a zip."""
MAX_MEMBERS = 1000
MAX_RATIO = 200
"""A member that unfolds further than this, and beyond ``LARGE``, is no survey file."""
LARGE = 10 * 2**20
_BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
)


@dataclass(frozen=True)
class DataSource:
    """A data file that was found, looked at and hashed, but not parsed.

    Attributes:
        name: path as the manifest writes it.
        format: CSV, Excel, SPSS, Stata or Parquet.
        size: in bytes.
        sha256: of its bytes, as hexadecimal digits.
        opener: opens it.
        path: where it lies; None for a member of a zip.
    """

    name: str
    format: str
    size: int
    sha256: str
    opener: Callable[[], IO[bytes]] = field(repr=False, compare=False)
    path: Path | None = None

    def open(self) -> IO[bytes]:
        """Return the bytes of the file, to be closed by the caller."""
        return self.opener()


class Package(Protocol):
    """What a folder and a zip have in common."""

    def document(self, name: str) -> bytes | None:
        """Return the bytes of a YAML document, or None if there is none of that name."""

    def data_file(self, name: str, where: str, encoding: str | None = None) -> DataSource:
        """Return a data file; ``where`` is the line that names it, ``encoding`` the declared one."""


def open_package(path: Path | Package) -> Package:
    """Open the folder or zip at ``path``; a package that is open already is returned.

    Raises:
        SubmissionError: there is neither, or the zip is damaged, hostile or encrypted.
    """
    if not isinstance(path, Path):
        return path
    if path.is_dir():
        return Folder(path)
    if path.is_file() and path.suffix.lower() == ".zip":
        return Archive(path)
    raise SubmissionError("S101", where=path.name)


class Folder:
    """A submission, or its data files, in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def document(self, name: str) -> bytes | None:
        """Return the bytes of a YAML document, or None if there is none of that name."""
        path = self.root / name
        return path.read_bytes() if path.is_file() else None

    def data_file(self, name: str, where: str, encoding: str | None = None) -> DataSource:
        """Return a data file inside the folder.

        Raises:
            SubmissionError: the path leaves the folder, or the file is absent, empty, too large or not what
                its name says.
        """
        path = self.root / inner_path(name, where)
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise SubmissionError("S120", where=where, path=name)
        if not path.is_file():
            raise SubmissionError("S121", where=where, path=name)
        size = path.stat().st_size
        with path.open("rb") as lines:
            kind = _checked_format(name, size, lines.read(HEAD_BYTES), encoding, where)
            lines.seek(0)
            digest = hashlib.file_digest(lines, "sha256").hexdigest()
        return DataSource(
            name=name, format=kind, size=size, sha256=digest, opener=lambda: path.open("rb"), path=path
        )


class File(Protocol):
    """What is known of a file before it is opened."""

    @property
    def size(self) -> int:
        """In bytes."""

    @property
    def sha256(self) -> str:
        """Of its bytes, as hexadecimal digits."""


class Files(Protocol):
    """Files by name, wherever they are kept; see `copstats.store.upload.Upload`."""

    @property
    def files(self) -> Mapping[str, File]:
        """Name -> what is known of it."""

    def document(self, name: str) -> bytes | None:
        """Return the bytes of a small file, or None if there is none of that name."""

    def open(self, name: str) -> IO[bytes]:
        """Return a file as a stream."""


class Kept:
    """A submission whose files are kept somewhere else than in a folder, for example encrypted."""

    def __init__(self, kept: Files) -> None:
        self._kept = kept

    def document(self, name: str) -> bytes | None:
        """Return the bytes of a YAML document, or None if there is none of that name."""
        return self._kept.document(name)

    def data_file(self, name: str, where: str, encoding: str | None = None) -> DataSource:
        """Return a data file.

        Raises:
            SubmissionError: as `Folder.data_file`.
        """
        inner_path(name, where)
        if name not in self._kept.files:
            raise SubmissionError("S121", where=where, path=name)
        known = self._kept.files[name]
        with self._kept.open(name) as lines:
            kind = _checked_format(name, known.size, lines.read(HEAD_BYTES), encoding, where)
        return DataSource(
            name=name,
            format=kind,
            size=known.size,
            sha256=known.sha256,
            opener=partial(self._kept.open, name),
        )


class Archive:
    """A submission in a zip; its entries may stand in one common folder."""

    def __init__(self, path: Path, opener: Callable[[], IO[bytes]] | None = None) -> None:
        """Look at what a zip holds.

        Args:
            path: of the file, or what errors call it.
            opener: opens it, where it does not lie at ``path``, as a seekable stream.

        Raises:
            SubmissionError: it is damaged, hostile or encrypted.
        """
        self.path = path
        self._opener = opener
        try:
            with self._zip() as archive:
                self._members = _members(archive, path.name)
        except _BROKEN_ZIP:
            raise SubmissionError("S130", where=path.name) from None
        self._base = _common_folder(self._members)

    def document(self, name: str) -> bytes | None:
        """Return the bytes of a YAML document, or None if there is none of that name."""
        return self._read(name)

    def data_file(self, name: str, where: str, encoding: str | None = None) -> DataSource:
        """Return a data file of the zip.

        Raises:
            SubmissionError: as `Folder.data_file`.
        """
        member = self._members.get(self._base + str(inner_path(name, where)))
        if member is None:
            raise SubmissionError("S121", where=where, path=name)
        try:
            with self._open(member) as unpacked:
                head = unpacked.read(HEAD_BYTES)
            kind = _checked_format(name, member.file_size, head, encoding, where)
            with self._open(member) as unpacked:
                digest = hashlib.file_digest(cast("io.BufferedReader", unpacked), "sha256").hexdigest()
        except _BROKEN_ZIP:
            raise SubmissionError("S130", where=self.path.name) from None
        return DataSource(
            name=name,
            format=kind,
            size=member.file_size,
            sha256=digest,
            opener=partial(self._open, member),
        )

    def _read(self, name: str) -> bytes | None:
        member = self._members.get(self._base + name)
        if member is None:
            return None
        try:
            with self._open(member) as unpacked:
                return unpacked.read(LARGE)  # more than a document may have
        except _BROKEN_ZIP:
            raise SubmissionError("S130", where=self.path.name) from None

    def _open(self, member: zipfile.ZipInfo) -> IO[bytes]:
        """Return an entry as a stream; it is unpacked as it is read, and its file is closed with it."""
        with self._zip() as archive:
            return archive.open(member)

    def _zip(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.path if self._opener is None else self._opener())


def inner_path(name: str, where: str) -> PurePosixPath:
    """Return a relative path that stays inside its folder, on every operating system.

    Raises:
        SubmissionError: the path is absolute, names a drive, climbs with ``..`` or holds a backslash.
    """
    path = PurePosixPath(name)
    foreign = "\\" in name or PureWindowsPath(name).drive or re.search(r"[\x00-\x1f]", name)
    if foreign or path.is_absolute() or ".." in path.parts or not path.parts:
        raise SubmissionError("S120", where=where, path=name)
    return path


def _checked_format(name: str, size: int, head: bytes, encoding: str | None, where: str) -> str:
    promised = named_format(name)
    if promised is None:
        raise SubmissionError("S122", where=where, path=name)
    if size == 0:
        raise SubmissionError("S123", where=where, path=name)
    if size > MAX_DATA_BYTES:
        raise SubmissionError("S125", where=where, path=name, limit=MAX_DATA_BYTES // 2**20)
    held = held_format(head, encoding)
    if held != promised:
        raise SubmissionError("S124", where=where, path=name, promised=promised, held=held)
    return promised


def _members(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    """Return the files of a zip by name, after a look at what its directory says of them."""
    entries = [entry for entry in archive.infolist() if not entry.filename.startswith("__MACOSX/")]
    if len(entries) > MAX_MEMBERS:
        raise SubmissionError("S132", where=name)
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise SubmissionError("S132", where=name)
    members: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        _check_member(entry, name)
        key = str(PurePosixPath(entry.filename))
        if key in members:
            raise SubmissionError("S131", where=name)
        if not entry.is_dir():
            members[key] = entry
    return members


def _check_member(entry: zipfile.ZipInfo, name: str) -> None:
    try:
        # orig_filename: zipfile itself cuts names at NUL and turns backslashes round on Windows.
        inner_path(entry.orig_filename, name)
    except SubmissionError:
        raise SubmissionError("S131", where=name) from None
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise SubmissionError("S131", where=name)
    if entry.flag_bits & 1:
        raise SubmissionError("S133", where=name)
    if entry.file_size > LARGE and entry.file_size > MAX_RATIO * entry.compress_size:
        raise SubmissionError("S132", where=name)


def _common_folder(members: dict[str, zipfile.ZipInfo]) -> str:
    """Return ``FOLDER/`` if the whole submission stands in one folder of the zip, else nothing."""
    tops = {name.partition("/")[0] for name in members if "/" in name}
    if any("/" not in name for name in members) or len(tops) != 1:
        return ""
    return f"{tops.pop()}/"
