"""Builds a release: the analysts' database, the same tables as Parquet and CSV, and a signed manifest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from copstats import __version__
from copstats.disclose import DisclosureProfile, load_profile, refuse_broken_shape
from copstats.disclose.shape import KEY
from copstats.disseminate import comparison, database, manifest
from copstats.disseminate.aggregates import aggregates
from copstats.disseminate.content import content
from copstats.disseminate.costs import suppression
from copstats.disseminate.files import write_csv, write_parquet
from copstats.disseminate.forms import write_forms
from copstats.disseminate.manifest import CellCount, Input, ReleaseManifest, read_manifest
from copstats.disseminate.official import OfficialTables
from copstats.disseminate.published import NOBODY, Publisher, Reading
from copstats.disseminate.release_calendar import Quarter, release_calendar
from copstats.disseminate.revisions import (
    Previous,
    definitions_changed,
    read_previous,
    revisable,
    revisions,
    with_first_release,
)
from copstats.disseminate.sources import SourceRecord
from copstats.errors import ReleaseError
from copstats.framework import Area, Framework
from copstats.framework.denominators import Denominators, no_denominators
from copstats.store.schemas import GROUP_ERRORS, INDICATOR_VALUE, ROUND_PAIRS

RELEASE = pa.schema(
    {
        "label": pa.string(),
        "quarter_end": pa.date32(),
        **dict.fromkeys(
            ("framework", "framework_version", "profile", "profile_version", "code_version", "fingerprint"),
            pa.string(),
        ),
        **dict.fromkeys(("submissions", "cells", "shown"), pa.int64()),
    }
)
__all__ = ["SourceRecord", "build_release", "quarter_end", "read_manifest"]


def build_release(
    folder: Path,
    *,
    label: str,
    values: pa.Table,
    framework: Framework,
    areas: Mapping[str, Area],
    sources: Sequence[SourceRecord],
    fingerprint: str,
    signing_key: Ed25519PrivateKey,
    disclosure_profile: str | None = None,
    raised: Collection[str] = (),
    round_pairs: pa.Table | None = None,
    group_errors: pa.Table | None = None,
    denominators: Denominators | None = None,
    official: OfficialTables | None = None,
    previous: Path | None = None,
    calendar: tuple[int, str, str] = (15, "09:00", "UTC"),
    publisher: Publisher = NOBODY,
    forms: Sequence[str] = (),
    received: pa.Table | None = None,
) -> ReleaseManifest:
    """Write a release into a folder; the same arguments give the same bytes.

    No clock and no path is written. The signature comes last: a folder without one is no release.

    Args:
        folder: new or empty.
        label: of the release, for example ``2026-Q4``.
        values: what the disclosure gate returned; schema ``INDICATOR_VALUE``.
        framework: gives the indicators and their texts.
        areas: by code.
        sources: submissions; those without a published row are left out.
        fingerprint: hash of the code and definitions.
        signing_key: signs the manifest.
        disclosure_profile: named profile that the gate used; None if none was added to the framework's.
        raised: submissions of which the gate took all cells to be of tier B.
        round_pairs: cells of consecutive rounds held against each other, schema ``ROUND_PAIRS``.
        group_errors: standard errors of differences within surveys, schema ``GROUP_ERRORS``.
        denominators: children of every area, by which groups of areas are weighted; none by default.
        official: administrative and policy statistics; none by default.
        previous: folder of the release before this one; revisions are told against it.
        calendar: day of the last month of each quarter, time, and time zone of releases.
        publisher: whose release it is.
        forms: what the release holds besides its tables, see `forms.write_forms`.
        received: submissions that came, for the reports: one row each with ``ref_area, survey, kind, state,
            quarter``.

    Returns:
        The manifest as it was signed.

    Raises:
        ReleaseError: R020 the folder is not empty; R022 a source is missing; R023 a text is too long.
        ConfidentialityError: C101 the values break the shape of a published table; C102 the database would
            hold leftovers of memory.
    """
    profile = load_profile(framework.id, named=disclosure_profile)
    refuse_broken_shape(values, profile)
    published = _published(values, sources)
    cells = values.select(INDICATOR_VALUE.names).sort_by([(name, "ascending") for name in KEY])
    persons = denominators or no_denominators()
    beside = official or OfficialTables()
    groups = aggregates(cells, framework, profile, areas, persons, year=_year(label, cells))
    tables = {
        "indicator_value": cells,
        "aggregate_value": groups.values,
        "aggregate_member": groups.members,
        "population_reference": persons.table,
        **content(framework, profile, areas, published),
        "change": comparison.change(cells, _or_none(round_pairs, ROUND_PAIRS), profile),
        "group_difference": comparison.group_difference(cells, _or_none(group_errors, GROUP_ERRORS), profile),
        **beside.tables,
        "suppression": suppression(cells, framework, profile, raised),
        "release_calendar": release_calendar(label, *calendar),
        "release": _release(
            cells, framework, profile, label=label, fingerprint=fingerprint, submissions=len(published)
        ),
    }
    tables |= _compared(tables, read_previous(previous) if previous else None, label)
    _refuse_used(folder)
    bands = [band.code for band in framework.head.ages.bands]
    database.write_database(folder / database.NAME, tables, bands, label=label, framework=framework.id)
    write_parquet(folder / "parquet", tables)
    write_csv(folder / "csv", tables)
    write_forms(folder, Reading(areas, publisher, received, disclosure_profile), forms)
    (folder / manifest.PUBLIC_KEY).write_bytes(manifest.public_key_pem(signing_key.public_key()))
    signed = ReleaseManifest(
        format=manifest.FORMAT,
        label=label,
        framework=f"{framework.id} {framework.head.version}",
        profile=f"{profile.id} {profile.version}",
        code_version=__version__,
        fingerprint=fingerprint,
        inputs=[
            *(Input(record.submission_id, record.content_hash) for record in published),
            *(Input(submission, digest) for submission, digest in beside.inputs.items()),
        ],
        cells=_decisions(cells, profile),
        files={name: manifest.file_entry(path) for name, path in manifest.regular_files(folder)},
    )
    manifest.sign(folder, signed, signing_key)
    return signed


def _compared(tables: Mapping[str, pa.Table], before: Previous | None, label: str) -> dict[str, pa.Table]:
    """Return the tables that tell what is new against the release before."""
    cells = revisable(tables["indicator_value"], tables["administrative_value"])
    return {
        "indicator": with_first_release(tables["indicator"], cells, before, label),
        "revision": revisions(
            before.cells if before else None,
            before.revisions if before else None,
            cells,
            label_from=before.label if before else "",
            label_to=label,
            definitions_changed=before is not None and definitions_changed(before.release, tables["release"]),
        ),
    }


def quarter_end(label: str) -> dt.date | None:
    """Return the last day of the quarter that a label names."""
    quarter = Quarter.named_by(label)
    return quarter.day(31) if quarter else None


def _year(label: str, cells: pa.Table) -> int:
    """Return the year that a label names, else that of the newest value."""
    end = quarter_end(label)
    return end.year if end else int(pc.max(cells["time_period"]).as_py() or 0)


def _or_none(table: pa.Table | None, schema: pa.Schema) -> pa.Table:
    return schema.empty_table() if table is None else table


def _refuse_used(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    if any(folder.iterdir()):
        raise ReleaseError("R020", where=str(folder), folder=folder.name)


def _published(values: pa.Table, sources: Sequence[SourceRecord]) -> list[SourceRecord]:
    """Return the sources that have a row: of a survey without consent not even the name is published."""
    named = {record.submission_id: record for record in sources}
    used = sorted(pc.unique(values["source"]).to_pylist())
    if missing := [name for name in used if name not in named]:
        raise ReleaseError("R022", submissions=", ".join(missing))
    return [named[name] for name in used]


def _release(
    cells: pa.Table, framework: Framework, profile: DisclosureProfile, **facts: str | int
) -> pa.Table:
    row = facts | {
        "quarter_end": quarter_end(str(facts["label"])),
        "framework": framework.id,
        "framework_version": framework.head.version,
        "profile": profile.id,
        "profile_version": profile.version,
        "code_version": __version__,
        "cells": cells.num_rows,
        "shown": cells.num_rows - cells["value"].null_count,
    }
    return pa.Table.from_pylist([row], schema=RELEASE)


def _decisions(cells: pa.Table, profile: DisclosureProfile) -> list[CellCount]:
    counts = cells.group_by(["obs_status", "reason"], use_threads=False).aggregate([([], "count_all")])
    rows = sorted(counts.to_pylist(), key=lambda row: (row["obs_status"], row["reason"] or ""))
    return [
        CellCount(
            obs_status=row["obs_status"],
            reason=row["reason"],
            rule=profile.reasons[row["reason"]].rule if row["reason"] else None,
            cells=row["count_all"],
        )
        for row in rows
    ]
