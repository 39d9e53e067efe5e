"""The request of a country's office to withdraw children from a wave: ``KEN_2026_COPS.copwithdrawal``.

A JSON text, one entry a line in alphabetical order, written in one way only. It names the children by the
pseudonyms that the office made, no identifier; ``signature`` is the office's Ed25519 signature over
``copstats-withdrawal-1``, a line feed, and the other entries as compact JSON. Without the office's key nobody
learns from it who was withdrawn, only how many. The same request a second time changes nothing.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import structs

from copstats.errors import ConfidentialityError, SubmissionError, UsageError
from copstats.store.custody.public import SigningKeyPublic
from copstats.store.custody.registered import RegisteredKeys
from copstats.store.files import atomic_write
from copstats.store.tombstones import TOKEN_BYTES, checked_wave

FORMAT = "copstats-withdrawal-1"
SUFFIX = ".copwithdrawal"
LARGEST_FILE = 16 * 2**20
_TOKEN = re.compile(rf"[0-9a-f]{{{2 * TOKEN_BYTES}}}")


class WithdrawalRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an office asks for.

    Attributes:
        ref_area: ISO 3166-1 alpha-3.
        wave: for example ``KEN_2026_COPS``.
        scope: ``panel`` if the office made the pseudonyms under the key of the panel, so that they are the
            same in every wave of the survey; else ``wave``. It is the ``linkage`` of the sealed file.
        tokens: the office's pseudonyms of the children, 32 hexadecimal digits each, sorted.
        requested_at: the day.
        signing_key: fingerprint of the office's key; :func:`write_request` fills it in.
        format: `FORMAT`.
    """

    ref_area: str
    wave: str
    scope: Literal["wave", "panel"]
    tokens: tuple[str, ...]
    requested_at: dt.date
    signing_key: str = ""
    format: str = FORMAT

    @classmethod
    def of(
        cls,
        wave: str,
        tokens: Iterable[str],
        requested_at: dt.date,
        *,
        scope: Literal["wave", "panel"] = "wave",
    ) -> WithdrawalRequest:
        """Return the request for some children of a wave; each of them once, in the order of pseudonyms.

        Raises:
            UsageError: U343, the wave's name cannot be used.
        """
        area = checked_wave(wave)[:3]
        ordered = tuple(sorted(set(tokens)))
        return cls(ref_area=area, wave=wave, scope=scope, tokens=ordered, requested_at=requested_at)

    @property
    def key_scope(self) -> str:
        """Scope of the key of the pseudonyms, see `copstats.store.keys.KeyStore.pseudonym_key`."""
        if self.scope == "wave":
            return f"wave:{self.wave}"
        area, _, survey = self.wave.split("_")
        return f"panel:{area}_{survey}"

    def as_bytes(self) -> bytes:
        """Return the compact JSON, its entries in alphabetical order: what is signed."""
        return msgspec.json.encode(self, order="sorted")


@dataclass(frozen=True)
class SignedRequest:
    """A request that was read but whose signature was not checked.

    Attributes:
        request: what it asks for; to be believed after :meth:`verify`.
        name: of the file, for messages.
    """

    request: WithdrawalRequest
    name: str
    _signature: bytes = field(repr=False)

    def verify(self, public_key: Ed25519PublicKey) -> WithdrawalRequest:
        """Check that the country's key signed the request, and return it.

        Args:
            public_key: the country's registered key; see
                :meth:`~copstats.store.custody.registered.RegisteredKeys.signer`.

        Raises:
            ConfidentialityError: C311, another key signed; C340, the request was changed.
        """
        if SigningKeyPublic.of(self.request.ref_area, public_key).fingerprint != self.request.signing_key:
            raise ConfidentialityError("C311", where=self.name)
        try:
            public_key.verify(self._signature, _message(self.request))
        except InvalidSignature:
            raise ConfidentialityError("C340", where=self.name) from None
        return self.request


def request_name(wave: str) -> str:
    """Return the name of the file that asks for withdrawals from a wave."""
    return f"{checked_wave(wave)}{SUFFIX}"


def write_request(
    path: Path, request: WithdrawalRequest, signing_key: Ed25519PrivateKey
) -> WithdrawalRequest:
    """Sign a request and write it in the place of an earlier one.

    Args:
        path: of the file.
        request: what is asked for.
        signing_key: of the country's office.

    Returns:
        The request as it stands in the file.

    Raises:
        SubmissionError: S344, it names no children or contradicts itself; S342, it would be too large.
        UsageError: U321, the file cannot be written here.
    """
    fingerprint = SigningKeyPublic.of(request.ref_area, signing_key.public_key()).fingerprint
    complete = structs.replace(request, signing_key=fingerprint, format=FORMAT)
    _refuse_contradiction(complete, path.name)
    content = _rendered(complete, signing_key.sign(_message(complete)))
    if len(content) > LARGEST_FILE:
        raise SubmissionError("S342", where=path.name)
    try:
        atomic_write(path, content)
    except OSError:
        raise UsageError("U321", where=path.name) from None
    return complete


def open_request(path: Path) -> SignedRequest:
    """Read a request and look at its form; nothing of it can be believed yet.

    Raises:
        SubmissionError: S342, it is no request or not whole; S343, another version of copstats made it; S344,
            it contradicts itself.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        entries = msgspec.json.decode(content)
        made_by = entries["format"]
        if isinstance(made_by, str) and made_by.startswith("copstats-withdrawal-") and made_by != FORMAT:
            raise SubmissionError("S343", where=path.name)
        signature = bytes.fromhex(entries.pop("signature"))
        request = msgspec.convert(entries, WithdrawalRequest)
    except (OSError, msgspec.MsgspecError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise SubmissionError("S342", where=path.name) from None
    # One way to write a request: what is signed is what is read.
    if request.format != FORMAT or _rendered(request, signature) != content:
        raise SubmissionError("S342", where=path.name)
    _refuse_contradiction(request, path.name)
    return SignedRequest(request, path.name, signature)


def read_request(
    path: Path, registered: RegisteredKeys, *, area: str | None = None, wave: str | None = None
) -> WithdrawalRequest:
    """Read a request, check it against the registered key of its country, and return it.

    Args:
        path: of the file.
        registered: the countries' keys.
        area: the only country from which a request is taken; any if None.
        wave: the only wave; any if None.

    Raises:
        SubmissionError: as :func:`open_request`; S345, it is of another country or wave.
        ConfidentialityError: C311, the country has registered no such key; C312, it is revoked; C340, the
            request was changed.
    """
    signed = open_request(path)
    request = signed.request
    if area not in (None, request.ref_area) or wave not in (None, request.wave):
        raise SubmissionError("S345", where=path.name)
    signer = registered.signer(request.ref_area, request.signing_key)
    return signed.verify(signer.public(request.ref_area).public_key)


def _refuse_contradiction(request: WithdrawalRequest, where: str) -> None:
    tokens = request.tokens
    if list(tokens) != sorted(set(tokens)) or not tokens or not all(map(_TOKEN.fullmatch, tokens)):
        raise SubmissionError("S344", where=where)
    try:
        area = checked_wave(request.wave)[:3]
    except UsageError:
        raise SubmissionError("S344", where=where) from None
    if request.ref_area != area:
        raise SubmissionError("S344", where=where)


def _rendered(request: WithdrawalRequest, signature: bytes) -> bytes:
    entries = {**msgspec.to_builtins(request), "signature": signature.hex()}
    lines = [
        msgspec.json.encode(name) + b":" + msgspec.json.encode(entries[name]) for name in sorted(entries)
    ]
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def _message(request: WithdrawalRequest) -> bytes:
    return FORMAT.encode() + b"\n" + request.as_bytes()
