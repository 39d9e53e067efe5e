"""Withdrawal from end to end: from the identifier at the office to the sealed wave without the record."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.collect.harmonise import harmonise
from copstats.errors import ConfidentialityError
from copstats.framework import Framework, load_framework
from copstats.process.pseudonymise import pseudonymise, second_pseudonym, token_of
from copstats.process.withdrawal import count_held, identifiers, without
from copstats.store.custody.public import SigningKeyPublic
from copstats.store.engine import memory_connection
from copstats.store.home import Home
from copstats.store.keys import KeyStore
from copstats.store.withdrawal_request import WithdrawalRequest, read_request, write_request
from tests.collect.samples import encoded, manifest, opened, write
from tests.process.test_pseudonymise import FIELDS, KEYS, people, submission

WAVE, SCOPE = "XAA_2026_COPS", "wave:XAA_2026_COPS"
KEY = KEYS["child_id"]


def expected(key: bytes, *parts: str) -> str:
    """The token by the standard library's HMAC."""
    message = b""
    for part in parts:
        data = unicodedata.normalize("NFC", part).encode()
        message += len(data).to_bytes(4, "big") + data
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:32]


def test_tokens_of_a_list_are_those_of_the_table(small: Framework) -> None:
    children, parents = people()
    children[0]["child_id"] = parents[0]["child_id"] = unicodedata.normalize("NFD", "Zoë-1")
    made = submission(small, children, parents)
    tables = pseudonymise(made.connection, made, small, KEYS)
    for record, rows, field in (("child", children, "child_id"), ("parent", parents, "parent_id")):
        names = [row[field] for row in rows]
        assert set(token_of(field, names, KEYS[field])) == set(tables[record][field].to_pylist())
    assert token_of("child_id", ["Zoë-1"], KEY)[0] in tables["child"]["child_id"].to_pylist()
    again = second_pseudonym(tables["child"], {"child_id": b"r" * 32})
    second = token_of("child_id", tables["child"]["child_id"].to_pylist(), b"r" * 32)
    assert sorted(second) == again["child_id"].to_pylist()


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20), max_size=5),
    key=st.binary(min_size=32, max_size=100),
)
def test_tokens_of_a_list_are_those_of_the_standard_library(values: list[str], key: bytes) -> None:
    assert token_of("child_id", values, key) == [expected(key, "child_id", value) for value in values]


def test_a_short_key_makes_no_tokens() -> None:
    with pytest.raises(ConfidentialityError, match="C202"):
        token_of("child_id", ["a"], b"short")


def test_many_tokens_keep_the_order_of_the_list() -> None:
    values = [str(number) for number in range(5000)]
    assert token_of("child_id", values, KEY)[4321] == expected(KEY, "child_id", "4321")


def test_identifiers_are_read_as_collecting_reads_cells() -> None:
    lines = ["  007\n", "007\r\n", "\n", "\u00a0b 1\t", "B 1", "", "Zoë "]
    assert identifiers(lines) == ["007", "b 1", "B 1", "Zoë"]
    assert identifiers([]) == []


@pytest.mark.parametrize(
    ("extension", "cells", "typed"),
    [
        ("csv", [" 007 ", "b 1", "1001"], ["007", "b 1", "1001"]),
        ("xlsx", ["007", "\u00a0b 1", "1001"], ["007", "b 1", "1001"]),
        ("sav", ["007", "b 1 ", "1001"], ["007", "b 1", "1001"]),
        ("sav", [7.0, 1001.0, 123456789.0], ["7", "1001", "123456789"]),
        ("dta", [7.0, 1001.0, 123456789.0], ["7", "1001", "123456789"]),
        ("parquet", [7, 1001, 123456789], ["7", "1001", "123456789"]),
    ],
)
def test_what_the_office_types_is_what_the_harmonised_file_holds(
    tmp_path: Path, extension: str, cells: list[object], typed: list[str]
) -> None:
    columns = {"child_id": cells, "w": [1.0] * 3, "str": ["1"] * 3, "ea": ["1"] * 3, "age": [9.0, 10.0, 11.0]}
    says = manifest(files={"child": {"path": f"child.{extension}"}})
    folder = write(tmp_path / "sent", {f"child.{extension}": encoded(extension, columns, tmp_path)}, says)
    delivery, connection = opened(folder), memory_connection()
    harmonise(delivery, load_framework(delivery.manifest.framework), connection)
    held = connection.sql("SELECT child_id FROM child ORDER BY record_no").to_arrow_table()["child_id"]
    assert held.type == pa.string()
    assert identifiers(f" {name}\n" for name in typed) == held.to_pylist()


CHILD = pa.table({"child_id": ["a", "b", None, "c"], "age": [9, 10, 11, 12]})
PARENT = pa.table({"parent_id": ["p", "q", "r", "s"], "child_id": ["b", "b", None, "a"]})


def test_the_record_and_those_of_the_parents_are_gone() -> None:
    left = without({"child": CHILD, "parent": PARENT}, {"b", "z"})
    assert left["child"].to_pydict() == {"child_id": ["a", None, "c"], "age": [9, 11, 12]}
    assert left["parent"].to_pydict() == {"parent_id": ["r", "s"], "child_id": [None, "a"]}
    assert without({"child": CHILD}, [])["child"].equals(CHILD)
    unlinked = PARENT.drop_columns("child_id")
    assert without({"parent": unlinked}, {"b"})["parent"].equals(unlinked)
    everybody = without({"child": CHILD.drop_null()}, {"a", "b", "c"})["child"]
    assert (everybody.num_rows, everybody.schema) == (0, CHILD.schema)


@settings(max_examples=60, deadline=None)
@given(
    held=st.lists(st.sampled_from("abcdef"), max_size=12),
    gone=st.sets(st.sampled_from("abcdefg")),
    size=st.integers(1, 5),
)
def test_as_by_hand_for_tables_and_streams(held: list[str], gone: set[str], size: int) -> None:
    table = pa.table({"child_id": pa.array(held, pa.string()), "n": pa.array(range(len(held)), pa.int64())})
    by_hand = [(name, n) for n, name in enumerate(held) if name not in gone]
    for records in (table, table.to_reader(max_chunksize=size)):
        left = without({"child": records}, gone)["child"]
        assert list(zip(left["child_id"].to_pylist(), left["n"].to_pylist(), strict=True)) == by_hand
        assert left.schema == table.schema
    assert count_held(table.to_reader(max_chunksize=size), gone) == len(held) - len(by_hand)


def test_from_the_office_to_the_sealed_wave_and_not_back(small: Framework, tmp_path: Path) -> None:
    """The request holds no identifier; the child is gone from the wave and from a later version of it."""
    office = KeyStore(tmp_path)
    office.create("XAA")
    home = Home.open(tmp_path / "home", create=True)
    signer = Ed25519PrivateKey.generate()
    home.keys.registered.register(SigningKeyPublic.of("XAA", signer.public_key()), dt.date(2026, 1, 1))
    children, parents = people()
    made = submission(small, children, parents)
    first = {field: office.pseudonym_key("XAA", SCOPE, field) for field in FIELDS}
    own = {field: home.keys.pseudonym_key("XAA", SCOPE, field) for field in FIELDS[:3]}
    sealed = pseudonymise(made.connection, made, small, first)

    withdrawn = identifiers([f" {children[3]['child_id']} \n", "never-asked"])
    asked = token_of("child_id", withdrawn, first["child_id"])
    write_request(tmp_path / "asked", WithdrawalRequest.of(WAVE, asked, dt.date(2026, 11, 22)), signer)
    assert children[3]["child_id"].encode() not in (tmp_path / "asked").read_bytes()

    request = read_request(tmp_path / "asked", home.keys.registered, wave=WAVE)
    key = home.keys.pseudonym_key("XAA", request.key_scope, "child_id")
    assert home.tombstones.add(WAVE, token_of("child_id", request.tokens, key)) == 2
    gone = home.tombstones.tokens(WAVE)
    for version in ("XAA_2026_COPS_v01_M", "XAA_2026_COPS_v02_M"):
        received = {record: second_pseudonym(table, own) for record, table in sealed.items()}
        assert count_held(received["child"], gone) == 1
        home.waves.write(version, "XAA", without(received, gone), replace=True)
        ages = home.waves.read(version, "child").read_all()["age"].to_pylist()
        assert sorted(ages) == sorted(row["age"] for row in children[:3] + children[4:])
        expected_parents = sum(row["child_id"] != children[3]["child_id"] for row in parents)
        assert home.waves.read(version, "parent").read_all().num_rows == expected_parents < len(parents)
