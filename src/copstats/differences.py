"""What the tables of differences need from the restricted side: pairs of rounds, errors between groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from copstats.framework import Framework
from copstats.store.home import Home
from copstats.store.rows import Submission
from copstats.store.schemas import GROUP_ERRORS, ROUND_PAIRS

KEPT_GROUP_ERRORS = "group_errors"
"""Name under which an estimation keeps the errors between groups beside the sums by PSU."""


@dataclass(frozen=True)
class Differences:
    """Unrounded and restricted; `copstats.disseminate.build_release` takes both.

    Attributes:
        round_pairs: cells of consecutive rounds held against each other, schema ``ROUND_PAIRS``.
        group_errors: standard errors of differences between groups, schema ``GROUP_ERRORS``.
    """

    round_pairs: pa.Table
    group_errors: pa.Table


def gather(
    home: Home, waves: Sequence[Submission], framework: Framework, fingerprints: Mapping[str, str]
) -> Differences:
    """Compute, for the surveys of a release, how exactly their differences are known.

    Args:
        home: holds the estimates and the sums by PSU, whose opening the audit log records.
        waves: accepted surveys.
        framework: that they follow.
        fingerprints: submission -> what its estimates were made from; sums by PSU of other estimates do not
            count, and leave the largest possible errors.

    Raises:
        UsageError: U018, a wave has no estimates.
        ConfidentialityError: C001 to C005, a key or file is missing, changed or moved.
    """
    from copstats.analyse.groups import group_errors
    from copstats.analyse.rounds import Round, consecutive, round_pairs

    rounds = {}
    for wave in waves:
        home.audit.append("estimates.opened", wave.id, purpose="differences")
        cells = home.waves.read_cells(wave.id, fingerprints[wave.id])
        rounds[wave.id] = Round(
            wave.survey_manifest, wave.survey_crosswalk, home.warehouse.read([wave.id]), cells
        )
    pairs = [
        round_pairs(rounds[before.submission_id], rounds[after.submission_id], framework)
        for before, after in consecutive(one.manifest for one in rounds.values())
    ]
    errors = [
        kept
        if (kept := (one.cells or {}).get(KEPT_GROUP_ERRORS)) is not None
        # Sums of another estimation do not count, and leave the largest possible errors.
        else group_errors(one.estimates, one.cells, one.manifest, framework)
        for one in rounds.values()
    ]
    return Differences(
        pa.concat_tables(pairs) if pairs else ROUND_PAIRS.empty_table(),
        pa.concat_tables(errors) if errors else GROUP_ERRORS.empty_table(),
    )
