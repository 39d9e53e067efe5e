"""The disclosure gate: from restricted estimates to cells that may be published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from copstats.disclose.empty import with_empty_groups
from copstats.disclose.precision import published_form, register_steps
from copstats.disclose.primary import ConsentLevel, decide
from copstats.disclose.profile import DisclosureProfile
from copstats.disclose.shape import broken_checks
from copstats.errors import ConfidentialityError
from copstats.framework.loader import Framework
from copstats.store.engine import memory_connection


@dataclass(frozen=True)
class Protected:
    """What the gate gives out.

    Attributes:
        values: schema ``INDICATOR_VALUE``, ordered by its key: values and errors in the published unit,
            rounded.
        attacker: schema ``ATTACKER``: what an attacker is taken to know besides; restricted.
        costs: cells that each reason withholds: ``ref_area, submission_id, indicator, reason, cells``.
        conceded: sums of which definitions and numbers of respondents tell more than the rules allow,
            whatever is published.
    """

    values: pa.Table
    attacker: pa.Table
    costs: pa.Table
    conceded: int


def protect(
    estimates: pa.Table,
    profile: DisclosureProfile,
    *,
    consent_level: Mapping[str, ConsentLevel],
    framework: Framework,
    sampling_fraction: Mapping[str, float | None] | None = None,
) -> Protected:
    """Return what may be published of some estimates.

    Groups without a record get a row, so that its absence tells nothing. The primary rules decide each cell
    by itself; complementary suppression withholds further cells of a wave until none of those that are
    withheld or coded can be worked out from the others.

    Args:
        estimates: schema ``ESTIMATES``: unrounded, shares from 0 to 1.
        profile: thresholds, tables, steps, bands, reasons.
        consent_level: submission -> what its manifest allows: ``disaggregated``, ``national`` (totals only)
            or ``none``; a submission that is not named has none.
        framework: of the waves; its definitions say how indicators hang together.
        sampling_fraction: submission -> share of the population that was interviewed, see
            ``sampling_fractions``.

    Raises:
        ConfidentialityError: C101, the result breaks the shape of a published table; C103, the estimates of a
            wave contradict each other. Nothing is returned.
    """
    # The solver and scipy take half a second to import: who reads a release needs neither.
    from copstats.disclose.secondary import attacker_table, cost_table, withhold_secondary

    with memory_connection(threads=1) as connection:
        decide(
            connection,
            with_empty_groups(estimates, framework),
            profile,
            consent_level=consent_level,
            sampling_fraction=sampling_fraction,
        )
        register_steps(connection, profile)
        conceded = withhold_secondary(connection, framework)
        cells = published_form(connection, profile)
        refuse_broken_shape(cells, profile)
        return Protected(cells, attacker_table(connection), cost_table(connection), conceded)


def refuse_broken_shape(cells: pa.Table, profile: DisclosureProfile) -> None:
    """Stop if a table of values could not have come out of the gate.

    Raises:
        ConfidentialityError: C101; names the check and the number of cells.
    """
    coded = [code for code, reason in profile.reasons.items() if reason.coded]
    with memory_connection(threads=1) as connection:
        connection.register("indicator_value", cells)
        for check, count in broken_checks(connection, coded).items():
            raise ConfidentialityError("C101", check=check, count=count)
