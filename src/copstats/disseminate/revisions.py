"""Which published cells and counts a release changes, and why (table ``revision``).

Both values of a row were published, so that the table tells nothing that two releases side by side do not.
Of a cell that the release does not show, earlier figures are left out too: a country that objects, or that no
longer consents, does not find them in every later release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from copstats.errors import ReleaseError
from copstats.language import N_
from copstats.store.engine import memory_connection
from copstats.store.schemas import DIMENSIONS

IDENTITY = (
    *("ref_area", "indicator", "time_period", "survey", *DIMENSIONS),
    *("breakdown", "code", "standardised", "unit_measure"),
)
"""What makes two cells of different releases the same: all but the version of the data."""

_FIGURES = ("value_from", "value_to", "ci_lower_from", "ci_lower_to", "ci_upper_from", "ci_upper_to")

REVISION = pa.schema(
    {
        **dict.fromkeys(("release_from", "release_to", *IDENTITY), pa.string()),
        **dict.fromkeys(_FIGURES, pa.float64()),
        **dict.fromkeys(("obs_status_from", "obs_status_to"), pa.string()),
        **dict.fromkeys(("revision_reason", "source_from", "source_to"), pa.string()),
    }
)
"""One row a published cell that a later release changed."""

REASONS: Mapping[str, str] = {
    "new_version": N_("The statistics office sent a new version of its data"),
    "definitions": N_("The framework, the program or the rules of disclosure changed"),
    "recomputed": N_("The records of the same version were computed again"),
    "withheld": N_("The value is no longer shown"),
    "shown": N_("The value is shown for the first time"),
    "objection": N_("The country objected to the publication"),
    "removed": N_("The cell is no longer published"),
}
"""Codes of column ``revision_reason`` and their labels."""

_COUNTED = ("sex", "age")
"""Dimensions that counts have too."""
_CELLS = f"""
    SELECT {", ".join(IDENTITY)}, value, ci_lower, ci_upper, obs_status, reason, source
    FROM (
        SELECT *, '_T' AS breakdown, '_T' AS code FROM cells
        UNION ALL BY NAME
        SELECT
            * EXCLUDE (measure), measure AS indicator, 'N' AS standardised,
            regexp_replace(source, '_v[0-9]+.*', '') AS survey,
            {", ".join(f"'_T' AS {name}" for name in DIMENSIONS if name not in _COUNTED)}
        FROM counts
    )
"""  # noqa: S608 - names of ours
_DEFINITIONS = ("framework", "framework_version", "profile", "profile_version", "code_version")


_COMPARED = ("release", "indicator", "indicator_value", "administrative_value", "revision")


@dataclass(frozen=True)
class Previous:
    """What the release before this one published.

    Attributes:
        label: of that release.
        cells: its values and counts, see `revisable`.
        indicators: its table ``indicator``.
        revisions: its table ``revision``.
        release: its table ``release``.
    """

    label: str
    cells: pa.Table
    indicators: pa.Table
    revisions: pa.Table
    release: pa.Table


def read_previous(folder: Path) -> Previous:
    """Read from a release what `revisions` compares with.

    Args:
        folder: of the release.

    Raises:
        ReleaseError: R100, one of its tables is missing or has other columns.
    """
    try:
        tables = {name: pq.read_table(folder / "parquet" / f"{name}.parquet") for name in _COMPARED}
        (label,) = tables["release"]["label"].to_pylist()
        return Previous(
            label,
            cells=revisable(tables["indicator_value"], tables["administrative_value"]),
            indicators=tables["indicator"].select(["indicator", "first_release"]),
            revisions=tables["revision"].cast(REVISION),
            release=tables["release"],
        )
    except (OSError, ValueError, KeyError, duckdb.Error, pa.ArrowException):
        raise ReleaseError("R100", where=folder.name) from None


def revisable(cells: pa.Table, counts: pa.Table) -> pa.Table:
    """Return the values and counts of a release in one shape: a count has its measure as indicator.

    Its survey is the submission without its version: one collection may report the same period twice.

    Args:
        cells: schema ``INDICATOR_VALUE``.
        counts: table ``administrative_value``.
    """
    with memory_connection(threads=1) as connection:
        connection.register("cells", cells)
        connection.register("counts", counts)
        return connection.sql(_CELLS).to_arrow_table()


def with_first_release(
    indicators: pa.Table, cells: pa.Table, previous: Previous | None, label: str
) -> pa.Table:
    """Return the table ``indicator`` with the release that was the first to hold a value of each.

    Args:
        indicators: without it.
        cells: of this release, see `revisable`.
        previous: what the release before held.
        label: of this release.
    """
    now = dict.fromkeys(cells.filter(pc.is_valid(cells["value"]))["indicator"].to_pylist(), label)
    before = previous.indicators.to_pylist() if previous else []
    first = now | {row["indicator"]: row["first_release"] for row in before if row["first_release"]}
    column = pa.array([first.get(code) for code in indicators["indicator"].to_pylist()], pa.string())
    return indicators.append_column("first_release", column)


def definitions_changed(before: pa.Table, now: pa.Table) -> bool:
    """Whether two tables ``release`` name another framework, disclosure profile or version of the program."""
    one, other = (table.select(list(_DEFINITIONS)).to_pylist() for table in (before, now))
    return bool(one != other)


def revisions(
    before: pa.Table | None,
    earlier_revisions: pa.Table | None,
    cells: pa.Table,
    *,
    label_from: str,
    label_to: str,
    definitions_changed: bool,
) -> pa.Table:
    """Return what a release changes of the values that the one before it showed, and all earlier changes.

    A cell is revised if its value, its status or a limit of its interval is another, or if it is gone. Cells
    that the release before did not have are new, not revised.

    Args:
        before: values and counts of the release before, see `revisable`; None if there is none.
        earlier_revisions: of that release, schema ``REVISION``; carried on as they are.
        cells: those of this release.
        label_from: label of the release before.
        label_to: label of this release.
        definitions_changed: whether framework, disclosure profile or program are not those of the release
            before; explains values that changed although the data did not.

    Returns:
        Schema ``REVISION``, ordered by release and cell. Figures of a cell without a value in this release
        are NULL, those of earlier rows too.
    """
    query = Template(Path(__file__).with_name("revisions.sql").read_text("utf-8")).substitute(
        identity=", ".join(IDENTITY),
        columns=", ".join(REVISION.names),
        figures=", ".join(f"CASE WHEN shown THEN {name} END AS {name}" for name in _FIGURES),
    )
    words = {
        "label_from": label_from,
        "label_to": label_to,
        "same_source": "definitions" if definitions_changed else "recomputed",
    }
    with memory_connection(threads=1) as connection:
        connection.register("earlier", cells.slice(0, 0) if before is None else before)
        connection.register("later", cells)
        told = REVISION.empty_table() if earlier_revisions is None else earlier_revisions
        connection.register("earlier_revision", told)
        return connection.sql(query, params=words).to_arrow_table().cast(REVISION)
