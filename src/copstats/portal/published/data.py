"""Data queries over the tables of a release."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import structs

from copstats.disseminate.sdmx import Dataflow, data_csv, data_json, data_xml_parts, dataflows, prepared_at
from copstats.disseminate.sdmx.data_csv import Version
from copstats.errors import DefinitionError, PortalError
from copstats.framework import Area, load_framework
from copstats.framework.export.published import CodeTable, code_tables
from copstats.framework.structure import PERIOD, Structure, group_code
from copstats.language import Translations, translations
from copstats.portal.published.labelled import Labelled
from copstats.portal.published.negotiation import Form
from copstats.portal.published.releases import PublishedRelease
from copstats.portal.published.requested import DataRequest
from copstats.portal.published.structure_query import fits, fits_version
from copstats.store.engine import memory_connection

MOST_OBSERVATIONS = 1_000_000
"""Observations of one answer."""
_AT_ONCE = threading.BoundedSemaphore(4)
"""Queries that are worked on at a time: the other threads of the server stay free for what is short."""
_WAIT = 10.0
_LATER = 5
_BATCH = 8192
"""Observations that are written at a time."""


def data_message(
    release: PublishedRelease,
    form: Form,
    asked: DataRequest,
    *,
    areas: Mapping[str, Area],
    words: Translations,
) -> Iterable[bytes]:
    """Return the observations that a query asks for, as a message in pieces.

    Args:
        release: whose values are sent.
        form: of the message.
        asked: the query.
        areas: by code; their names stand in messages with labels.
        words: language of the labels.

    Raises:
        PortalError: P411 (404) there are no such observations or dataflow; P413 (400) the query cannot be
            read; P414 (413) there are too many; P415 (501) the release is of another kind; P416 (501) the
            query asks for what is not served; P417 (503) too many queries at the same time.
    """
    asked.check()
    if form.kind != "csv" and not asked.flat:
        raise PortalError("P416", status=501)
    flow = _flow(release, asked)
    with _turn():
        rows = _rows(release, flow, asked)
        if rows.num_rows == 0:
            raise PortalError("P411", status=404)
        if rows.num_rows > MOST_OBSERVATIONS:
            raise PortalError("P414", status=413, most=MOST_OBSERVATIONS)
        shown = flow if asked.attributes else _bare(flow)
        return _written(release, form, (shown, rows), areas=areas, words=words)


def _flow(release: PublishedRelease, asked: DataRequest) -> Dataflow:
    """Return the dataflow that a query names."""
    framework, _, version = release.framework.partition(" ")
    try:
        known = dataflows(load_framework(framework))
    except DefinitionError:
        raise PortalError("P415", status=501) from None
    for flow in known:
        of = flow.structure
        name = of.dataflow if asked.context == "dataflow" else of.data_structure
        if name == asked.name and fits(asked.agency, of.agency) and fits_version(asked.version, version):
            return Dataflow(of, version, flow.table)
    raise PortalError("P411", status=404)


def _rows(release: PublishedRelease, flow: Dataflow, asked: DataRequest) -> pa.Table:
    of = flow.structure
    first, last = asked.number("firstNObservations"), asked.number("lastNObservations")
    wanted = asked.selection(of).expression(of)
    rows = pq.read_table(release.place(f"parquet/{flow.table}.parquet"))
    columns = {component.column for component in of.components.values() if component.column}
    if "ref_area" in columns and "ref_area" not in rows.column_names and "area_group" in rows.column_names:
        rows = _with_groups(rows)
    if not columns <= set(rows.column_names):
        raise PortalError("P415", status=501)
    if wanted is not None:
        rows = rows.filter(wanted)
    for most, order in ((first, ""), (last, " DESC")):
        rows = rows if most is None else _nearest(rows, of, most, order)
    return _compact(rows.select(sorted(columns)))


def _with_groups(rows: pa.Table) -> pa.Table:
    pairs = zip(rows["scheme"].to_pylist(), rows["area_group"].to_pylist(), strict=True)
    return rows.append_column("ref_area", pa.array([group_code(*pair) for pair in pairs], pa.string()))


def _nearest(rows: pa.Table, structure: Structure, most: int, order: str) -> pa.Table:
    """Return so many observations of each series, from one end of time."""
    series = [c.column for c in structure.dimensions.values() if c.column and c.type != PERIOD]
    (period,) = (c.column for c in structure.dimensions.values() if c.type == PERIOD)
    place = f"row_number() OVER (PARTITION BY {', '.join(series)} ORDER BY {period}{order})"
    with memory_connection(threads=1) as connection:
        connection.register(
            "observation", rows.append_column("place", pa.array(range(rows.num_rows), pa.int64()))
        )
        query = f"SELECT * FROM observation QUALIFY {place} <= {most} ORDER BY place"  # noqa: S608 - no input
        found: pa.Table = connection.sql(query).to_arrow_table()
    return found.drop_columns(["place"])


def _written(
    release: PublishedRelease,
    form: Form,
    data: tuple[Dataflow, pa.Table],
    *,
    areas: Mapping[str, Area],
    words: Translations,
) -> Iterable[bytes]:
    (flow, rows), prepared = data, prepared_at(release.label)
    if form.kind == "xml":
        return data_xml_parts(flow, rows, prepared=prepared)
    framework = release.framework.partition(" ")[0]
    if form.kind == "json":
        spoken = [words, *([] if words.language == "en" else [translations("en", framework)])]
        codes = _codes(framework, areas, words.language)
        return [data_json(flow, rows, codes, spoken, prepared=prepared)]
    if form.labels == "both":
        codes = _codes(framework, areas, words.language)
        flow = Labelled(flow.structure, flow.version, flow.table, codes, words)
    return csv_pieces(flow, rows, "2.0" if form.version == "2.0.0" else "1.0")


def csv_pieces(flow: Dataflow, rows: pa.Table, version: Version, *, batch: int = _BATCH) -> Iterator[bytes]:
    """Yield SDMX-CSV some rows at a time, so that not all of it stands in memory; see `data_csv`."""
    for begin in range(0, rows.num_rows, batch):
        piece = data_csv(flow, rows.slice(begin, batch), version)
        yield piece if begin == 0 else piece.partition(b"\r\n")[2]


def _compact(rows: pa.Table) -> pa.Table:
    """Return the rows with each text once: they stay in memory as long as a client takes to read them."""
    columns = {
        field.name: column.dictionary_encode() if pa.types.is_string(field.type) else column
        for field, column in zip(rows.schema, rows.columns, strict=True)
    }
    return pa.table(columns)


def _bare(flow: Dataflow) -> Dataflow:
    """Return the dataflow without attributes."""
    return Dataflow(structs.replace(flow.structure, attributes={}), flow.version, flow.table)


def _codes(framework: str, areas: Mapping[str, Area], language: str) -> Mapping[str, CodeTable]:
    spoken = [translations(one, framework) for one in dict.fromkeys((language, "en"))]
    return code_tables(load_framework(framework), areas=areas, words=spoken)


@contextmanager
def _turn() -> Iterator[None]:
    if not _AT_ONCE.acquire(timeout=_WAIT):
        raise PortalError("P417", status=503, seconds=_LATER)
    try:
        yield
    finally:
        _AT_ONCE.release()
