"""Data as SDMX-ML 2.1, structure-specific and flat (SDMX 2.1 Technical Specifications, section 3B)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

import pyarrow as pa
import pyarrow.compute as pc

from copstats.disseminate.sdmx.message import ACTION, Dataflow

_SCHEMAS = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/"
_BATCH = 8_192
_ENTITIES = (
    ("&", "&amp;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    ('"', "&quot;"),
    ("\t", "&#9;"),
    ("\n", "&#10;"),
    ("\r", "&#13;"),
)
"""In this order. Line ends are written as references, or a reader would make blanks of them."""
_NOT_XML = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{FFFE}\x{FFFF}]"


def data_xml(flow: Dataflow, rows: pa.Table, *, prepared: dt.datetime) -> bytes:
    """Return rows of a dataflow as one message; a value that is missing on purpose is ``NaN``.

    Args:
        flow: the dataflow.
        rows: any rows of its table.
        prepared: time stamp of the message.
    """
    return b"".join(data_xml_parts(flow, rows, prepared=prepared))


def data_xml_parts(flow: Dataflow, rows: pa.Table, *, prepared: dt.datetime) -> Iterator[bytes]:
    """Yield the message piece by piece; see `data_xml`."""
    space = f"{flow.urn}:ObsLevelDim:AllDimensions"
    yield _head(flow, space, prepared).encode()
    for begin in range(0, rows.num_rows, _BATCH):
        yield _observations(flow, rows.slice(begin, _BATCH)).encode()
    yield b"  </mes:DataSet>\n</mes:StructureSpecificData>\n"


def _head(flow: Dataflow, space: str, prepared: dt.datetime) -> str:
    of = flow.structure
    declared = {
        "xmlns:mes": f"{_SCHEMAS}message",
        "xmlns:ss": f"{_SCHEMAS}data/structurespecific",
        "xmlns:com": f"{_SCHEMAS}common",
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "xmlns:ns1": space,
    }
    attributes = " ".join(f"{name}={quoteattr(value)}" for name, value in declared.items())
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<mes:StructureSpecificData {attributes}>
  <mes:Header>
    <mes:ID>{of.dataflow}_{flow.version.replace(".", "_")}</mes:ID>
    <mes:Test>false</mes:Test>
    <mes:Prepared>{prepared.isoformat()}</mes:Prepared>
    <mes:Sender id={quoteattr(of.agency)}/>
    <mes:Structure structureID={quoteattr(of.dataflow)} namespace={quoteattr(space)} \
dimensionAtObservation="AllDimensions">
      <com:StructureUsage><Ref agencyID={quoteattr(of.agency)} id={quoteattr(of.dataflow)} \
version={quoteattr(flow.version)} class="Dataflow"/></com:StructureUsage>
    </mes:Structure>
    <mes:DataSetAction>{ACTION}</mes:DataSetAction>
  </mes:Header>
  <mes:DataSet ss:structureRef={quoteattr(of.dataflow)} xsi:type="ns1:DataSetType" \
ss:dataScope="DataStructure" action="{ACTION}">
"""


def _observations(flow: Dataflow, rows: pa.Table) -> str:
    """Return ``Obs`` elements, an attribute a component, put together column by column."""
    found = flow.observations(rows)
    pieces = [pa.repeat("    <Obs", rows.num_rows)]
    for name in found.column_names:
        column = pc.fill_null(found[name], "NaN") if name == flow.measure else found[name]
        pieces.append(pc.binary_join_element_wise(f' {name}="', _escaped(column), '"', ""))
    joined = pc.binary_join_element_wise(*pieces, "/>\n", "", null_handling="replace", null_replacement="")
    return "".join(joined.to_pylist())


def _escaped(column: pa.ChunkedArray) -> pa.ChunkedArray:
    column = pc.replace_substring_regex(column, _NOT_XML, "\ufffd")
    for sign, entity in _ENTITIES:
        column = pc.replace_substring(column, sign, entity)
    return column
