"""Zip archives of one fixed form: no compression, no dates, so that equal parts give equal bytes.

Any zip program opens them. Here only this form is read: what another program packed, a changed header, a
name twice or bytes before, between and after the parts are refused, and nothing is ever unpacked to a disk.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

_LOCAL = b"PK\x03\x04"
_HEADER_BYTES = 30
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_PRIVATE = 0o600 << 16


class NotThisForm(ValueError):
    """The bytes are not what :func:`pack` gives for the names expected."""


def pack(parts: Mapping[str, bytes]) -> bytes:
    """Return an archive of the parts, in their order; below 2 GiB."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.create_system, entry.external_attr = _UNIX, _PRIVATE
            archive.writestr(entry, content)
    return packed.getvalue()


def unpack(packed: bytes, names: Sequence[str]) -> dict[str, bytes]:
    """Return the parts of an archive.

    Args:
        packed: the archive.
        names: of all its parts, in their order.

    Raises:
        NotThisForm: it is not exactly what :func:`pack` gives for parts of these names.
    """
    parts: dict[str, bytes] = {}
    at = 0
    # Sizes from the local headers alone: whatever else an archive may claim shows in the comparison below.
    for name in names:
        header = packed[at : at + _HEADER_BYTES]
        start = at + _HEADER_BYTES + len(name.encode())
        at = start + int.from_bytes(header[18:22], "little")
        if not header.startswith(_LOCAL) or at > len(packed):
            raise NotThisForm
        parts[name] = packed[start:at]
    if pack(parts) != packed:
        raise NotThisForm
    return parts
