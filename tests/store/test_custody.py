"""Where keys are kept, how they are locked, handed out, backed up and replaced."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import keyring
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from copstats.errors import ConfidentialityError, CopstatsError, Retriable, UsageError
from copstats.store.custody.files import FileProvider
from copstats.store.custody.keyring import KeyringProvider
from copstats.store.custody.passphrase import lock, read_passphrase_file, unlock
from copstats.store.custody.provider import KeyProvider
from copstats.store.custody.public import ReceivingKeyPublic, SigningKeyPublic, read_public
from copstats.store.custody.registered import RegisteredKeys
from copstats.store.home import Home
from copstats.store.keys import KeyStore
from copstats.store.rotation import rotate
from copstats.store.sealed import read_seal, refuse_outdated

WORDS = "lamp river under seven coats"
DAY, LATER = dt.date(2026, 3, 1), dt.date(2026, 9, 1)
WAVE = "XAA_2026_COPS_v01_M"


class Drawer(KeyringBackend):
    """A keyring as the package's interface asks for: entries of a service, kept in memory."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError


@pytest.fixture
def drawer() -> Iterator[Drawer]:
    before = keyring.get_keyring()
    keyring.set_keyring(own := Drawer())
    yield own
    keyring.set_keyring(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def keys(folder: Path) -> KeyStore:
    return KeyStore(folder)


def code(error: pytest.ExceptionInfo[CopstatsError]) -> str:
    return error.value.code


@pytest.mark.parametrize("kind", ["files", "keyring"])
def test_every_place_keeps_secrets_the_same_way(kind: str, folder: Path, drawer: Drawer) -> None:
    place: KeyProvider = FileProvider(folder) if kind == "files" else KeyringProvider("0123456789abcdef")
    assert (place.names(), place.get("KEN")) == ([], None)
    assert place.put("KEN", b"first", new=True)
    assert not place.put("KEN", b"second", new=True)
    assert place.get("KEN") == b"first"
    assert place.put("KEN", b"third", new=False)
    assert place.put("KEN.national-signing", b"x", new=False)
    assert (place.get("KEN"), place.names()) == (b"third", ["KEN", "KEN.national-signing"])
    place.delete("KEN")
    place.delete("KEN")
    assert (place.names(), place.get("KEN")) == (["KEN.national-signing"], None)
    for name in ("", "../KEN", "a/b", ".KEN", "K" * 65):
        with pytest.raises(UsageError) as error:
            place.put(name, b"x", new=True)
        assert code(error) == "U310"


def test_a_folder_can_leave_its_keys_to_the_keyring(folder: Path, drawer: Drawer) -> None:
    keys = KeyStore(folder)
    keys.keep_in_keyring()
    keys.create("KEN")
    keys.create("receiving")
    assert [p for p in folder.rglob("*.key")] == []
    again = KeyStore(folder)
    assert again.names() == ["KEN", "receiving"]
    assert again.key_id("KEN") == keys.key_id("KEN")
    again.check()
    other = folder.parent / "other"
    other.mkdir(mode=0o700)
    KeyStore(other).keep_in_keyring()
    assert KeyStore(other).names() == []
    again.destroy("KEN")
    assert again.names() == ["receiving"]
    (folder / "custody").write_text("elsewhere\n")
    with pytest.raises(ConfidentialityError) as error:
        KeyStore(folder)
    assert code(error) == "C321"


def test_keys_in_files_are_not_left_behind(keys: KeyStore, drawer: Drawer) -> None:
    keys.create("KEN")
    with pytest.raises(UsageError) as error:
        keys.keep_in_keyring()
    assert code(error) == "U311"
    assert keys.names() == ["KEN"]


def test_without_a_keyring_the_reason_is_told(keys: KeyStore) -> None:
    before = keyring.get_keyring()
    from keyring.backends import fail

    keyring.set_keyring(fail.Keyring())
    try:
        with pytest.raises(ConfidentialityError) as error:
            keys.keep_in_keyring()
    finally:
        keyring.set_keyring(before)
    assert code(error) == "C320"
    keys.create("KEN")
    assert (keys.folder / "KEN.key").exists()


def test_a_locked_key_is_scrypt_and_aes_gcm(folder: Path) -> None:
    line = lock(b"secret", WORDS, "KEN")
    held = base64.b64decode(line.removeprefix(b"copstats-locked-1 "))
    opening = hashlib.scrypt(WORDS.encode(), salt=held[:16], n=2**17, r=8, p=1, maxmem=2**28, dklen=32)
    assert AESGCM(opening).decrypt(held[16:28], held[28:], b"KEN") == b"secret"
    for other_line, words, name in (
        (line, WORDS + "x", "KEN"),
        (line, WORDS, "KEM"),
        (line[:-8] + b"AAAAAAA=", WORDS, "KEN"),
        (line[:40], WORDS, "KEN"),
    ):
        with pytest.raises(ConfidentialityError) as error:
            unlock(other_line, words, name)
        assert code(error) == "C322"


def test_a_locked_key_opens_only_with_its_passphrase(folder: Path) -> None:
    keys = KeyStore(folder)
    keys.create("KEN", passphrase=WORDS)
    asked: list[str] = []
    with pytest.raises(ConfidentialityError) as error:
        keys.key_id("KEN")
    assert (code(error), keys.is_locked("KEN")) == ("C325", True)
    keys.check()  # form and permissions need no passphrase

    def answer(name: str) -> str:
        asked.append(name)
        return WORDS

    keys.unlock_with(answer)
    wrapped = keys.wrap("KEN", bytes(32))
    assert keys.unwrap("KEN", wrapped) == bytes(32)
    assert asked == ["KEN"]
    with pytest.raises(ConfidentialityError) as error:
        KeyStore(folder, passphrases=lambda _: "another passphrase").unwrap("KEN", wrapped)
    assert code(error) == "C322"


@pytest.mark.parametrize("words", ["", "short", "aaaaaaaaaaaaaaaaaaaa", "ababababababab"])
def test_weak_passphrases_are_refused(keys: KeyStore, words: str) -> None:
    with pytest.raises(UsageError) as error:
        keys.create("KEN", passphrase=words)
    assert code(error) == "U312"
    assert keys.names() == []


def test_a_passphrase_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "words"
    path.write_text(f"{WORDS}\r\nsecond line\n")
    path.chmod(0o640)
    with pytest.raises(ConfidentialityError) as error:
        read_passphrase_file(path)
    assert code(error) == "C003"
    path.chmod(0o600)
    assert read_passphrase_file(path) == WORDS
    with pytest.raises(UsageError) as missing:
        read_passphrase_file(tmp_path / "none")
    assert code(missing) == "U313"


def test_public_parts_travel_as_one_line(keys: KeyStore, tmp_path: Path) -> None:
    keys.create("KEN.national-signing")
    keys.create("receiving")
    signing, receiving = keys.export_public("KEN"), keys.export_public("receiving")
    assert isinstance(signing, SigningKeyPublic)
    assert isinstance(receiving, ReceivingKeyPublic)
    kind, area, key, fingerprint = signing.line().split()
    digest = hashlib.sha256(base64.b64decode(key)).hexdigest()
    assert (kind, area, fingerprint.replace("-", "")) == ("copstats-signing-key", "KEN", digest[:16])
    path = tmp_path / "public"
    for public in (signing, receiving):
        path.write_text(public.line() + "\n")
        assert read_public(path) == public
    signature = keys.national_signing_key("KEN").sign(b"head")
    signing.public_key.verify(signature, b"head")


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[:-1],
        lambda line: line.replace("KEN", "ken"),
        lambda line: line.replace("signing", "sealing"),
        lambda line: line + " more",
        lambda line: line[:30] + ("A" if line[30] != "A" else "B") + line[31:],
        lambda line: "",
        lambda line: "\xe9" + line,
    ],
)
def test_damaged_public_parts_are_refused(keys: KeyStore, tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    keys.create("KEN.national-signing")
    path = tmp_path / "public"
    path.write_text(damage(keys.export_public("KEN").line()), "utf-8")
    with pytest.raises(UsageError) as error:
        read_public(path)
    assert code(error) == "U314"


def public(area: str, seed: int) -> SigningKeyPublic:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return SigningKeyPublic.of(area, Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32)).public_key())


def test_registered_keys_are_superseded_and_revoked(folder: Path) -> None:
    registered = RegisteredKeys(folder)
    first, second = public("KEN", 1), public("KEN", 2)
    registered.register(first, DAY)
    assert registered.register(first, LATER).since == DAY
    registered.register(second, LATER)
    assert [(k.fingerprint, k.state, k.since, k.changed) for k in registered.of("KEN")] == [
        (first.fingerprint, "superseded", DAY, LATER),
        (second.fingerprint, "active", LATER, LATER),
    ]
    assert registered.signer("KEN", first.fingerprint).public("KEN") == first
    with pytest.raises(UsageError) as old:
        registered.register(first, LATER)
    assert code(old) == "U315"
    registered.revoke("KEN", first.fingerprint, LATER)
    for refused in (
        lambda: registered.signer("KEN", first.fingerprint),
        lambda: registered.register(first, LATER),
    ):
        with pytest.raises(ConfidentialityError) as revoked:
            refused()
        assert code(revoked) == "C312"
    with pytest.raises(ConfidentialityError) as unknown:
        registered.signer("UGA", second.fingerprint)
    assert code(unknown) == "C311"
    with pytest.raises(UsageError) as none:
        registered.revoke("UGA", second.fingerprint, LATER)
    assert code(none) == "U316"
    path = folder / "registered/KEN.json"
    path.write_text(path.read_text().replace(second.fingerprint, first.fingerprint))
    with pytest.raises(ConfidentialityError) as damaged:
        registered.of("KEN")
    assert code(damaged) == "C323"


def test_a_backup_brings_every_key_back(keys: KeyStore, tmp_path: Path) -> None:
    for name in ("KEN", "KEN.national-signing", "UGA", "receiving"):
        keys.create(name)
    keys.registered.register(public("UGA", 1), DAY)
    wrapped = keys.wrap("KEN", bytes(32))
    copy, part = keys.backup(WORDS), keys.backup(WORDS, only="KEN")
    for secret in (keys.folder / "KEN.key", keys.folder / "receiving.key"):
        assert secret.read_bytes().strip() not in copy
    other = tmp_path / "restored"
    other.mkdir(mode=0o700)
    restored = KeyStore(other)
    assert restored.restore(part, WORDS) == ["KEN", "KEN.national-signing", "KEN.wrapping"]
    assert restored.restore(copy, WORDS) == ["UGA", "receiving"]
    assert restored.unwrap("KEN", wrapped) == bytes(32)
    assert restored.registered.of("UGA") == keys.registered.of("UGA")
    restored.destroy("UGA")
    restored.create("UGA")
    with pytest.raises(UsageError) as error:
        restored.restore(copy, WORDS)
    assert (code(error), error.value.where) == ("U318", "UGA")
    with pytest.raises(UsageError) as error:
        restored.restore(b"no backup", WORDS)
    assert code(error) == "U317"
    with pytest.raises(ConfidentialityError) as missing:
        keys.backup(WORDS, only="TZA")
    assert code(missing) == "C001"


def test_a_new_signing_key_supersedes_the_earlier_one(home: Home) -> None:
    home.keys.create("XAA.national-signing")
    before = home.keys.export_public("XAA")
    done = rotate(home.path, home.keys, "XAA", DAY)
    after = home.keys.export_public("XAA")
    assert (done.fingerprint, done.rewrapped) == (after.fingerprint, 0)
    states = {k.fingerprint: k.state for k in home.keys.registered.of("XAA")}
    assert states == {before.fingerprint: "superseded", after.fingerprint: "active"}


def test_data_keys_are_wrapped_anew_and_the_data_stay(home: Home, estimates) -> None:  # type: ignore[no-untyped-def]
    child, old = pa.table({"age": [9, 10]}), {}
    home.waves.write(WAVE, "XAA", {"child": child, "parent": child})
    home.waves.write_cells(WAVE, "f", {"psu": child})
    home.warehouse.write(WAVE, "f", estimates())
    home.waves.write("XBB_2026_COPS_v01_M", "XBB", {"child": child})
    first, token = home.keys.key_id("XAA"), home.keys.pseudonym_key("XAA", "w", "f")
    for path in [*(home.path / "waves").rglob("*.json"), *(home.path / "warehouse").glob("*.json")]:
        old[path] = path.read_bytes()
    for turn in range(2):
        assert rotate(home.path, home.keys, "XAA", DAY).rewrapped == 4
        assert home.keys.key_ids("XAA") == [home.keys.key_id("XAA")] != [first]
        assert home.waves.read(WAVE, "parent").read_all().equals(child), turn
        assert (home.waves.read_cells(WAVE, "f") or {})["psu"].equals(child)
        assert home.warehouse.read([WAVE])["estimate"].to_pylist() == [0.25]
    assert home.keys.pseudonym_key("XAA", "w", "f") == token
    changed = {path for path, content in old.items() if path.read_bytes() != content}
    assert {path for path in old if "XBB" not in str(path)} == changed
    # What was copied before the rotation opens no more.
    for path, content in old.items():
        path.write_bytes(content)
    for read in (lambda: home.waves.read(WAVE, "child"), lambda: home.warehouse.read([WAVE])):
        with pytest.raises(ConfidentialityError) as error:
            read()
        assert code(error) == "C004"


def test_a_rotation_after_one_cut_short_at_its_last_step_is_a_rotation(home: Home) -> None:
    home.waves.write(WAVE, "XAA", {"child": pa.table({"age": [9]})})
    rotate(home.path, home.keys, "XAA", DAY)
    folder, first = home.path / "keys", home.keys.key_id("XAA")
    left = folder / "XAA.wrapping-next.key"
    left.write_bytes((folder / "XAA.wrapping.key").read_bytes())
    left.chmod(0o600)
    assert home.keys.key_ids("XAA") == [first]
    rotate(home.path, home.keys, "XAA", DAY)
    assert home.keys.key_id("XAA") != first
    assert not left.exists()
    assert home.waves.read(WAVE, "child").read_all().num_rows == 1


def test_a_rotation_that_would_lose_something_keeps_both_keys(home: Home) -> None:
    home.waves.write(WAVE, "XAA", {"child": pa.table({"age": [9]})})
    seal = json.loads((home.path / f"waves/{WAVE}/child.key.json").read_text())
    forgotten = home.path / "quarantine/upload.json"
    forgotten.write_text(json.dumps({"kept": seal}))
    with pytest.raises(ConfidentialityError) as error:
        rotate(home.path, home.keys, "XAA", DAY)
    assert (code(error), error.value.params["count"]) == ("C326", 1)
    assert home.keys.unwrap("XAA", base64.b64decode(seal["wrapped_key"]))
    assert home.waves.read(WAVE, "child").read_all().num_rows == 1
    forgotten.unlink()
    assert rotate(home.path, home.keys, "XAA", DAY).rewrapped == 1
    assert home.waves.read(WAVE, "child").read_all().num_rows == 1


def test_what_was_sealed_before_a_rotation_began_is_sealed_again(home: Home) -> None:
    home.waves.write(WAVE, "XAA", {"child": pa.table({"age": [9]})})
    seal = read_seal(home.path / f"waves/{WAVE}/child.key.json")
    refuse_outdated([seal], "XAA", home.keys)
    home.keys.begin_rotation("XAA")
    with pytest.raises(Retriable) as error:
        refuse_outdated([seal], "XAA", home.keys)
    assert code(error) == "T001"
    assert home.waves.read(WAVE, "child").read_all().num_rows == 1


def test_there_may_be_nothing_to_rotate(home: Home) -> None:
    home.keys.wrap("XAA", bytes(32))
    with pytest.raises(UsageError) as error:
        rotate(home.path, home.keys, "XAA", DAY)
    assert code(error) == "U322"
