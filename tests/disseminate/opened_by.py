"""Answers queries on a release with the DuckDB that this interpreter finds; needs nothing else.

Takes the path of the database, and on stdin a JSON list of queries; writes the version and the answers.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import duckdb


def answers(database: str, queries: list[str]) -> list[dict[str, Any]]:
    """Return columns and rows of each query; rows in an order of their own, as ties have none."""
    found = []
    with duckdb.connect(database, read_only=True) as connection:
        for query in queries:
            relation = connection.sql(query)
            found.append({"columns": relation.columns, "rows": sorted(map(repr, relation.fetchall()))})
    return found


if __name__ == "__main__":
    said = {"version": duckdb.__version__, "answers": answers(sys.argv[1], json.load(sys.stdin))}
    json.dump(said, sys.stdout)
