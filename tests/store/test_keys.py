from __future__ import annotations

import hashlib
import hmac
import struct
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.home import Home
from copstats.store.keys import KeyStore

ROOT = bytes(range(32))


@pytest.fixture
def keys(home: Home) -> KeyStore:
    path = home.path / "keys/XAA.key"
    path.write_text(ROOT.hex())
    path.chmod(0o600)
    return home.keys


def hkdf(root: bytes, *parts: str, salt: bytes = bytes(32)) -> bytes:
    """RFC 5869 with SHA-256, one block; without a salt, zeros; written from the standard library."""
    info = b"".join(struct.pack(">I", len(p.encode())) + p.encode() for p in ("copstats/1", *parts))
    extracted = hmac.new(salt, root, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


def key_wrap(kek: bytes, key: bytes) -> bytes:
    """RFC 3394, 2.2.1, from single AES blocks."""
    a, blocks = b"\xa6" * 8, [key[i : i + 8] for i in range(0, len(key), 8)]
    for j in range(6):
        for i, block in enumerate(blocks, start=1):
            cipher = Cipher(algorithms.AES(kek), modes.ECB()).encryptor()  # noqa: S305 - the standard's own step
            out = cipher.update(a + block) + cipher.finalize()
            a = (int.from_bytes(out[:8], "big") ^ (len(blocks) * j + i)).to_bytes(8, "big")
            blocks[i - 1] = out[8:]
    return a + b"".join(blocks)


def test_derived_keys_are_those_of_the_standard(keys: KeyStore) -> None:
    expected = hkdf(ROOT, "pseudonym", "XAA_2026_COPS", "household_id")
    assert keys.pseudonym_key("XAA", "XAA_2026_COPS", "household_id") == expected
    # Known answer: pseudonyms must be the same with every later version.
    assert expected.hex() == "e07fab71af907b36783bd29e607fc722063446a2570123898c5e8d543c464fbc"
    assert keys.key_id("XAA") == hkdf(ROOT, "id").hex()[:16]
    assert keys.root_id("XAA") == hkdf(ROOT, "root id").hex()[:16]


def test_wrapping_is_that_of_the_standard(keys: KeyStore) -> None:
    data_key = bytes(range(100, 132))
    wrapped = keys.wrap("XAA", data_key)
    salt = bytes.fromhex((keys.folder / "XAA.wrapping.key").read_text("ascii").strip())
    assert wrapped == key_wrap(hkdf(ROOT, "key encryption", salt=salt), data_key)
    # no rotation replaces the root: alone it opens nothing
    assert wrapped != key_wrap(hkdf(ROOT, "key encryption"), data_key)
    assert keys.unwrap("XAA", wrapped) == data_key


def test_every_purpose_wave_field_and_country_has_its_own_key(keys: KeyStore) -> None:
    derived = {
        keys.pseudonym_key(area, wave, field)
        for area in ("XAA", "XBB")
        for wave in ("XAA_2026_COPS", "XAA_2027_COPS", "1", "12")
        for field in ("child_id", "household_id", "23", "3")
    }
    assert len(derived | {keys.audit_key()}) == 2 * 4 * 4 + 1


def test_roots_are_random_stable_and_listed(home: Home) -> None:
    first = home.keys.pseudonym_key("XAA", "w", "f")
    assert Home.open(home.path).keys.pseudonym_key("XAA", "w", "f") == first
    home.keys.wrap("XBB", bytes(32))
    assert home.keys.areas() == ["XAA", "XBB"]
    roots = {(home.path / f"keys/{area}.key").read_text() for area in home.keys.areas()}
    assert len(roots) == 2


def test_a_replaced_root_does_not_unwrap(keys: KeyStore, home: Home) -> None:
    wrapped = keys.wrap("XAA", bytes(32))
    keys.destroy("XAA")
    with pytest.raises(ConfidentialityError) as missing:
        keys.unwrap("XAA", wrapped)
    assert missing.value.code == "C001"
    keys.wrap("XAA", bytes(32))
    with pytest.raises(ConfidentialityError) as other:
        keys.unwrap("XAA", wrapped)
    assert other.value.code == "C004"
    assert "XAA" in other.value.title


@pytest.mark.parametrize("length", [0, 8, 39, 41])
def test_a_cut_or_changed_wrapped_key_does_not_unwrap(keys: KeyStore, length: int) -> None:
    wrapped = keys.wrap("XAA", bytes(range(32)))
    for damaged in ((wrapped + b"x")[:length], bytes([wrapped[0] ^ 1]) + wrapped[1:]):
        with pytest.raises(ConfidentialityError) as error:
            keys.unwrap("XAA", damaged)
        assert error.value.code == "C004"


@pytest.mark.parametrize(
    "text", ["", "00" * 16, "ab" * 33, "zz" * 32, "00" * 32, "0123456789abcdef" * 4, "no key", "\xe9" * 64]
)
def test_weak_keys_are_refused(home: Home, text: str) -> None:
    path = home.path / "keys/XAA.key"
    path.write_bytes(text.encode("latin-1"))
    path.chmod(0o600)
    for use in (lambda: home.keys.key_id("XAA"), lambda: home.keys.wrap("XAA", bytes(32)), home.keys.check):
        with pytest.raises(ConfidentialityError) as error:
            use()
        assert (error.value.code, error.value.where) == ("C002", "XAA.key")
        assert not text or text not in str(error.value)


@pytest.mark.parametrize("area", ["", "XA", "xaa", "../", "XAAA", "audit", "X\nA"])
def test_only_country_codes_name_keys(home: Home, area: str) -> None:
    with pytest.raises(UsageError):
        home.keys.pseudonym_key(area, "w", "f")
    with pytest.raises(UsageError):
        home.keys.destroy(area)
    assert list((home.path / "keys").iterdir()) == []


def test_a_signature_is_checked_with_the_exported_key(home: Home) -> None:
    signature = home.keys.signing_key().sign(b"manifest")
    exported = load_pem_public_key(home.keys.public_key_file.read_bytes())
    assert exported == home.keys.public_key() == Home.open(home.path).keys.public_key()
    exported.verify(signature, b"manifest")  # type: ignore[union-attr, call-arg]
    home.keys.public_key_file.write_text("swapped")
    assert (
        load_pem_public_key((home.keys.signing_key(), home.keys.public_key_file.read_bytes())[1]) == exported
    )


def test_destroying_leaves_no_copy(home: Home) -> None:
    home.keys.wrap("XAA", bytes(32))
    root = (home.path / "keys/XAA.key").read_bytes()
    home.keys.destroy("XAA")
    assert [p for p in Path(home.path).rglob("*") if p.is_file() and root.strip() in p.read_bytes()] == []
    with pytest.raises(ConfidentialityError):
        home.keys.destroy("XAA")


def test_derivation_answers_the_vectors_of_the_standard() -> None:
    """RFC 5869, appendix A.1 and A.3: what `hkdf` above and the library are both held against."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    salt, info = bytes(range(13)), bytes(range(0xF0, 0xFA))
    for salted, about, expected in (
        (
            salt,
            info,
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            None,
            b"",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ):
        derived = HKDF(algorithm=SHA256(), length=42, salt=salted, info=about).derive(b"\x0b" * 22)
        assert derived.hex() == expected


def test_a_wrapping_key_after_a_rotation_is_salted(keys: KeyStore) -> None:
    keys.begin_rotation("XAA")
    salt = bytes.fromhex((keys.folder / "XAA.wrapping-next.key").read_text())
    extracted = hmac.new(salt, ROOT, hashlib.sha256).digest()
    parts = ("copstats/1", "key encryption")
    info = b"".join(struct.pack(">I", len(p)) + p.encode() for p in parts)
    kek = hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()
    assert keys.wrap("XAA", bytes(32)) == key_wrap(kek, bytes(32))


def test_a_panel_key_needs_the_permission(keys: KeyStore) -> None:
    with pytest.raises(ConfidentialityError) as error:
        keys.pseudonym_key("XAA", "panel:XAA_COPS", "child_id")
    assert error.value.code == "C324"
    panel = keys.pseudonym_key("XAA", "panel:XAA_COPS", "child_id", permitted=True)
    assert panel == hkdf(ROOT, "panel pseudonym", "XAA_COPS", "child_id")
    wave = keys.pseudonym_key("XAA", "wave:XAA_COPS", "child_id", permitted=True)
    assert wave == keys.pseudonym_key("XAA", "XAA_COPS", "child_id") != panel
    with pytest.raises(UsageError) as unknown:
        keys.pseudonym_key("XAA", "world:XAA_COPS", "child_id", permitted=True)
    assert unknown.value.code == "U320"


def test_a_key_is_made_once(home: Home) -> None:
    home.keys.create("XAA")
    made = home.keys.key_id("XAA")
    with pytest.raises(UsageError) as error:
        home.keys.create("XAA")
    assert (error.value.code, home.keys.key_id("XAA")) == ("U319", made)
    with pytest.raises(ConfidentialityError) as missing:
        home.keys.national_signing_key("XAA")
    assert (missing.value.code, missing.value.where) == ("C001", "XAA.national-signing.key")
    (home.path / "keys/receiving.key").write_text("AGE-SECRET-KEY-1NOTHING\n")
    (home.path / "keys/receiving.key").chmod(0o600)
    with pytest.raises(ConfidentialityError) as malformed:
        home.keys.receiving_identity()
    assert malformed.value.code == "C002"
