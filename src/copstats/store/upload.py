"""The encrypted files of one raw upload, in its folder of the quarantine.

``0000.sealed`` holds the names, sizes and hashes of the files: names can identify, so they are encrypted too.
``0001.sealed``, ``0002.sealed``, ... are the files, in the order of their names. All are bound to area,
upload, time of arrival and name (:mod:`copstats.store.sealed_stream`), and decrypted as they are read, in
memory only.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal, NoReturn

import msgspec
from msgspec import structs

from copstats.errors import ConfidentialityError, SubmissionError, UsageError
from copstats.store.sealed_stream import TooLarge, open_stream, seal_stream

LAYOUT = 1
MOST_FILES = 1000
MOST_BYTES = 2**36
_INDEX = 0

Opener = Callable[[], IO[bytes]]
Reason = Literal["accepted", "rejected", "declined", "withdrawn", "expired"]


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept of an upload for good.

    Attributes:
        upload_id: for example ``KEN_4f1c09aa5e3b77d2``.
        area: ISO 3166-1 alpha-3.
        received: when it came, UTC.
        sizes: bytes of each file, in ascending order; empty if the upload was found damaged.
        sha256: of the whole: of what ``sha256sum`` prints of the files in the order of their names.
        destroyed: when it was destroyed, UTC.
        reason: why.
    """

    upload_id: str
    area: str
    received: dt.datetime
    sizes: tuple[int, ...] = ()
    sha256: str = ""
    destroyed: dt.datetime | None = None
    reason: Reason | None = None


class UploadedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of an upload.

    Attributes:
        name: relative path with ``/``, as it came.
        size: in bytes.
        sha256: of its bytes, hexadecimal.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Upload:
    """An upload in the hands of a step that may see microdata. No scheduler can keep it: it is not pickled.

    Attributes:
        receipt: what is known of it.
        files: name -> file, in the order of names.
    """

    receipt: Receipt
    files: Mapping[str, UploadedFile]
    _folder: Path = field(repr=False)
    _data_key: bytes = field(repr=False)

    def document(self, name: str) -> bytes | None:
        """Return the bytes of a file that fits in memory, or None if there is none of that name.

        Raises:
            ConfidentialityError: C005, it was changed.
        """
        if name not in self.files:
            return None
        with self.open(name) as stream:
            return stream.read()

    def open(self, name: str) -> io.BufferedReader:
        """Return a file as a seekable stream, decrypted as it is read; to be closed by the caller.

        Raises:
            UsageError: U341, there is none of that name.
            ConfidentialityError: C005, it is missing, cut or another one; while reading, it was changed.
        """
        if name not in self.files:
            raise UsageError("U341", where=self.receipt.upload_id)
        part = _part(self._folder, list(self.files).index(name) + 1)
        return open_stream(part, self._data_key, _context(self.receipt, name), self.receipt.upload_id)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a handle on microdata is never stored or sent: pass the upload's id")


def seal_upload(
    files: Mapping[str, Opener], folder: Path, arriving: Receipt, data_key: bytes, *, most_bytes: int
) -> Receipt:
    """Encrypt the files of an upload into a folder, as they are read.

    Args:
        files: name -> what opens it; one after the other is opened, read to its end and closed.
        folder: where to, private.
        arriving: id, area and time of arrival.
        data_key: of this upload alone.
        most_bytes: limit of all files together.

    Returns:
        The receipt with sizes and hash.

    Raises:
        SubmissionError: S340, there are too many files or bytes; S341, a name cannot be used.
    """
    too_large = SubmissionError(
        "S340", where=arriving.upload_id, files=MOST_FILES, megabytes=most_bytes // 2**20
    )
    if len(files) > MOST_FILES:
        raise too_large
    held: list[UploadedFile] = []
    for number, (name, opener) in enumerate(sorted(files.items()), start=1):
        context, left = _context(arriving, name), most_bytes - sum(one.size for one in held)
        try:
            with opener() as source:
                written = seal_stream(source, _part(folder, number), data_key, context, most=left)
        except TooLarge:
            raise too_large from None
        held.append(UploadedFile(name=name, size=written.size, sha256=written.sha256))
    index = msgspec.json.encode(held)
    seal_stream(io.BytesIO(index), _part(folder, _INDEX), data_key, _context(arriving), most=len(index))
    return structs.replace(arriving, sizes=_sizes(held), sha256=_hash_of_all(held))


def open_upload(folder: Path, receipt: Receipt, data_key: bytes) -> Upload:
    """Return the files of an upload.

    Raises:
        ConfidentialityError: C005, the list of files was changed or is not that of the receipt.
    """
    with open_stream(_part(folder, _INDEX), data_key, _context(receipt), receipt.upload_id) as stream:
        held = msgspec.json.decode(stream.read(), type=list[UploadedFile])
    if (receipt.sizes, receipt.sha256) != (_sizes(held), _hash_of_all(held)):
        raise ConfidentialityError("C005", where=receipt.upload_id)
    return Upload(receipt, {one.name: one for one in held}, folder, data_key)


def _part(folder: Path, number: int) -> Path:
    return folder / f"{number:04d}.sealed"


def _context(receipt: Receipt, name: str | None = None) -> bytes:
    """Return what binds a file to its upload; without a name, the list of its files."""
    parts = [f"copstats-quarantine-{LAYOUT}", receipt.area, receipt.upload_id, receipt.received.isoformat()]
    # The name comes last: it alone can hold the sign between the parts.
    parts += ["index"] if name is None else ["file", name]
    try:
        return "|".join(parts).encode()
    except UnicodeEncodeError:
        raise SubmissionError("S341", where=receipt.upload_id) from None


def _sizes(held: Iterable[UploadedFile]) -> tuple[int, ...]:
    return tuple(sorted(one.size for one in held))


def _hash_of_all(held: Iterable[UploadedFile]) -> str:
    return hashlib.sha256("".join(f"{one.sha256}  {one.name}\n" for one in held).encode()).hexdigest()
