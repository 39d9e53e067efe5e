"""The door out of the restricted zone: only columns of the framework, and no identifier as it was.

Identifiers become HMAC-SHA-256 tokens (RFC 2104; FIPS 198-1) of 128 bits, under one key for each country,
wave (or panel) and field. Strata and PSUs become short labels in the order of their tokens, that is, in no
order; where samples of two rounds overlap they keep their tokens. The receiving side replaces each token by
another one under its own key, so that neither side alone can link (double pseudonymisation). The arithmetic
is DuckDB's, a column at a time; the keys are bound as parameters and never stand in the text of a query.
"""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa

from copstats.errors import ConfidentialityError
from copstats.framework import Framework
from copstats.framework.definitions import RecordKind, Variable
from copstats.process.coarsen import Coarsened
from copstats.process.records import CHILD_KEY, KEYS, PSU, STRATUM, Harmonised, HarmonisedRecord
from copstats.store.engine import memory_connection

KEY_BYTES = 32
TOKEN_HEX = 32
"""Length of a token in hexadecimal digits: 128 bits, so that ten million persons do not collide by chance."""
_BLOCK = 64
_TYPES = {
    "code": "INTEGER",
    "integer": "INTEGER",
    "number": "DOUBLE",
    "string": "VARCHAR",
    "month": "VARCHAR",
}
_LABELS = {STRATUM: "s%03d", PSU: "p%04d"}


def allowed_columns(framework: Framework, record: RecordKind, held: HarmonisedRecord) -> dict[str, Variable]:
    """Return column -> variable of what may leave the zone, in the order of the framework.

    A column that the framework does not know has no place here; neither have variables that it says to drop.
    """
    out: dict[str, Variable] = {}
    for name, variable in framework.variables(record).items():
        if variable.privacy != "drop":
            numbered = re.compile(rf"{re.escape(name)}_\d+" if variable.series else re.escape(name))
            out |= {column: variable for column in sorted(held.variables) if numbered.fullmatch(column)}
    return out


def pseudonymise(
    connection: duckdb.DuckDBPyConnection,
    harmonised: Harmonised,
    framework: Framework,
    keys: Mapping[str, bytes],
    *,
    coarsened: Coarsened | None = None,
    labels: bool = True,
) -> dict[RecordKind, pa.Table]:
    """Return the tables of a wave as they may be sealed.

    Record numbers and flags go; identifiers become tokens, strata ``s001``, ``s002``, ... and PSUs
    ``p0001``, ... (one label for a pair of stratum and PSU). Rows stand in the order of the child's token, so
    nothing is left of the order of the file. The same value of a field gives the same token in every table.

    Args:
        connection: holds the tables ``child`` and, if delivered, ``parent``.
        harmonised: which variables each table holds.
        framework: says what each variable's privacy asks for.
        keys: field -> key of 32 bytes or more, for example ``{"child_id": ..., "stratum": ..., "psu": ...}``.
        coarsened: columns that are made coarser on the way.
        labels: False leaves strata and PSUs their tokens, by which they are found again in a wave whose
            tokens were made under the same keys.

    Returns:
        Record kind -> table without metadata and dictionaries.

    Raises:
        ConfidentialityError: a field has no key (C201) or a short one (C202).
    """
    columns = {
        record: allowed_columns(framework, record, held) for record, held in harmonised.records.items()
    }
    fields = {name for table in columns.values() for name, v in table.items() if v.privacy == "pseudonymise"}
    coarsened = coarsened or Coarsened()
    parameters = {**_parameters(fields | {STRATUM, PSU}, keys), **coarsened.parameters}
    labelled = tuple(_LABELS) if labels else ()
    steps = ",\n".join(_steps(columns, coarsened.columns, labelled))
    return {
        record: _plain(connection.sql(f"WITH {steps}\n{_final(record, table, labelled)}", params=parameters))
        for record, table in columns.items()
    }


def second_pseudonym(table: pa.Table, keys: Mapping[str, bytes]) -> pa.Table:
    """Return a table whose tokens are replaced by those of the receiving side: HMAC over the first token.

    Rows stand in the order of the child's new token, so that the order says nothing of the first one.

    Args:
        table: with the tokens of the statistics office.
        keys: field -> key of 32 bytes or more of the receiving side; fields that the table does not hold are
            passed over. Labels of strata and PSUs are no pseudonyms: give no keys for them.

    Raises:
        ConfidentialityError: there is no key for the child's token (C201), or a key is short (C202).
    """
    fields = {name for name in table.column_names if name in keys} | {CHILD_KEY}
    parameters = _parameters(fields, keys)
    replaced = ", ".join(f"{_token(field, field)} AS {field}" for field in sorted(fields))
    order = ", ".join(name for name in (CHILD_KEY, KEYS["parent"]) if name in table.column_names)
    with memory_connection() as connection:
        connection.register("sealed", table)
        sql = f"SELECT * FROM (SELECT * REPLACE ({replaced}) FROM sealed) ORDER BY {order}"
        return _plain(connection.sql(sql, params=parameters))


def token_of(field: str, values: Sequence[str], key: bytes) -> list[str]:
    """Return the token of each value, as the column ``field`` of a table holds it after `pseudonymise`.

    With the office's key and identifiers it gives the office's tokens; with the receiving side's key and
    those tokens, what `second_pseudonym` makes of them.

    Args:
        field: for example ``child_id``; neither stratum nor PSU, which become labels.
        values: as the harmonised table holds them: see `copstats.process.withdrawal.identifiers`.
        key: 32 bytes or more.

    Raises:
        ConfidentialityError: the key is short (C202).
    """
    parameters = _parameters({field}, {field: key})
    given = pa.table({"place": pa.arange(0, len(values)), "value": pa.array(values, pa.string())})
    with memory_connection() as connection:
        connection.register("given", given)
        sql = f"SELECT {_token(field, 'value')} AS token FROM given ORDER BY place"
        return list(connection.sql(sql, params=parameters).to_arrow_table()["token"].to_pylist())


def _parameters(fields: set[str], keys: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return for each field the padded inner and outer key; the field's name follows the inner one."""
    out: dict[str, bytes] = {}
    for field in sorted(fields):
        if field not in keys:
            raise ConfidentialityError("C201", field=field)
        key = keys[field]
        if len(key) < KEY_BYTES:
            raise ConfidentialityError("C202", field=field)
        block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
        name = field.encode()
        out[f"{field}_inner"] = bytes(byte ^ 0x36 for byte in block) + len(name).to_bytes(4, "big") + name
        out[f"{field}_outer"] = bytes(byte ^ 0x5C for byte in block)
    return out


def _token(field: str, *columns: str) -> str:
    """Return SQL of the token of a field: HMAC(k, m) = H(k xor opad || H(k xor ipad || m)).

    The message is the field's name and the values in Unicode normal form C, each with its length before it,
    so that ("1", "23") and ("12", "3") differ. NULL gives NULL.
    """
    parts = []
    for column in columns:
        # The engine's normalisation stops at a NUL character, so that different keys could become one.
        value = f"encode(nfc_normalize(replace({column}, chr(0), chr(9216))))"
        parts.append(f"unhex(printf('%08x', octet_length({value}))) || {value}")
    inner = f"unhex(sha256(${field}_inner::BLOB || {' || '.join(parts)}))"
    return f"left(sha256(${field}_outer::BLOB || {inner}), {TOKEN_HEX})"


def _steps(
    columns: Mapping[RecordKind, Mapping[str, Variable]],
    coarser: Mapping[RecordKind, Mapping[str, str]],
    labelled: Sequence[str],
) -> list[str]:
    steps = []
    for record, table in columns.items():
        read = coarser.get(record, {})
        selected = ",\n    ".join(f"{_column(name, v, read)} AS {name}" for name, v in table.items())
        steps.append(f"{record}_tokens AS (\n    SELECT {selected}\n    FROM {record}\n)")
    for name in labelled:
        holders = [record for record, table in columns.items() if name in table]
        tokens = " UNION ALL ".join(f"SELECT {name} AS token FROM {record}_tokens" for record in holders)
        if holders:
            steps.append(
                f"{name}_labels AS (\n"
                f"    SELECT token, printf('{_LABELS[name]}', row_number() OVER (ORDER BY token)) AS label\n"
                f"    FROM (SELECT DISTINCT token FROM ({tokens})) WHERE token IS NOT NULL\n)"
            )
    return steps


def _column(name: str, variable: Variable, coarser: Mapping[str, str]) -> str:
    if name == PSU:
        return _token(PSU, STRATUM, PSU)
    if name == STRATUM or variable.privacy == "pseudonymise":
        return _token(name, name)
    return f"({coarser.get(name, name)})::{_TYPES[variable.type]}"


def _final(record: RecordKind, table: Mapping[str, Variable], labels: Sequence[str]) -> str:
    labelled = [name for name in labels if name in table]
    replaced = ", ".join(f"{name}_labels.label AS {name}" for name in labelled)
    joins = "".join(
        f"\nLEFT JOIN {name}_labels ON {name}_labels.token = {record}_tokens.{name}" for name in labelled
    )
    star = f"{record}_tokens.*" + (f" REPLACE ({replaced})" if labelled else "")
    order = ", ".join(f"{record}_tokens.{key}" for key in dict.fromkeys((CHILD_KEY, KEYS[record])))
    return f"SELECT {star}\nFROM {record}_tokens{joins}\nORDER BY {order}"


def _plain(relation: duckdb.DuckDBPyRelation) -> pa.Table:
    table = relation.to_arrow_table()
    schema = pa.schema([pa.field(field.name, field.type) for field in table.schema])
    return pa.Table.from_arrays(table.columns, schema=schema)
