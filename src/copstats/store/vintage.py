"""A vintage: a country-wave as it stood in one or more releases."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import Annotated

import msgspec
import pyarrow as pa
from pyarrow.csv import write_csv

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.schemas import ATTACKER, DIMENSIONS, INDICATOR_VALUE
from copstats.store.sealed import Seal, Subject, checked_submission_id

TABLES = {"values": INDICATOR_VALUE, "attacker": ATTACKER}
"""The tables that a vintage holds."""

_ORDER = ("indicator", "time_period", *DIMENSIONS, "standardised", "source")
_WAVE = re.compile(r"[A-Z]{3}_[0-9]{4}_[A-Z0-9]{2,12}")


class Vintage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A country-wave as it was published, or as it may be.

    Attributes:
        number: 1 for the first.
        submission_id: the version of the wave that it was computed from.
        fingerprint: of what it was computed from: records, framework, code, rules.
        withdrawn: how many children of the wave had been withdrawn by then.
        computed_at: when.
        token: tells its files from others.
        seals: of its files ``values`` and ``attacker``; none once they were destroyed.
    """

    number: Annotated[int, msgspec.Meta(ge=1)]
    submission_id: str
    fingerprint: str
    withdrawn: Annotated[int, msgspec.Meta(ge=0)]
    computed_at: dt.datetime
    token: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    seals: dict[str, Seal]

    @property
    def kept(self) -> bool:
        """Whether what it holds is still there."""
        return bool(self.seals)

    def subject(self, name: str) -> Subject:
        """Return what a file of the vintage is about."""
        bound = f"{self.fingerprint}|{self.number}"
        return Subject(submission_id=self.submission_id, record=f"vintage_{name}", fingerprint=bound)


@dataclass(frozen=True)
class Content:
    """What is published of a wave, and what an attacker is taken to know besides.

    Attributes:
        values: schema ``INDICATOR_VALUE``.
        attacker: schema ``ATTACKER``.
    """

    values: pa.Table
    attacker: pa.Table

    def digest(self) -> str:
        """Return the SHA-256 of the values, whatever the order of their rows."""
        text = pa.BufferOutputStream()
        write_csv(self.values.sort_by([(name, "ascending") for name in _ORDER]), text)
        return hashlib.sha256(text.getvalue()).hexdigest()


def checked_wave(wave: str) -> str:
    """Return the id of a wave if it has the form ``KEN_2026_COPS``; file names are made of it. U012 else."""
    if not _WAVE.fullmatch(wave):
        raise UsageError("U012")
    return wave


def refuse_others(content: Content, wave: str, submission_id: str) -> None:
    """Refuse tables that are not those of a vintage of this wave, microdata above all: C009."""
    of_wave = checked_submission_id(submission_id).startswith(f"{checked_wave(wave)}_v")
    shaped = content.values.schema.equals(INDICATOR_VALUE) and content.attacker.schema.equals(ATTACKER)
    if not (of_wave and shaped):
        raise ConfidentialityError("C009", where=submission_id)
    named = {*content.values["source"].unique().to_pylist()}
    named |= {*content.attacker["submission_id"].unique().to_pylist()}
    if named - {submission_id}:
        raise ConfidentialityError("C009", where=submission_id)
