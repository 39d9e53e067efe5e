"""Data as SDMX-CSV (SDMX-CSV field guides 1.0 and 2.0)."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import WriteOptions, write_csv

from copstats.disseminate.sdmx.message import Dataflow

Version = Literal["1.0", "2.0"]


def data_csv(flow: Dataflow, rows: pa.Table, version: Version = "2.0") -> bytes:
    """Return rows of a dataflow as SDMX-CSV: UTF-8, comma, RFC 4180.

    In version 2.0 a value that is missing on purpose is ``NaN``, and the action is ``R`` (replace); in
    version 1.0 it is an empty cell. Texts are written as they are, since clients look codes up by them.

    Args:
        flow: the dataflow.
        rows: any rows of its table.
        version: of the format.
    """
    found = flow.observations(rows)
    first = {"DATAFLOW": flow.id}
    if version == "2.0":
        first = {"STRUCTURE": "dataflow", "STRUCTURE_ID": flow.id, "ACTION": "R"}
        place = found.column_names.index(flow.measure)
        found = found.set_column(place, flow.measure, pc.fill_null(found[flow.measure], "NaN"))
    columns = {name: pa.repeat(text, rows.num_rows) for name, text in first.items()}
    columns |= {name: found[name] for name in found.column_names}
    out = pa.BufferOutputStream()
    write_csv(pa.table(columns), out, WriteOptions(quoting_style="needed", eol="\r\n"))
    return bytes(out.getvalue())
