"""The formats in which a framework version is exported, by name."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from copstats.framework import Framework


class Exporter(Protocol):
    """Writes a framework version in one format and returns the files written."""

    def __call__(
        self, framework: Framework, target: Path, *, language: str, modules: Sequence[str] | None
    ) -> list[Path]:
        """Write the files; see the module of the format."""


FORMATS = {
    "codebook": ("copstats.framework.export.codebook:write_codebook", "XLSX and HTML for people"),
    "crosswalk": (
        "copstats.framework.export.crosswalk_skeleton:write_crosswalk",
        "manifest and crosswalk to fill in",
    ),
    "datapackage": ("copstats.framework.export.datapackage:write_datapackage", "Frictionless Data Package"),
    "ddi": ("copstats.framework.export.ddi:write_ddi", "DDI-Codebook 2.5"),
    "gx": ("copstats.process.gx_export:write_gx", "Great Expectations suites"),
    "sdmx": ("copstats.framework.export.sdmx:write_sdmx", "structure, SDMX-ML 2.1, all languages"),
    "template": ("copstats.framework.export.template:write_template", "empty CSV, XLSX, SPSS, Stata files"),
    "xlsform": ("copstats.framework.export.xlsform:write_xlsform", "questionnaire for ODK, Kobo, SurveyCTO"),
}
"""Format -> (where its exporter stands, what it is)."""


def exporter(name: str) -> Exporter:
    """Return the exporter of a format; its module is imported now."""
    module, _, function = FORMATS[name][0].partition(":")
    return cast("Exporter", getattr(importlib.import_module(module), function))
