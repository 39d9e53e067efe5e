"""Countries and areas, and the groups to which they belong."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from copstats.project import project_root


@dataclass(frozen=True)
class Area:
    """A country or area of the area table.

    Attributes:
        code: ISO 3166-1 alpha-3.
        name: English short name.
        groups: group scheme -> group code, for example ``itu_region`` -> ``AFR``.
    """

    code: str
    name: str
    groups: Mapping[str, str]


def load_areas(*tables: Path) -> dict[str, Area]:
    """Read area tables; a later table adds to an earlier one.

    Columns: ``area`` (ISO 3166-1 alpha-3), ``name``, then one column a group scheme (``itu_region``,
    ``m49_region``, ``ldc``, ``lldc``, ``sids``). Codes are read as text: ``NAM`` is no missing value.
    """
    paths = tables or (project_root() / "schemas" / "areas.csv",)
    out: dict[str, Area] = {}
    for path in paths:
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                code, name = row.pop("area"), row.pop("name")
                out[code] = Area(code=code, name=name, groups={k: v for k, v in row.items() if v})
    return out
