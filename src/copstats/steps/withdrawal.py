"""Withdrawal of children, of a submission, or of a country: gone here, and in every copy that was made.

What was published stays as it is: a release that changed for one child alone would show who it was.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from copstats.errors import ConfidentialityError, UsageError
from copstats.steps.common import PROGRESS
from copstats.steps.uploads import destroy_uploads, uploads_of
from copstats.store.home import Home
from copstats.store.keys import KeyStore
from copstats.store.rotation import SEALED_IN, rotate_wrapping
from copstats.store.rows import State, Submission
from copstats.store.shredding import still_readable, wrapped_keys
from copstats.store.withdrawal_request import (
    WithdrawalRequest,
    read_request,
    request_name,
    write_request,
)

_CHILD = "child_id"
_BEGUN, _PROVED = "withdrawal.begun", "withdrawal.proved"


@dataclass(frozen=True)
class Withdrawn:
    """What a withdrawal did.

    Attributes:
        subject: wave, submission or country.
        children: of the withdrawn children, how many were not withdrawn before.
        records: records of children and their parents that are gone, in all versions of the wave.
        data_keys: data keys of what is gone; none of them opens anything any more.
    """

    subject: str
    children: int = 0
    records: int = 0
    data_keys: int = 0


def request_withdrawal(
    keys: KeyStore, wave: str, identifiers: Iterable[str], folder: Path, on: dt.date, *, panel: bool = False
) -> Path:
    """Write the office's signed request to withdraw children; it holds pseudonyms alone.

    Args:
        keys: of the office.
        wave: for example ``KEN_2026_COPS``.
        identifiers: of the children, as in the column ``child_id``; one a line.
        folder: for the file.
        on: the day.
        panel: the pseudonyms of the sealed file are kept between waves, as its ``linkage`` says.

    Raises:
        ConfidentialityError: a key of the office is missing, unfit or locked.
        UsageError: U343, the wave's name cannot be used; U321, the file cannot be written.
        SubmissionError: S344, there is no identifier.
    """
    scope: Literal["wave", "panel"] = "panel" if panel else "wave"
    draft = WithdrawalRequest.of(wave, (), on, scope=scope)
    signing = keys.national_signing_key(draft.ref_area)
    path = folder / request_name(wave)
    keys.root_id(draft.ref_area)
    tokens = _office_tokens(keys, draft, identifiers)
    write_request(path, WithdrawalRequest.of(wave, tokens, on, scope=scope), signing)
    return path


def withdraw_requested(home_path: Path, path: Path) -> Withdrawn:
    """Withdraw the children of a signed request, at the receiving side. The same again changes nothing.

    Raises:
        SubmissionError: S342 to S345, it is no request.
        ConfidentialityError: C311, C312, C340, its signature cannot be believed.
    """
    home = Home.open(home_path)
    request = read_request(path, home.keys.registered)
    return _withdraw(home, request.wave, request.key_scope, request.tokens, signed=True)


def withdraw_identified(
    home_path: Path, wave: str, identifiers: Iterable[str], *, panel: bool = False
) -> Withdrawn:
    """Withdraw children of a wave that came as a raw file: the receiving side made the pseudonyms alone.

    Raises:
        UsageError: U343, the wave's name cannot be used.
    """
    home = Home.open(home_path)
    draft = WithdrawalRequest.of(wave, (), dt.datetime.now(dt.UTC).date(), scope="panel" if panel else "wave")
    tokens = _office_tokens(home.keys, draft, identifiers)
    return _withdraw(home, wave, draft.key_scope, tokens, signed=False)


def finish_withdrawals(home: Home, submission: Submission) -> int:
    """Remove the records of withdrawn children and of their parents from a wave; return how many there were.

    Usually there are none: a withdrawal removes them, and taking in a version leaves them out. After a
    process was killed between the two there may be some.
    """
    tokens = home.tombstones.tokens(submission.wave)
    if not tokens or not home.waves.exists(submission.id):
        return 0
    from copstats.process.withdrawal import without

    wave = home.waves.open(submission.id)
    tables = {kind: wave.read(kind).read_all() for kind in wave.records}
    home.audit.append("wave.opened", submission.id, purpose="withdrawal")
    left = without(tables, tokens)
    gone: int = sum(table.num_rows - left[kind].num_rows for kind, table in tables.items())
    if gone:
        home.waves.write(submission.id, submission.ref_area, left, replace=True)
        home.warehouse.destroy(submission.id)
        home.audit.append("wave.rewritten", submission.id, records=gone)
    return gone


def withdraw_submission(home_path: Path, submission_id: str, *, who: str, reason: str) -> Withdrawn:
    """Destroy what is kept of a submission; the same content is not taken in again.

    Args:
        home_path: the home folder.
        submission_id: of any state.
        who: who decided.
        reason: in words; without data of persons.

    Raises:
        UsageError: U009, there is no such submission.
    """
    home = Home.open(home_path)
    with home.lock(wait=60):
        submission = home.registry.get(submission_id)
        gone = wrapped_keys(home.path, SEALED_IN, submission_id)
        if submission.state == State.ACCEPTED:
            gone += wrapped_keys(home.path, ("ledger",), submission.wave)
        home.audit.append("submission.withdrawn", submission_id)
        if gone:
            home.audit.append(_BEGUN, submission.wave)
        home.registry.withdraw(submission_id, who=who, reason=reason)
        _destroy(home, submission)
    shredded = _shred(home, submission.ref_area, gone) if gone or _unproved(home, submission.wave) else 0
    return Withdrawn(submission_id, records=_children(submission), data_keys=shredded)


def withdraw_country(home_path: Path, area: str, *, who: str, reason: str) -> Withdrawn:
    """Destroy the keys of a country, and with them everything that is kept of it, in every copy.

    The keys go first: a process killed after that has destroyed all, and the next call clears away the rest.

    Raises:
        ConfidentialityError: C001, there is no key of the country and nothing left of it.
    """
    home = Home.open(home_path)
    with home.lock(wait=60):
        gone = wrapped_keys(home.path, SEALED_IN, f"{area}_")
        submissions = [one for one in home.registry.submissions() if one.ref_area == area]
        held = any(name.partition(".")[0] == area for name in home.keys.names())
        left = any(one.state != State.WITHDRAWN for one in submissions)
        destroyed = home.keys.destroy(area) if held or not left else []
        home.audit.append("country.withdrawn", area, keys=len(destroyed))
        for submission in submissions:
            home.registry.withdraw(submission.id, who=who, reason=reason)
            _destroy(home, submission)
        for wave in {one.wave for one in submissions}:
            home.tombstones.destroy(wave)
        _refuse_readable(home, area, gone)
    return Withdrawn(area, records=sum(map(_children, submissions)), data_keys=len(gone))


def _office_tokens(keys: KeyStore, request: WithdrawalRequest, identifiers: Iterable[str]) -> list[str]:
    from copstats.process.pseudonymise import token_of
    from copstats.process.withdrawal import identifiers as read

    panel = request.scope == "panel"
    key = keys.pseudonym_key(request.ref_area, request.key_scope, _CHILD, permitted=panel)
    return token_of(_CHILD, read(identifiers), key)


def _withdraw(home: Home, wave: str, scope: str, tokens: Sequence[str], *, signed: bool) -> Withdrawn:
    area = wave[:3]
    with home.lock(wait=60):
        versions = [one for one in home.registry.submissions() if one.wave == wave]
        if not versions:
            raise UsageError("U350", where=wave)
        if not any(_sealed_at_office(home, one) is signed for one in versions):
            raise UsageError("U351" if signed else "U352", where=wave)
        own = _replaced(home, area, scope, tokens) if signed else tokens
        home.audit.append("withdrawal.received", wave, children=len(tokens), signed=signed)
        if set(own) - home.tombstones.tokens(wave):
            home.audit.append(_BEGUN, wave)
        # The tombstones come first: whatever happens then, no version brings the children back.
        new = home.tombstones.add(wave, own)
        gone, records = [], 0
        for one in versions:
            before = wrapped_keys(home.path, SEALED_IN, one.id)
            if held := finish_withdrawals(home, one):
                records += held
                gone += before
            gone += _without_upload(home, one.id)
        home.audit.append("withdrawal.done", wave, children=new, records=records)
    PROGRESS.info("%s: records withdrawn: %s", wave, records)
    shredded = _shred(home, area, gone) if gone or _unproved(home, wave) else 0
    return Withdrawn(wave, children=new, records=records, data_keys=shredded)


def _unproved(home: Home, wave: str) -> bool:
    """Say whether a withdrawal was begun, and a killed process never came to making copies unreadable."""
    due = False
    for entry in home.audit.entries():
        if (entry["action"], entry["subject"]) == (_BEGUN, wave):
            due = True
        elif (entry["action"], entry["subject"]) == (_PROVED, wave[:3]):
            due = False
    return due


def _replaced(home: Home, area: str, scope: str, tokens: Sequence[str]) -> list[str]:
    """Return the receiving side's pseudonyms of the office's."""
    from copstats.process.pseudonymise import token_of

    if area not in home.keys.areas():
        raise ConfidentialityError("C001", where=f"{area}.key")
    key = home.keys.pseudonym_key(area, scope, _CHILD, permitted=scope.startswith("panel:"))
    return token_of(_CHILD, tokens, key)


def _sealed_at_office(home: Home, submission: Submission) -> bool:
    provenance = home.registry.provenance(submission.id)
    return provenance is not None and provenance.custody == "double"


def _without_upload(home: Home, submission_id: str) -> list[bytes]:
    """Destroy the raw upload of a submission, which holds the child too; return its wrapped keys."""
    keys = [
        key
        for upload in uploads_of(home, submission_id)
        for key in wrapped_keys(home.path, ("quarantine",), upload.upload_id)
    ]
    destroy_uploads(home, submission_id, "withdrawn")
    return keys


def _destroy(home: Home, submission: Submission) -> None:
    if home.waves.exists(submission.id):
        home.waves.destroy(submission.id)
    home.warehouse.destroy(submission.id)
    home.findings.destroy(submission.id)
    _without_upload(home, submission.id)
    # A release that waits may hold figures of it that were never published.
    for label in home.prepared.labels():
        home.prepared.discard(label)
    if submission.state in (State.ACCEPTED, State.WITHDRAWN):
        home.ledger.destroy(submission.wave)


def _shred(home: Home, area: str, gone: Sequence[bytes]) -> int:
    """Put another key in the place of the country's, so that backups of what is gone open no more."""
    rotate_wrapping(home, home.keys, area)
    _refuse_readable(home, area, gone)
    return len(gone)


def _refuse_readable(home: Home, area: str, gone: Sequence[bytes]) -> None:
    """Prove that no data key of what is gone opens any more, and note the proof.

    Raises:
        ConfidentialityError: C350, one still does.
    """
    if left := still_readable(home.keys, area, gone):
        raise ConfidentialityError("C350", where=area, count=left)
    home.audit.append(_PROVED, area, data_keys=len(gone), readable=0)


def _children(submission: Submission) -> int:
    return submission.records.get("child", 0)
