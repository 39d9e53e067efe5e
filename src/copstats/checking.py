"""Checks a submission: reads it, brings it into framework variables, holds it against all that is at hand."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from copstats.errors import EstimationError, UsageError
from copstats.framework import Framework, load_framework

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from copstats.collect.harmonise import Harmonised
    from copstats.collect.received import Received
    from copstats.collect.submission import Submission as Delivery
    from copstats.framework import Area
    from copstats.process.check import CheckResult
    from copstats.process.pictures import Pictures
    from copstats.process.reports.places import Place
    from copstats.process.summary import Summary
    from copstats.process.surroundings import Surroundings

T = TypeVar("T")
PROGRESS = logging.getLogger("copstats.progress")
"""What the steps say of their progress: names and counts."""
SUMMARY = "summary.json"
DATABASE = "copstats.duckdb"
FINDINGS_KEPT = 10_000
"""So many findings of one rule are listed in reports; their number is always exact."""


@dataclass(frozen=True)
class AtHand:
    """What a submission can be held against besides the framework.

    Attributes:
        summaries: of earlier rounds, and of earlier versions of the same round; the latest of each is taken.
        population: CSV file, see `copstats.process.population.read_population`.
        release: folder of a release, or its database: the values of other countries.
        external: CSV file, see `copstats.process.external.read_external`.
    """

    summaries: tuple[Summary, ...] = ()
    population: Path | None = None
    release: Path | None = None
    external: Path | None = None


@dataclass(frozen=True)
class Checked:
    """Outcome of a check.

    Attributes:
        delivery: the submission as opened.
        framework: the framework version that it follows.
        result: outcomes and findings.
        summary: what may leave the country.
        places: where columns and records stand in the data files.
        pictures: figures for the page of the report; None if they were not asked for.
        records: number of records by kind.
    """

    delivery: Delivery | Received
    framework: Framework
    result: CheckResult
    summary: Summary
    places: Mapping[str, Place]
    pictures: Pictures | None = None
    records: Mapping[str, int] = field(default_factory=dict)


def check(
    delivery: Delivery | Received,
    at_hand: AtHand | None = None,
    *,
    pictures: bool = False,
    at_most: int | None = None,
    gate: bool = True,
    then: Callable[[duckdb.DuckDBPyConnection, Harmonised, CheckResult], T] | None = None,
) -> tuple[Checked, T | None]:
    """Check a submission that was opened. The records live in memory, and no longer than the call.

    Args:
        delivery: what `copstats.collect.submission.open_submission` returned, or the records of a sealed
            file.
        at_hand: what else to hold it against.
        pictures: whether figures for a report are wanted.
        at_most: so many findings of each rule are kept; None keeps all.
        gate: whether the acceptance suite runs too; nothing is accepted without it.
        then: called with the harmonised records and the result while they are there.

    Returns:
        What came of the check, and what ``then`` returned.

    Raises:
        SubmissionErrors: a data file cannot be read.
    """
    from copstats.collect.harmonise import harmonise
    from copstats.collect.received import Received, hold
    from copstats.process.check import check as check_records
    from copstats.process.pictures import pictures as drawn
    from copstats.process.records import record_tables
    from copstats.process.reports.places import places
    from copstats.process.summary import summary_of
    from copstats.store.engine import memory_connection

    framework = load_framework(delivery.manifest.framework)
    with memory_connection() as connection:
        if isinstance(delivery, Received):
            harmonised = hold(delivery, connection)
        else:
            harmonised = harmonise(delivery, framework, connection)
        said = (delivery.manifest, delivery.crosswalk)
        PROGRESS.info("%s: %s; checking", delivery.id, _records(harmonised))
        result = check_records(
            connection,
            harmonised,
            delivery.id,
            framework,
            *said,
            at_most=at_most,
            gate=gate,
            surroundings=_surroundings(delivery, framework, connection, at_hand or AtHand()),
        )
        checked = Checked(
            delivery=delivery,
            framework=framework,
            result=result,
            summary=summary_of(
                result, connection, harmonised, framework, *said, content_hash=delivery.content_hash
            ),
            places=places(harmonised),
            pictures=drawn(connection, record_tables(framework, said[0], harmonised, said[1]), framework)
            if pictures
            else None,
            records={str(kind): record.rows for kind, record in harmonised.records.items()},
        )
        return checked, then(connection, harmonised, result) if then is not None else None


def summaries_at(
    paths: Iterable[Path], *, areas: Mapping[str, Area], data: Path | None = None
) -> tuple[Summary, ...]:
    """Return the summaries of earlier checks.

    Args:
        paths: each a ``summary.json``, a folder of reports that holds one, or an earlier submission, which is
            checked for the purpose.
        areas: countries and areas by ISO 3166-1 alpha-3 code.
        data: folder of the data files of earlier submissions, if elsewhere.

    Raises:
        UsageError: U170, there is nothing of the kind; U160 or U161, a summary cannot be read.
        SubmissionErrors: an earlier submission cannot be read.
    """
    return tuple(_summary_at(path, areas, data) for path in paths)


def _summary_at(path: Path, areas: Mapping[str, Area], data: Path | None) -> Summary:
    from copstats.collect.submission import MANIFEST, open_submission
    from copstats.process.summary import read_summary

    if path.is_dir() and (path / SUMMARY).is_file():
        path /= SUMMARY
    if path.is_file() and path.suffix == ".json":
        return read_summary(path.read_bytes(), path.name)
    if path.suffix == ".zip" or (path / MANIFEST).is_file():
        PROGRESS.info("%s: the earlier submission, for comparison", path.name)
        checked, _ = check(open_submission(path, data=data, areas=areas), gate=False)
        return checked.summary
    raise UsageError("U170", where=path.name)


def _surroundings(
    delivery: Delivery | Received,
    framework: Framework,
    connection: duckdb.DuckDBPyConnection,
    at_hand: AtHand,
) -> Surroundings:
    from copstats.process.external import read_external
    from copstats.process.population import read_population
    from copstats.process.surroundings import Surroundings

    rounds, versions = _earlier(delivery, at_hand.summaries)
    others = _published(at_hand.release) if at_hand.release is not None else None
    external = read_external(at_hand.external) if at_hand.external is not None else None
    wanted = others is not None or external is not None
    return Surroundings(
        previous=rounds[-1] if rounds else None,
        previous_version=versions[-1] if versions else None,
        population=read_population(at_hand.population) if at_hand.population is not None else None,
        own_estimates=_own(delivery, framework, connection) if wanted else None,
        other_estimates=others,
        external=external,
    )


def _earlier(
    delivery: Delivery | Received, summaries: Iterable[Summary]
) -> tuple[list[Summary], list[Summary]]:
    """Return the summaries of earlier rounds and of earlier versions of this round, the latest last."""
    manifest = delivery.manifest
    mine = (manifest.ref_area, manifest.survey)
    of_survey = sorted((s for s in summaries if _named(s)[0] == mine), key=lambda s: _named(s)[1])
    for other in summaries:
        if _named(other)[0] != mine:
            raise UsageError("U171", where=other.submission, survey=" ".join(mine))
    year, version = manifest.reference_year, manifest.version
    return (
        [s for s in of_survey if _named(s)[1][0] < year],
        [s for s in of_survey if _named(s)[1][0] == year and _named(s)[1][1] < version],
    )


def _named(summary: Summary) -> tuple[tuple[str, str], tuple[int, int]]:
    """Return area and survey, year and version, as the submission's id names them."""
    area, year, survey, version, _ = summary.submission.split("_")
    return (area, survey), (int(year), int(version.removeprefix("v")))


def _own(
    delivery: Delivery | Received, framework: Framework, connection: duckdb.DuckDBPyConnection
) -> pa.Table | None:
    """Return the submission's own estimates of totals, or None where its records do not support any."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from copstats.analyse.wave import estimate_wave

    held = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    try:
        estimates = estimate_wave(
            connection.table("child").to_arrow_table(),
            connection.table("parent").to_arrow_table() if "parent" in held else None,
            delivery.manifest,
            delivery.crosswalk,
            framework,
            as_of_year=delivery.manifest.reference_year,
        )
    except EstimationError:
        return None
    totals = estimates.filter(pc.equal(estimates["disaggregation"], "total"))
    scale = pc.if_else(pc.equal(totals["unit"], "PERCENT"), 100.0, 1.0)
    return pa.table(
        {
            "indicator": totals["indicator"],
            "estimate": pc.multiply(totals["estimate"], scale),
            "se": pc.multiply(totals["se"], scale),
        }
    )


def _published(release: Path) -> pa.Table:
    """Return the latest published total of every country and indicator.

    Raises:
        UsageError: U172, there is no release.
    """
    from copstats.store.engine import published_connection
    from copstats.store.schemas import DIMENSIONS

    database = release / DATABASE if release.is_dir() else release
    if not database.is_file():
        raise UsageError("U172", where=release.name)
    totals = " AND ".join(f"{dimension} = '_T'" for dimension in DIMENSIONS)
    with published_connection(database) as connection:
        return connection.sql(
            "SELECT indicator, ref_area, arg_max(value, time_period) AS estimate\n"
            f"FROM indicator_value WHERE {totals} AND value IS NOT NULL GROUP BY indicator, ref_area"
        ).to_arrow_table()


def _records(harmonised: Harmonised) -> str:
    return " and ".join(f"{record.rows:,} {kind} records" for kind, record in harmonised.records.items())
