"""Administrative counts and policy answers, as the zones hand them on; and how counts hang together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from copstats.store.engine import memory_connection

CELL = ("ref_area", "variable", "time_period", "sex", "age", "breakdown", "code")
"""What tells one count of a submission from the others. ``_T`` is the total; ``breakdown`` names the list of
categories that ``code`` is one of."""

COUNTS = pa.schema(
    [
        pa.field("submission_id", pa.string(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in CELL),
        pa.field("value", pa.int64(), nullable=False),
        # False: no case stands behind it, or its producer has published it. It is shown as it is.
        pa.field("protected", pa.bool_(), nullable=False),
        pa.field("provisional", pa.bool_(), nullable=False),
        # How the count departs from the framework's definition, in words.
        pa.field("deviation", pa.string()),
        # Services (or places) that add to it, and what the two largest of them add; NULL where unknown.
        pa.field("services", pa.int64()),
        pa.field("largest", pa.int64()),
        pa.field("second", pa.int64()),
    ]
)
"""One row a count as it was reported: restricted."""

PROTECTED_COUNTS = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in CELL),
        pa.field("value", pa.int64()),
        pa.field("obs_status", pa.string(), nullable=False),
        pa.field("obs_conf", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("deviation", pa.string()),
        pa.field("source", pa.string(), nullable=False),
    ]
)
"""One row a count that may be published."""

POLICY_ANSWERS = pa.schema(
    [
        pa.field("submission_id", pa.string(), nullable=False),
        pa.field("ref_area", pa.string(), nullable=False),
        pa.field("time_period", pa.string(), nullable=False),
        pa.field("item", pa.string(), nullable=False),
        # One of: yes, partial, no, not_applicable.
        pa.field("answer", pa.string(), nullable=False),
        pa.field("in_force", pa.int32()),
        pa.field("body", pa.string()),
        pa.field("evidence", pa.string()),
    ]
)
"""One row an answered item of the policy questionnaire."""

_RELATIONS = Path(__file__).with_name("counts.sql")


def relations(counts: pa.Table, whole_of: Mapping[str, str]) -> pa.Table:
    """Return which counts are parts of which.

    Args:
        counts: schema ``COUNTS``, of one submission; a row's place is its number.
        whole_of: variable -> variable that counts all that it counts.

    Returns:
        ``kind, whole, parts, complete``: the numbers of the whole and of its parts, and whether the parts add
        up to it (else to no more than it). ``kind`` is the dimension that tells the parts apart.
    """
    pairs = sorted(whole_of.items())
    table = {"variable": [part for part, _ in pairs], "whole": [whole for _, whole in pairs]}
    with memory_connection(threads=1) as connection:
        _number(connection, counts)
        connection.register("whole_of", pa.table(table, schema=pa.schema(dict.fromkeys(table, pa.string()))))
        return connection.sql(_RELATIONS.read_text("utf-8")).to_arrow_table()


def _number(connection: duckdb.DuckDBPyConnection, counts: pa.Table) -> None:
    connection.register("counts", counts.append_column("cell", pa.array(range(counts.num_rows), pa.int64())))
