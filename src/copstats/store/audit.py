"""The audit log: what was done, in an order that nobody can change unnoticed.

One line of canonical JSON an entry. Each carries its number, the code of the entry before and an HMAC-SHA-256
over itself under the home's audit key, so an edited, removed or moved line breaks the chain. Cutting off the
end does not: that shows against an anchor, the :class:`Head` that is published with each release.

Cost: an entry is forced to disk before ``append`` returns (some milliseconds); ``verify`` reads 50,000
entries a second.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.keys import KeyStore
from copstats.store.lock import FileLock

Fact = str | int | bool | None
GENESIS = "0" * 64
_IDENTIFIER = re.compile(r"[\w.:@/+-]{0,200}")
_FIELDS = {"sequence", "at", "action", "subject", "facts", "previous", "mac"}
_BLOCK = 4096
_WAIT = 30.0
_PROBLEMS = {
    "unreadable": "this is no entry",
    "edited": "the entry was changed or not written by this home",
    "order": "entries before this one were removed, added or moved",
    "cut": "the log ends before the entry that was noted elsewhere",
}


class Head(NamedTuple):
    """The end of the chain; kept elsewhere it is the anchor that shows a log cut short.

    Attributes:
        sequence: number of the last entry; 0 for an empty log.
        mac: its code, hexadecimal.
    """

    sequence: int
    mac: str


class AuditProblem(NamedTuple):
    """A place where the chain does not hold.

    Attributes:
        line: 1-based line of the log; one past the last for a log cut short.
        kind: ``unreadable`` no entry at all; ``edited`` the entry's code is wrong; ``order`` entries before
            it were removed, added or moved; ``cut`` the anchor's entry is missing or another.
    """

    line: int
    kind: Literal["unreadable", "edited", "order", "cut"]

    def __str__(self) -> str:
        return f"line {self.line}: {_PROBLEMS[self.kind]}"


class AuditLog:
    """Append-only log in one file."""

    def __init__(self, path: Path, keys: KeyStore) -> None:
        self.path = path
        self._keys = keys

    def append(self, action: str, subject: str, **facts: Fact) -> Head:
        """Add an entry and return the new end of the chain, on disk.

        Args:
            action: what was done, for example ``submission.accepted``.
            subject: to what: an id or label.
            facts: ids, counts and flags; a text with a space is refused, since it may quote somebody.

        Raises:
            UsageError: U015, a text is no identifier.
            Retriable: T001, another process keeps the log.
            ConfidentialityError: C008, the last entry is not one of this log.
        """
        for text in (action, subject, *facts.values()):
            if isinstance(text, str) and not _IDENTIFIER.fullmatch(text):
                raise UsageError("U015", where=action if _IDENTIFIER.fullmatch(action) else "")
        with FileLock(self._lock_file, wait=_WAIT):
            head, torn = self._mend()
            if torn:
                head = self._write(head, "audit.mended", self.path.name, {"bytes": torn})
            return self._write(head, action, subject, facts)

    def mend(self) -> None:
        """Remove a last line that a killed process left unfinished; it was never acknowledged.

        That is recorded as an entry of its own: nobody can pass off a removal as an accident.
        """
        if not self.path.exists():
            return
        lock = FileLock(self._lock_file)
        if not lock.acquire():
            return  # Somebody is writing: the line will be finished.
        try:
            head, torn = self._mend()
            if torn:
                self._write(head, "audit.mended", self.path.name, {"bytes": torn})
        finally:
            lock.release()

    def head(self) -> Head:
        """Return the end of the chain.

        Raises:
            ConfidentialityError: C008, the last entry is not one of this log.
        """
        if not self.path.exists():
            return Head(0, GENESIS)
        last, _ = self._last_line()
        if last is None:
            return Head(0, GENESIS)
        entry = _parsed(last)
        if entry is None or not hmac.compare_digest(entry["mac"], self._mac(entry)):
            raise ConfidentialityError("C008", where=self.path.name)
        return Head(entry["sequence"], entry["mac"])

    def entries(self) -> Iterator[Mapping[str, Any]]:
        """Yield the readable entries in order, unverified; see :meth:`verify`."""
        for line in self._lines():
            entry = _parsed(line)
            if entry is not None:
                yield entry

    def verify(self, *anchors: Head) -> list[AuditProblem]:
        """Check the whole chain and, given anchors, that the log still reaches and contains each.

        Returns:
            The places where the chain does not hold, in order; empty for a sound log.
        """
        problems: list[AuditProblem] = []
        before = Head(0, GENESIS)
        missing = set(anchors) - {before}
        number = 0
        for number, line in enumerate(self._lines(), start=1):
            entry = _parsed(line)
            if entry is None:
                problems.append(AuditProblem(number, "unreadable"))
                continue
            if not hmac.compare_digest(entry["mac"], self._mac(entry)):
                problems.append(AuditProblem(number, "edited"))
            if (entry["sequence"], entry["previous"]) != (before.sequence + 1, before.mac):
                problems.append(AuditProblem(number, "order"))
            before = Head(entry["sequence"], entry["mac"])
            missing.discard(before)
        if missing:
            problems.append(AuditProblem(number + 1, "cut"))
        return problems

    @property
    def _lock_file(self) -> Path:
        return self.path.with_name(f".{self.path.name}.lock")

    def _lines(self) -> Iterator[bytes]:
        if self.path.exists():
            with self.path.open("rb") as file:
                yield from file

    def _write(self, head: Head, action: str, subject: str, facts: Mapping[str, Fact]) -> Head:
        entry: dict[str, Any] = {
            "sequence": head.sequence + 1,
            "at": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            "action": action,
            "subject": subject,
            "facts": dict(facts),
            "previous": head.mac,
        }
        entry["mac"] = self._mac(entry)
        descriptor = os.open(
            self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600
        )
        with os.fdopen(descriptor, "ab") as file:
            file.write(_canonical(entry) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return Head(entry["sequence"], entry["mac"])

    def _mac(self, entry: Mapping[str, Any]) -> str:
        signed = {key: value for key, value in entry.items() if key != "mac"}
        return hmac.new(self._keys.audit_key(), _canonical(signed), hashlib.sha256).hexdigest()

    def _mend(self) -> tuple[Head, int]:
        """Cut off an unfinished last line; return the end of the chain and how many bytes went."""
        if not self.path.exists():
            return Head(0, GENESIS), 0
        _, torn = self._last_line()
        if torn:
            with contextlib.closing(self.path.open("rb+")) as file:
                file.truncate(self.path.stat().st_size - torn)
                os.fsync(file.fileno())
        return self.head(), torn

    def _last_line(self) -> tuple[bytes | None, int]:
        """Return the last finished line (None if there is none) and the bytes of an unfinished one."""
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            tail = b""
            while len(tail) < size and tail.count(b"\n") < 2:  # noqa: PLR2004 - the end of the line before, too
                start = max(0, size - len(tail) - _BLOCK)
                file.seek(start)
                tail = file.read(size - start)
        finished, newline, torn = tail.rpartition(b"\n")
        return (finished.rpartition(b"\n")[2] if newline else None), len(torn)


def _canonical(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Return the entry if the line is one, written exactly as this module writes it."""
    try:
        entry = json.loads(line)
        sound = (
            isinstance(entry, dict) and entry.keys() == _FIELDS and _canonical(entry) == line.rstrip(b"\n")
        )
    except ValueError:
        return None
    return entry if sound and isinstance(entry["mac"], str) and isinstance(entry["sequence"], int) else None
