"""Finds planted marks in files, however they are wrapped: encoded, compressed, packed, in a database.

A mark is a text that begins with `STEM`, or a number that the caller names. It is looked for in the bytes
of a file and in what these decode to, again and again: base64, hexadecimal, UTF-16 and UTF-32; gzip, zlib,
zstd, lz4, bzip2 and xz anywhere in a file (hence pickles, PDF and zip archives, damaged ones too); tables
of Parquet, Arrow, SQLite with its journal, and DuckDB.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import contextlib
import hashlib
import lzma
import re
import shutil
import sqlite3
import struct
import tempfile
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

STEM = "zqkanari"
_MARK = re.compile(STEM.encode() + rb"[a-z0-9]*", re.IGNORECASE)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){8,}")
_DIGEST = re.compile(rb"[0-9a-f]{32,64}")
_DEEPEST = 5
_MOST = 64 * 2**20

_Unpack = Callable[[bytes], bytes]


def _zstd_or_lz4(codec: str) -> _Unpack:
    return lambda content: bytes(pa.CompressedInputStream(pa.BufferReader(content), codec).read(_MOST))


_COMPRESSED: list[tuple[re.Pattern[bytes], _Unpack]] = [
    (re.compile(rb"\x1f\x8b\x08"), lambda c: zlib.decompressobj(31).decompress(c, _MOST)),
    (re.compile(rb"\x78[\x01\x5e\x9c\xda]"), lambda c: zlib.decompressobj().decompress(c, _MOST)),
    (re.compile(rb"BZh[1-9]1AY&SY"), lambda c: bz2.BZ2Decompressor().decompress(c, _MOST)),
    (re.compile(rb"\xfd7zXZ\0"), lambda c: lzma.LZMADecompressor().decompress(c, _MOST)),
    (re.compile(rb"\x28\xb5\x2f\xfd"), _zstd_or_lz4("zstd")),
    (re.compile(rb"\x04\x22\x4d\x18"), _zstd_or_lz4("lz4")),
]
_FAILS = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, pa.ArrowException, struct.error)


@dataclass
class Scanner:
    """Looks for marks.

    Attributes:
        numbers: numbers that count as marks, as text and as they stand in memory (64-bit integer or float).
        identifiers: texts whose digest without a key counts as a mark too.
    """

    numbers: Collection[float] = ()
    identifiers: Collection[str] = ()
    _patterns: dict[bytes, str] = field(init=False, default_factory=dict)
    _digests: dict[bytes, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for number in self.numbers:
            forms = [str(number).encode(), struct.pack("<d", number)]
            if float(number).is_integer():
                forms += [struct.pack("<q", int(number))]
            self._patterns |= dict.fromkeys(forms, str(number))
        for text in self.identifiers:
            for digest in (hashlib.md5, hashlib.sha1, hashlib.sha256):
                self._digests[digest(text.encode()).hexdigest().encode()] = f"digest of {text}"

    def folder(self, folder: Path) -> dict[str, set[str]]:
        """Return relative path -> marks, for every file in which, or in whose name, there is one."""
        found = {}
        for path in sorted(folder.rglob("*")):
            marks = self.text(str(path.relative_to(folder)).encode())
            marks |= self.file(path) if path.is_file() else set()
            if marks:
                found[path.relative_to(folder).as_posix()] = marks
        return found

    def file(self, path: Path) -> set[str]:
        """Return the marks in a file; a database is opened together with its journal."""
        content = path.read_bytes()
        found = self.text(content)
        if content.startswith(b"SQLite format 3\0"):
            found |= self.text(_sqlite(path))
        elif content[8:12] == b"DUCK":
            found |= self.text(_duckdb(path))
        return found

    def text(self, content: bytes, depth: int = 0) -> set[str]:
        """Return the marks in bytes and in what they decode to."""
        found = {mark.decode().lower() for mark in _MARK.findall(content)}
        found |= {mark for form, mark in self._patterns.items() if form in content}
        if self._digests:
            found |= {self._digests[d] for d in _DIGEST.findall(content) if d in self._digests}
        if depth < _DEEPEST:
            for inner in _decoded(content):
                if len(inner) >= len(STEM):
                    found |= self.text(inner, depth + 1)
        return found


def _decoded(content: bytes) -> Iterator[bytes]:
    if b"\0" in content and not content.startswith(b"PAR1"):
        narrow = content.replace(b"\0", b"")  # UTF-16 and UTF-32
        yield from (mark.group() for mark in _MARK.finditer(narrow))
    yield from _texts(content)
    for magic, unpack in _COMPRESSED:
        for match in magic.finditer(content):
            with contextlib.suppress(*_FAILS):
                yield unpack(content[match.start() :])
    yield from _zipped(content)
    if content.startswith(b"PAR1"):
        yield from _parquet(content)
    if content.startswith(b"ARROW1"):
        with contextlib.suppress(*_FAILS):
            yield _plain(pa.ipc.open_file(pa.BufferReader(content)).read_all())


def _texts(content: bytes) -> Iterator[bytes]:
    """What stands in base64 (broken into lines, or after other letters too) or hexadecimal digits."""
    flat = content.replace(b"\\n", b"").replace(b"\r", b"").replace(b"\n", b"")
    for run in _BASE64.findall(flat):
        standard = run.replace(b"-", b"+").replace(b"_", b"/")
        for start in range(4):
            whole = standard[start:]
            yield base64.b64decode(whole[: len(whole) // 4 * 4])
    for run in _HEX.findall(flat):
        with contextlib.suppress(binascii.Error):
            yield binascii.unhexlify(run)


def _zipped(content: bytes) -> Iterator[bytes]:
    """Members of archives by their local headers, so also of an archive that is cut or hidden in a file."""
    for match in re.finditer(rb"PK\x03\x04", content):
        header = content[match.start() : match.start() + 30]
        if len(header) == 30 and header[8:10] == b"\x08\0":
            lengths = struct.unpack("<HH", header[26:30])
            with contextlib.suppress(*_FAILS):
                yield zlib.decompressobj(-15).decompress(content[match.start() + 30 + sum(lengths) :], _MOST)


def _parquet(content: bytes) -> Iterator[bytes]:
    with contextlib.suppress(*_FAILS):
        file = pq.ParquetFile(pa.BufferReader(content))
        yield str(file.metadata.to_dict()).encode()
        yield str(file.schema_arrow).encode()
        yield str(file.schema_arrow.metadata).encode()
        yield _plain(file.read())


def _plain(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


@contextlib.contextmanager
def _copied(path: Path) -> Iterator[Path]:
    """A copy beside which a database may write: the original stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        for part in path.parent.glob(f"{path.name}*"):
            if part.is_file():
                shutil.copyfile(part, Path(folder) / part.name)
        yield Path(folder) / path.name


def _sqlite(path: Path) -> bytes:
    with _copied(path) as copy, contextlib.closing(sqlite3.connect(copy)) as connection:
        connection.text_factory = lambda content: content.decode("utf-8", "replace")
        return "\n".join(connection.iterdump()).encode()


def _duckdb(path: Path) -> bytes:
    with _copied(path) as copy, duckdb.connect(str(copy)) as connection:
        out = [_plain(connection.sql("FROM duckdb_columns()").to_arrow_table())]
        for schema, name in connection.sql("SELECT schema_name, table_name FROM duckdb_tables()").fetchall():
            out.append(_plain(connection.sql(f'FROM "{schema}"."{name}"').to_arrow_table()))
        for source in ("duckdb_views()", "duckdb_tables()", "duckdb_functions()"):
            out.append(_plain(connection.sql(f"FROM {source}").to_arrow_table()))
        return b"".join(out)
