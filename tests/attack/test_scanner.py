"""The scanner finds a mark in every wrapping that this system or a careless program could give it."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import pickle
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from copstats.store.home import Home
from tests.attack.scanner import STEM, Scanner

MARK = f"{STEM}7f3a"
TEXT = f"she said {MARK} to nobody"
NUMBER = 731.20918273


def frame() -> pd.DataFrame:
    return pd.DataFrame({"answer": [TEXT, "other"] * 400, "weight": [NUMBER, 1.0] * 400})


def buffered(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def zipped(content: bytes) -> bytes:
    def write(buffer: io.BytesIO) -> None:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.bin", content)

    return buffered(write)


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, "zstd", asbytes=True))


def workbook() -> bytes:
    book = openpyxl.Workbook()
    book.active["A1"] = TEXT
    return buffered(book.save)


def parquet(**options: object) -> bytes:
    return buffered(lambda buffer: pq.write_table(pa.table({"answer": [TEXT] * 50}), buffer, **options))


def attributes() -> bytes:
    data = pd.DataFrame({"n": [1]})
    data.attrs["origin"] = TEXT
    return buffered(data.to_parquet)


def unused_category() -> bytes:
    data = pd.DataFrame({"school": pd.Categorical(["open"], categories=["open", TEXT])})
    return buffered(data.to_parquet)


WRAPPINGS: dict[str, bytes] = {
    "plain": TEXT.encode(),
    "capitals": TEXT.upper().encode(),
    "UTF-16": TEXT.encode("utf-16-le"),
    "UTF-32": TEXT.encode("utf-32-be"),
    "hexadecimal": TEXT.encode().hex().encode(),
    "base64": base64.b64encode(TEXT.encode()),
    "base64 in lines": base64.encodebytes(b"x" * 57 + TEXT.encode() * 5),
    "base64 after letters": b"ab" + base64.b64encode(TEXT.encode()),
    "base64 for addresses": base64.urlsafe_b64encode(b"\xff\xfb\xef\xbe" + TEXT.encode()),
    "base64 in JSON": json.dumps({"blob": base64.encodebytes(TEXT.encode() * 9).decode()}).encode(),
    "gzip": gzip.compress(TEXT.encode()),
    "gzip, cut": gzip.compress(TEXT.encode() + os.urandom(9000))[:4000],
    "zlib within": b"%PDF stream\n" + zlib.compress(TEXT.encode() * 3) + b"endstream",
    "bzip2": bz2.compress(TEXT.encode()),
    "xz": lzma.compress(TEXT.encode()),
    "zstd within": b"page" + zstd(TEXT.encode()),
    "zip": zipped(TEXT.encode()),
    "zip, cut": zipped(TEXT.encode())[:80],
    "zip in zip": zipped(zipped(TEXT.encode())),
    "workbook": workbook(),
    "pickle": pickle.dumps({"rows": [TEXT]}),
    "pickle of a frame": pickle.dumps(frame()),
    "pickle of an array": pickle.dumps(np.array([TEXT])),
    "gzip of a pickle in base64 in JSON": json.dumps(
        {"result": base64.b64encode(gzip.compress(pickle.dumps(TEXT))).decode()}
    ).encode(),
    "Parquet": parquet(),
    "Parquet, zstd": parquet(compression="zstd", use_dictionary=False, write_statistics=False),
    "Parquet metadata": attributes(),
    "Parquet category": unused_category(),
    "Feather": buffered(lambda buffer: frame().to_feather(buffer, compression="lz4")),
}


@pytest.mark.parametrize("content", WRAPPINGS.values(), ids=WRAPPINGS)
def test_a_mark_is_found_in_every_wrapping(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file.bin").write_bytes(content)
    found = Scanner().folder(tmp_path)["file.bin"]
    assert any(mark.startswith(MARK) for mark in found)


def test_a_mark_is_found_in_a_database_and_its_journal(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "s.sqlite")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    # The text crosses pages, and stands in the journal alone.
    connection.execute("INSERT INTO t VALUES (?)", ("." * 4060 + TEXT + "." * 9000,))
    connection.execute("INSERT INTO t VALUES (?)", (zlib.compress(b"blob of " + MARK.encode()),))
    connection.commit()
    found = Scanner().folder(tmp_path)
    connection.close()
    assert MARK in found["s.sqlite"]
    with duckdb.connect(str(tmp_path / "d.duckdb")) as database:
        database.register("frame", pa.Table.from_pandas(frame()))
        database.execute("CREATE TABLE t AS SELECT answer || (random()*1e9)::INT AS answer FROM frame")
        database.execute("CREATE TABLE c (x INT)")
        database.execute(f"COMMENT ON TABLE c IS '{MARK}comment'")
    found = Scanner().folder(tmp_path)
    assert {MARK, f"{MARK}comment"} <= found["d.duckdb"]


@pytest.mark.parametrize(
    "content",
    [
        f"weight={NUMBER}".encode(),
        struct.pack("<d", NUMBER),
        pickle.dumps(frame()["weight"].to_numpy()),
        buffered(frame()[["weight"]].to_parquet),
        zipped(f"<v>{NUMBER}</v>".encode()),
    ],
)
def test_a_number_is_found_as_text_and_as_it_stands_in_memory(content: bytes) -> None:
    assert Scanner(numbers=[NUMBER]).text(content) == {str(NUMBER)}
    assert Scanner(numbers=[NUMBER + 1]).text(content) == set()


def test_an_identifier_is_found_by_its_digest(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"7-1204-2").hexdigest()
    assert Scanner(identifiers=["7-1204-2"]).text(f'{{"child":"{digest}"}}'.encode()) == {
        "digest of 7-1204-2"
    }


def test_names_of_files_count(tmp_path: Path) -> None:
    (tmp_path / MARK).mkdir()
    assert Scanner().folder(tmp_path) == {MARK: {MARK}}


def test_what_is_encrypted_or_without_a_mark_is_clean(tmp_path: Path) -> None:
    (tmp_path / "sealed").write_bytes(AESGCM(os.urandom(32)).encrypt(os.urandom(12), TEXT.encode() * 99, b""))
    (tmp_path / "plain").write_bytes(b"nothing here" * 999)
    home = Home.open(tmp_path / "home", create=True)
    home.waves.write("XAA_2026_COPS_v01_M", "XAA", {"child": pa.Table.from_pandas(frame())})
    assert Scanner(numbers=[NUMBER], identifiers=["x"]).folder(tmp_path) == {}
