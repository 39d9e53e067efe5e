"""Numbers 12 and 13: guessing who is behind a pseudonym, and following a child from one file into another.

The attacker holds the sealed tables of two rounds and knows how codes of households and children are made up.
The twin replaces them as many offices do: by an SHA-256 without a key.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from copstats.errors import ConfidentialityError
from copstats.framework import Framework, load_framework
from copstats.process.sealing import prepare, pseudonymised_again
from copstats.store.keys import KeyStore
from tests.process.material import MANIFEST, Submission, manifest

FRAMEWORK: Framework = load_framework()
PANEL: dict[str, Any] = {
    "ethics": MANIFEST["ethics"] | {"panel_linkage": True},
    "design": MANIFEST["design"] | {"overlap": "children"},
}
CODES = [f"{region:02d}-{psu:03d}-{child}" for region in range(4) for psu in range(50) for child in range(5)]
"""All codes that the attacker thinks possible; sixty of them were interviewed."""
SAMPLE = CODES[::17][:60]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    return store(tmp_path_factory.mktemp("office"), "KEN", "UGA")


@pytest.fixture(scope="module")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    return store(tmp_path_factory.mktemp("receiving"), "KEN", "UGA")


def store(folder: Path, *areas: str) -> KeyStore:
    folder.chmod(0o700)
    keys = KeyStore(folder)
    for area in areas:
        keys.create(area)
    return keys


def child(number: int, code: str) -> dict[str, Any]:
    return {
        "country_iso3": "KEN",
        "child_id": code,
        "hh_id": code[:6],
        "stratum": code[:2],
        "psu": code[:6],
        "weight": 100.0 + number,
        "age": 9 + number % 9,
        "sex": 1 + number % 2,
    }


def sealed(keys: KeyStore, *, again: KeyStore | None = None, **said: Any) -> pa.Table:
    """The child table of a round, as the receiving side gets it or, with ``again``, as it keeps it."""
    says = manifest(framework="cop-2026", modules=[], **said)
    made = Submission().add(FRAMEWORK, "child", [child(n, code) for n, code in enumerate(SAMPLE)])
    tables = prepare(made.connection, made, FRAMEWORK, says, keys).tables
    if again is not None:
        return pseudonymised_again(tables, FRAMEWORK, says, again)["child"]
    return tables["child"]


def unkeyed(**_: Any) -> pa.Table:
    """Twin: what a hash without a key gives."""
    rows = [child(n, code) for n, code in enumerate(SAMPLE)]
    hashed = [row | {name: plain_hash(row[name]) for name in ("child_id", "hh_id", "psu")} for row in rows]
    return pa.Table.from_pylist(hashed)


def plain_hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()[:32]


def token(key: bytes, field: str, *values: str) -> str:
    """A pseudonym, made with the standard library as the documentation says."""
    message = b"".join(
        len(data).to_bytes(4, "big") + data
        for data in (unicodedata.normalize("NFC", part).encode() for part in (field, *values))
    )
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:32]


def guessed(table: pa.Table, *ways: Callable[[str], str]) -> int:
    """The attack: of how many children is the code found by trying all of them?"""
    dictionary = {way(code) for code in CODES for way in ways}
    return len(dictionary & set(table["child_id"].to_pylist()))


def without_a_key() -> Iterable[Callable[[str], str]]:
    """All that somebody who knows the design, but no key, can compute for a code."""
    for key in (b"", bytes(32), b"KEN", b"KEN_2026_COPS", b"wave:KEN_2026_COPS", b"child_id", b"copstats/1"):
        yield lambda code, key=key: token(key, "child_id", code)
        yield lambda code, key=key: hmac.new(key, code.encode(), hashlib.sha256).hexdigest()[:32]
        yield lambda code, key=key: hashlib.sha256(key + code.encode()).hexdigest()[:32]
    for digest in (hashlib.md5, hashlib.sha1, hashlib.sha512):
        yield lambda code, digest=digest: digest(code.encode()).hexdigest()[:32]


def test_a_dictionary_finds_everybody_behind_hashes_and_nobody_behind_pseudonyms(office: KeyStore) -> None:
    assert guessed(unkeyed(), plain_hash) == len(SAMPLE)
    assert guessed(sealed(office), plain_hash, *without_a_key()) == 0


def test_the_dictionary_works_for_whoever_holds_the_key(office: KeyStore) -> None:
    """So the test above fails for want of the key, not of skill; and so the key is what has to be kept."""
    key = office.pseudonym_key("KEN", "wave:KEN_2026_COPS", "child_id")
    assert guessed(sealed(office), lambda code: token(key, "child_id", code)) == len(SAMPLE)


def test_neither_side_alone_can_use_a_dictionary_on_the_wave(office: KeyStore, receiving: KeyStore) -> None:
    kept = sealed(office, again=receiving)
    first, second = (
        keys.pseudonym_key("KEN", "wave:KEN_2026_COPS", "child_id") for keys in (office, receiving)
    )
    ways = (lambda code: token(first, "child_id", code), lambda code: token(second, "child_id", code))
    assert guessed(kept, plain_hash, *ways, *without_a_key()) == 0
    both = guessed(kept, lambda code: token(second, "child_id", token(first, "child_id", code)))
    assert both == len(SAMPLE)


def test_strata_and_psus_cannot_be_guessed_either(office: KeyStore) -> None:
    table = sealed(office)
    known = {plain_hash(code[:6]) for code in CODES}
    assert set(unkeyed()["psu"].to_pylist()) <= known
    labels = set(table["psu"].to_pylist()) | set(table["stratum"].to_pylist())
    assert not labels & known
    assert not labels & {code[:6] for code in CODES}
    # A label is a number by rank of a keyed token: the order of the codes does not show.
    rows = sealed(office).to_pylist()
    key = office.pseudonym_key("KEN", "wave:KEN_2026_COPS", "child_id")
    code_of = {token(key, "child_id", code): code for code in SAMPLE}
    by_label = [code_of[row["child_id"]][:6] for row in sorted(rows, key=lambda row: row["psu"])]
    assert by_label != sorted(by_label)


def linked(one: pa.Table, other: pa.Table, column: str = "child_id") -> int:
    """The attack: how many children of one file does an equi-join find in the other?"""
    return len(set(one[column].to_pylist()) & set(other[column].to_pylist()))


ROUNDS: dict[str, dict[str, Any]] = {
    "a later round": {"reference_year": 2028},
    "another survey": {"survey": "MICS"},
    "another country": {"ref_area": "UGA"},
}


@pytest.mark.parametrize("changed", ROUNDS.values(), ids=ROUNDS)
@pytest.mark.parametrize("twice", [False, True], ids=["as sent", "as kept"])
def test_a_join_follows_everybody_between_hashed_files_and_nobody_between_ours(
    office: KeyStore, receiving: KeyStore, changed: dict[str, Any], twice: bool
) -> None:
    assert linked(unkeyed(), unkeyed(**changed)) == len(SAMPLE)
    again = receiving if twice else None
    for column in ("child_id", "hh_id"):
        assert linked(sealed(office, again=again), sealed(office, again=again, **changed), column) == 0


def test_the_same_round_again_is_recognised(office: KeyStore) -> None:
    """A corrected version of a wave replaces it child by child; so the join above can work at all."""
    assert linked(sealed(office), sealed(office, version=2)) == len(SAMPLE)


def test_two_fields_with_the_same_code_do_not_match(office: KeyStore) -> None:
    rows = [child(n, code) | {"hh_id": code} for n, code in enumerate(SAMPLE)]
    made = Submission().add(FRAMEWORK, "child", rows)
    says = manifest(framework="cop-2026", modules=[])
    table = prepare(made.connection, made, FRAMEWORK, says, office).tables["child"]
    assert not set(table["child_id"].to_pylist()) & set(table["hh_id"].to_pylist())


def test_a_panel_is_linked_with_the_permission_and_not_without(office: KeyStore, receiving: KeyStore) -> None:
    later = {"reference_year": 2028}
    assert linked(sealed(office, **PANEL), sealed(office, **PANEL, **later)) == len(SAMPLE)
    kept = [sealed(office, again=receiving, **PANEL, **year) for year in ({}, later)]
    assert linked(*kept) == len(SAMPLE)
    for missing in ("ethics", "design"):
        partly = {name: value for name, value in PANEL.items() if name != missing}
        assert linked(sealed(office, **partly), sealed(office, **partly, **later)) == 0
    # A round without the permission cannot be joined to the panel's rounds.
    assert linked(sealed(office, **PANEL), sealed(office, **later)) == 0


def test_the_key_of_a_panel_is_not_given_out_without_the_permission(office: KeyStore) -> None:
    with pytest.raises(ConfidentialityError) as refusal:
        office.pseudonym_key("KEN", "panel:KEN_COPS", "child_id")
    assert refusal.value.code == "C324"


def test_panels_of_other_surveys_and_countries_stay_apart(office: KeyStore) -> None:
    ours = sealed(office, **PANEL)
    assert linked(ours, sealed(office, **PANEL, survey="MICS")) == 0
    assert linked(ours, sealed(office, **PANEL, ref_area="UGA")) == 0
