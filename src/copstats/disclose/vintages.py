"""Vintages (R13): whether a country-wave may be published again, after some of its records changed.

Who has two vintages can subtract one from the other: what is left are the records that changed. They must be
none or many, and pass R2 on either side, in every group whose figure both vintages show or let follow. Groups
that one of them withholds need no such test: their figure is uncertain by the width that R10 asks for, and so
is its change. Figures that are withheld for no secret of their own have no such width, and count as open.
Freezing single cells would not do: the changed total less the changed cells gives the frozen
one, so a wave is published again as a whole or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from copstats.disclose.profile import TIERS, DisclosureProfile, Tier
from copstats.disclose.sql import render
from copstats.language import N_, Translations
from copstats.store.engine import memory_connection
from copstats.store.schemas import DIMENSIONS

_SHOWN = 12
_NO_SECRETS = ("secondary", "unreliable")
"""Reasons for which R10 asks no width."""


class Reason(StrEnum):
    """Why a group stands against a new vintage."""

    FEW = "few"
    """Some records changed, but too few."""
    ONE_SIDED = "one_sided"
    """The changed records, before or after, answered too much alike."""
    WITHDRAWN = "withdrawn"
    """No record changed, but a child was withdrawn who may have been in the group."""
    PATTERN = "pattern"
    """No record changed, and both vintages together may show more than each."""
    UNKNOWN = "unknown"
    """What changed could not be counted."""
    RECORDS = "records"
    """The records of the published vintage are gone."""


_IN_WORDS = {
    Reason.FEW: N_("groups of which some records changed, but too few: {count}"),
    Reason.ONE_SIDED: N_("groups whose changed records answered too much alike: {count}"),
    Reason.WITHDRAWN: N_("groups that may have lost a withdrawn child and little else: {count}"),
    Reason.PATTERN: N_("unchanged groups of which both publications together may show too much: {count}"),
    Reason.UNKNOWN: N_("groups whose changes could not be counted: {count}"),
    Reason.RECORDS: N_("the records behind the published figures are no longer kept"),
}


@dataclass(frozen=True)
class Obstacle:
    """A group that stands against publishing a wave again; holds no number.

    Attributes:
        reason: why.
        indicator: code; empty for the whole wave.
        cell: of the group, as ``sex=F,age=Y12T14``; empty for the total.
        without: cells that are taken off it.
        member: member of a combined indicator whose answers are taken off.
    """

    reason: Reason
    indicator: str = ""
    cell: str = ""
    without: tuple[str, ...] = ()
    member: str | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether a wave may be published again.

    Attributes:
        obstacles: what stands against it, ordered by indicator; none if it may.
    """

    obstacles: tuple[Obstacle, ...] = ()

    @property
    def released(self) -> bool:
        """Whether the new vintage may be published."""
        return not self.obstacles

    @property
    def counts(self) -> dict[str, int]:
        """Reason -> number of groups."""
        return {str(reason): n for reason, n in sorted(Counter(o.reason for o in self.obstacles).items())}

    def lines(self, words: Translations) -> list[str]:
        """Return the reasons in words, one a line, with the indicators; for the operator, never published."""
        out = []
        for reason, count in self.counts.items():
            text = words.text(_IN_WORDS[Reason(reason)], count=words.number(count))
            codes = sorted({o.indicator for o in self.obstacles if o.reason == reason} - {""})
            named = ", ".join(codes[:_SHOWN]) + (", …" if len(codes) > _SHOWN else "")
            out.append(f"{text} ({named})" if named else text)
        return out


def judge(
    changes: pa.Table,
    earlier: pa.Table,
    candidate: pa.Table,
    profile: DisclosureProfile,
    *,
    tiers: Mapping[str, str],
    withdrawn: int = 0,
    jointly_safe: Callable[[], bool] | None = None,
) -> Verdict:
    """Decide whether a wave may be published again.

    Args:
        changes: schema ``CHANGES``: what differs between the records behind both.
        earlier: schema ``INDICATOR_VALUE``: the vintage that is published.
        candidate: schema ``INDICATOR_VALUE``: the vintage that would take its place.
        profile: its ``changed_records`` and, by tier, ``minimum_events``.
        tiers: indicator -> tier; one that is not named is held to the strictest numbers.
        withdrawn: children withdrawn since the published vintage was computed. They are in neither of the two
            versions, so that each may have been in any group.
        jointly_safe: says whether the audit of both vintages together passes; asked only where records that
            did not change are shown in another way. Without it they are taken not to.
    """
    if candidate["value"].null_count == candidate.num_rows:
        return Verdict()  # Nothing is shown, so nothing can be subtracted: what is taken back may always go.
    with memory_connection(threads=1) as connection:
        connection.register("changes", changes)
        connection.register("earlier", earlier)
        connection.register("candidate", candidate)
        connection.register("rule_set", _rule_set(profile, tiers))
        found = connection.sql(
            render(
                "vintages",
                cell=_cell_sql(),
                no_secrets=", ".join(f"'{reason}'" for reason in _NO_SECRETS),
                minimum=repr(profile.limits.changed_records.value),
                strictest=repr(max(profile.thresholds.minimum_events.tiers.values())),
                withdrawn=str(int(withdrawn)),
            )
        ).fetchall()
    obstacles = tuple(
        Obstacle(Reason(reason), indicator, cell, tuple(without), member)
        for indicator, member, cell, without, reason in found
    )
    if obstacles and all(o.reason == Reason.PATTERN for o in obstacles) and jointly_safe and jointly_safe():
        return Verdict()
    return Verdict(obstacles)


def strictest_tiers(*attackers: pa.Table) -> dict[str, str]:
    """Return indicator -> the stricter of its tiers in tables of schema ``ATTACKER``."""
    out: dict[str, str] = {}
    for table in attackers:
        for row in (
            table.select(["indicator", "tier"]).group_by(["indicator", "tier"]).aggregate([]).to_pylist()
        ):
            out[row["indicator"]] = max(row["tier"], out.get(row["indicator"], row["tier"]))
    return out


def without_empty_groups(values: pa.Table, attacker: pa.Table) -> pa.Table:
    """Return values without the cells of nobody: who knows the numbers of answers knows their answers.

    Args:
        values: schema ``INDICATOR_VALUE``, of one submission.
        attacker: schema ``ATTACKER``, of the same.
    """
    cell = ["indicator", *DIMENSIONS]
    return values.join(attacker.filter(pc.equal(attacker["n"], 0)).select(cell), cell, join_type="left anti")


def _rule_set(profile: DisclosureProfile, tiers: Mapping[str, str]) -> pa.Table:
    minimum: Mapping[Tier, float] = profile.thresholds.minimum_events.tiers
    known = {indicator: minimum[tier] for indicator, t in tiers.items() for tier in TIERS if tier == t}
    kinds = pa.schema({"indicator": pa.string(), "minimum_events": pa.float64()})
    return pa.table({"indicator": list(known), "minimum_events": list(known.values())}, schema=kinds)


def _cell_sql() -> str:
    """Return SQL of a published cell's code, as the changes name it."""
    parts = ", ".join(f"CASE WHEN {name} <> '_T' THEN '{name}=' || {name} END" for name in DIMENSIONS)
    return f"concat_ws(',', {parts})"
