"""The records in a sealed file: encrypted Parquet files and their keys in an age envelope.

Within the envelope stand ``child.parquet``, ``parent.parquet`` and last ``keys.json`` with a key each. A file
is encrypted with its own key (Parquet modular encryption, AES-GCM, footer too) and bound to
``area|wave|version|role``, which it does not carry: a file of another wave does not open in its place. No
statistics and no metadata are written. Encrypted and decrypted in memory only.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from copstats.errors import ConfidentialityError
from copstats.store.archive import NotThisForm, pack, unpack
from copstats.store.keys import KEY_BYTES
from copstats.store.sealed import checked_record

MOST_RECORDS = 10_000_000
MOST_BYTES = 8 * 2**30
_KEYS = "keys.json"
_ROWS_TOGETHER = 65_536


class Binding(NamedTuple):
    """What the files of a payload belong to; authenticated with every page of them.

    Attributes:
        area: ISO 3166-1 alpha-3.
        wave: for example ``KEN_2026_COPS``.
        version: of the submission.
    """

    area: str
    wave: str
    version: int

    def authenticated(self, role: str) -> bytes:
        """Return the additional authenticated data of one file; ``role`` is its record kind."""
        return f"{self.area}|{self.wave}|v{self.version:02d}|{role}".encode()


def encrypt_tables(tables: Mapping[str, pa.Table], recipient: Any, binding: Binding) -> bytes:
    """Return the tables as the payload of a sealed file.

    Args:
        tables: record kind -> table.
        recipient: ``pyrage.x25519.Recipient``.
        binding: what they belong to.

    Raises:
        UsageError: U014, a record kind has no usable name.
    """
    import pyrage

    keys = {checked_record(kind): secrets.token_bytes(KEY_BYTES) for kind in tables}
    parts = {
        f"{kind}.parquet": _encrypted(table, keys[kind], binding.authenticated(kind))
        for kind, table in sorted(tables.items())
    }
    return bytes(pyrage.encrypt(pack({**parts, _KEYS: msgspec.json.encode(keys)}), [recipient]))


def decrypt_tables(
    payload: bytes,
    identity: Any,
    binding: Binding,
    columns: Mapping[str, list[str]],
    records: Mapping[str, int],
) -> dict[str, pa.Table]:
    """Return the tables of a payload.

    Args:
        payload: from the sealed file.
        identity: ``pyrage.x25519.Identity``.
        binding: what the files must belong to.
        columns: record kind -> names of columns, as the head says.
        records: record kind -> number of records, as the head says.

    Raises:
        ConfidentialityError: C314, other columns, records or files than the head says; C315, a file cannot be
            decrypted: changed, of another wave, not encrypted, or not meant for this identity.
    """
    import pyrage

    try:
        packed = pyrage.decrypt(payload, [identity])
    except pyrage.DecryptError:
        raise ConfidentialityError("C315", where=binding.wave) from None
    try:
        parts = unpack(packed, (*(f"{kind}.parquet" for kind in sorted(columns)), _KEYS))
        keys = msgspec.json.decode(parts.pop(_KEYS), type=dict[str, bytes])
    except (NotThisForm, msgspec.DecodeError):
        raise ConfidentialityError("C314", where=binding.wave) from None
    if not keys.keys() == columns.keys() == records.keys():
        raise ConfidentialityError("C314", where=binding.wave)
    return {
        kind: _decrypted(parts[f"{kind}.parquet"], key, binding, kind, (columns[kind], records[kind]))
        for kind, key in keys.items()
    }


def _encrypted(table: pa.Table, key: bytes, bound_to: bytes) -> bytes:
    properties = pe.create_encryption_properties(
        key, aad_prefix=bound_to, store_aad_prefix=False, encryption_algorithm="AES_GCM_V1"
    )
    sink = pa.BufferOutputStream()
    pq.write_table(
        _plain(table),
        sink,
        compression="zstd",
        write_statistics=False,
        row_group_size=_ROWS_TOGETHER,
        encryption_properties=properties,
    )
    return bytes(sink.getvalue())


def _decrypted(
    content: bytes, key: bytes, binding: Binding, kind: str, said: tuple[list[str], int]
) -> pa.Table:
    where = f"{binding.wave} {kind}"
    try:
        properties = pe.create_decryption_properties(
            key,
            aad_prefix=binding.authenticated(kind),
            check_footer_integrity=True,
            allow_plaintext_files=False,
        )
        with pq.ParquetFile(pa.BufferReader(content), decryption_properties=properties) as source:
            _refuse_other(source, said, where)
            table = _plain(source.read())
    except (OSError, ValueError, pa.ArrowException):
        raise ConfidentialityError("C315", where=where) from None
    if (table.column_names, table.num_rows) != said:
        raise ConfidentialityError("C314", where=where)
    return table


def _refuse_other(source: pq.ParquetFile, said: tuple[list[str], int], where: str) -> None:
    """Hold the footer against the head before anything is unpacked that could fill the memory."""
    footer, schema = source.metadata, source.schema_arrow
    size = sum(footer.row_group(n).total_byte_size for n in range(footer.num_row_groups))
    fits = footer.num_rows <= MOST_RECORDS and size <= MOST_BYTES
    flat = not any(pa.types.is_nested(column.type) for column in schema)
    if not (fits and flat) or (schema.names, footer.num_rows) != said:
        raise ConfidentialityError("C314", where=where)


def _plain(table: pa.Table) -> pa.Table:
    """Return the table without metadata and dictionaries, which may hold values that no record has."""
    fields = []
    for column in table.schema:
        coded = pa.types.is_dictionary(column.type)
        fields.append(
            pa.field(column.name, column.type.value_type if coded else column.type, column.nullable)
        )
    return table.cast(pa.schema(fields))
