"""Which vintage of each country-wave goes into a release: the published one, or one that takes its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from copstats.framework import Framework
from copstats.language import N_, Translations
from copstats.store.home import Home
from copstats.store.rows import Submission
from copstats.store.schemas import ATTACKER, DIMENSIONS, INDICATOR_VALUE
from copstats.store.vintage import Content, Vintage

if TYPE_CHECKING:
    from copstats.analyse.states import Version
    from copstats.disclose.profile import DisclosureProfile
    from copstats.disclose.vintages import Verdict

TOTAL = "_T"

Outcome = Literal["first", "carried", "revised", "held"]


class Protected(Protocol):
    """What the disclosure gate lets through."""

    @property
    def values(self) -> pa.Table:
        """Schema ``INDICATOR_VALUE``."""

    @property
    def attacker(self) -> pa.Table:
        """Schema ``ATTACKER``."""


@dataclass(frozen=True)
class Settled:
    """Which vintage of a wave goes into a release.

    Attributes:
        wave: for example ``KEN_2026_COPS``.
        outcome: ``first`` nothing of the wave was published before; ``carried`` nothing changed; ``revised``
            a new vintage takes the place of the published one; ``held`` it may not, so that one stays.
        number: of the vintage; None where a held wave has none to carry, so that it is left out.
        submission_id: the version of the wave behind the vintage.
        verdict: why the wave was held or revised; None where there was nothing to decide.
    """

    wave: str
    outcome: Outcome
    number: int | None
    submission_id: str
    verdict: Verdict | None = None


def carried_forward(home: Home, wave: str, fingerprint: str) -> Settled | None:
    """Return the published vintage if it was made from exactly this; None if the gate has to be asked.

    Args:
        home: the home.
        wave: for example ``KEN_2026_COPS``.
        fingerprint: of records, withdrawals, framework, code, year, rules and consent.
    """
    published = home.ledger.published(wave)
    if published is None or not published.kept or published.fingerprint != fingerprint:
        return None
    return Settled(wave, "carried", published.number, published.submission_id)


def settle(
    home: Home,
    submission: Submission,
    candidate: Protected,
    *,
    fingerprint: str,
    framework: Framework,
    profile: DisclosureProfile,
    withdrawn: int = 0,
    jointly_safe: Callable[[Content], bool] | None = None,
) -> Settled:
    """Decide which vintage of a wave goes into the next release; a new one becomes a candidate of the ledger.

    A new one is held against every vintage that was published, since whoever has one keeps it.

    Args:
        home: the home, locked by the caller.
        submission: the present version of the wave.
        candidate: what the gate lets through of it.
        fingerprint: of what the candidate was made from, see `carried_forward`.
        framework: of the wave.
        profile: rules of disclosure.
        withdrawn: children of the wave that have been withdrawn, ever.
        jointly_safe: whether the audit of the candidate together with the published vintage passes.
    """
    wave = submission.wave
    if (same := carried_forward(home, wave, fingerprint)) is not None:
        return same
    content = _of_submission(candidate, submission.id)
    published = home.ledger.published(wave)
    verdict = None
    if published is not None:
        judged = _Judge(home, submission, content, framework, profile, withdrawn, jointly_safe)
        verdict = judged.verdict()
        if not verdict.released:
            number = published.number if _may_stay(home, submission, published) else None
            facts = {"submission": submission.id, "carried": number, **verdict.counts}
            home.audit.append("vintage.held", wave, **facts)
            return Settled(wave, "held", number, published.submission_id, verdict)
    number = home.ledger.propose(
        wave, content, submission_id=submission.id, fingerprint=fingerprint, withdrawn=withdrawn
    )
    return Settled(wave, "revised" if published else "first", number, submission.id, verdict)


def contents(home: Home, settled: Iterable[Settled]) -> Content:
    """Return what a release says of its waves, and what an attacker is taken to know besides."""
    found = [home.ledger.content(one.wave, one.number) for one in settled if one.number is not None]
    return Content(
        pa.concat_tables([INDICATOR_VALUE.empty_table(), *(one.values for one in found)]),
        pa.concat_tables([ATTACKER.empty_table(), *(one.attacker for one in found)]),
    )


def vintages_of(settled: Iterable[Settled]) -> dict[str, int]:
    """Return wave -> vintage, as the ledger notes it of a release."""
    return {one.wave: one.number for one in settled if one.number is not None}


def held_units(settled: Iterable[Settled], words: Translations) -> list[str]:
    """Return what the operator is told of the waves that were held, one line a wave and reason."""
    out = []
    for one in settled:
        if one.outcome == "held" and one.verdict is not None:
            stays = N_("{wave}: the new version is held; the figures published before stay")
            leaves = N_("{wave}: the new version is held, and there are no figures to carry forward")
            out.append(words.text(leaves if one.number is None else stays, wave=one.wave))
            out += [f"  {line}" for line in one.verdict.lines(words)]
    return out


def _of_submission(candidate: Protected, submission_id: str) -> Content:
    values, attacker = candidate.values, candidate.attacker
    return Content(
        values.filter(pc.equal(values["source"], submission_id)),
        attacker.filter(pc.equal(attacker["submission_id"], submission_id)),
    )


def _may_stay(home: Home, submission: Submission, published: Vintage) -> bool:
    """Say whether the published vintage may be published on: it is kept, and no finer than consent is now."""
    consent = submission.survey_manifest.dissemination
    if not published.kept or not consent.consent:
        return False
    values = home.ledger.content(submission.wave, published.number).values
    totals = all(pc.all(pc.equal(values[name], TOTAL)).as_py() in (True, None) for name in DIMENSIONS)
    return totals or consent.level != "national"


@dataclass(frozen=True)
class _Judge:
    """Holds a candidate against the vintages that were published."""

    home: Home
    submission: Submission
    content: Content
    framework: Framework
    profile: DisclosureProfile
    withdrawn: int
    jointly_safe: Callable[[Content], bool] | None

    def verdict(self) -> Verdict:
        """Return what stands against the candidate, of whichever vintage."""
        from copstats.disclose.vintages import Verdict

        vintages = self.home.ledger.all_published(self.submission.wave)
        obstacles = [o for vintage in vintages for o in self._against(vintage).obstacles]
        return Verdict(tuple(dict.fromkeys(obstacles)))

    def _against(self, vintage: Vintage) -> Verdict:
        from copstats.analyse.changes import changes
        from copstats.disclose.vintages import (
            Obstacle,
            Reason,
            Verdict,
            judge,
            strictest_tiers,
            without_empty_groups,
        )

        if not (vintage.kept and self.home.waves.exists(vintage.submission_id)):
            return Verdict((Obstacle(Reason.RECORDS),))
        earlier = self.home.ledger.content(self.submission.wave, vintage.number)
        before = self.home.registry.get(vintage.submission_id)
        asked = self.jointly_safe
        return judge(
            changes(self._version(before), self._version(self.submission), self.framework),
            without_empty_groups(earlier.values, earlier.attacker),
            without_empty_groups(self.content.values, self.content.attacker),
            self.profile,
            tiers=strictest_tiers(earlier.attacker, self.content.attacker),
            withdrawn=max(self.withdrawn - vintage.withdrawn, 0),
            jointly_safe=None if asked is None else lambda: asked(earlier),
        )

    def _version(self, submission: Submission) -> Version:
        from copstats.analyse.states import Version

        self.home.audit.append("wave.opened", submission.id, purpose="vintages")
        wave = self.home.waves.open(submission.id)
        parent = wave.read("parent").read_all() if "parent" in wave.records else None
        return Version(wave.read("child").read_all(), parent, submission.survey_manifest)
