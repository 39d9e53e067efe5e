"""The disclosure gate: from restricted estimates to cells that may be published."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from copstats.disclose.precision import published_form
from copstats.disclose.primary import ConsentLevel, decide
from copstats.disclose.profile import DisclosureProfile
from copstats.disclose.shape import broken_checks
from copstats.errors import ConfidentialityError
from copstats.store.engine import memory_connection


def protect(
    estimates: pa.Table,
    profile: DisclosureProfile,
    *,
    consent_level: Mapping[str, ConsentLevel],
) -> pa.Table:
    """Return what may be published of some estimates.

    The primary rules decide each cell by itself; a figure that is withheld may still follow from others
    (complementary suppression is a step between the two of this function).

    Args:
        estimates: schema ``ESTIMATES``: unrounded, shares from 0 to 1.
        profile: thresholds, tables, steps, bands, reasons.
        consent_level: submission -> what its manifest allows: ``disaggregated``, ``national`` (totals only)
            or ``none``; a submission that is not named has none.

    Returns:
        Schema ``INDICATOR_VALUE``, ordered by its key: values and errors in the published unit, rounded.

    Raises:
        ConfidentialityError: C101, the result breaks the shape of a published table; nothing is returned.
    """
    with memory_connection(threads=1) as connection:
        decide(connection, estimates, profile, consent_level=consent_level)
        cells = published_form(connection, profile)
        refuse_broken_shape(cells, profile)
    return cells


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
