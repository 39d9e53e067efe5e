"""The structure of the published values as an SDMX message, with names in all languages.

The message holds the concept scheme, the code lists, and the data structure definition and dataflow of each
published table that has them: ``indicator_value``, and ``aggregate_value`` for groups of areas.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from copstats.framework.areas import Area
from copstats.framework.export.markup import document, wordings
from copstats.framework.export.output import EPOCH, folder
from copstats.framework.export.published import CodeTable, code_tables
from copstats.framework.export.sdmx_content import StructureContent
from copstats.framework.export.sdmx_json import json_document
from copstats.framework.export.sdmx_ml import Message21, Message30
from copstats.framework.export.selection import Selection, select
from copstats.framework.model import Framework
from copstats.framework.structure import load_structure
from copstats.language import Translations

__all__ = [
    "CodeTable",
    "code_tables",
    "load_structure",
    "structure_json",
    "structure_message",
    "write_sdmx",
]

Version = Literal["2.1", "3.0"]
_MESSAGES = {"2.1": Message21, "3.0": Message30}


def write_sdmx(
    framework: Framework,
    target: Path,
    *,
    language: str = "en",
    modules: Sequence[str] | None = None,
    areas: Mapping[str, Area] | None = None,
) -> list[Path]:
    """Write the structure message ``FRAMEWORK-structure.xml``, SDMX-ML 2.1.

    Args:
        framework: the framework version.
        target: folder; it is made if it is not there.
        language: its names stand first; a message holds all languages.
        modules: indicators of these modules only; their code list is marked as partial.
        areas: countries and areas; the project's own by default.

    Returns:
        Paths of the files written.

    Raises:
        UsageError: no such module (U141) or language (U120); the target is a file (U143).
        DefinitionError: ``structure.yaml`` or a file that it draws on is missing or malformed.
    """
    selection = select(framework, modules)
    words = wordings(framework.id, language)
    path = folder(target) / f"{framework.id}-structure.xml"
    path.write_bytes(structure_message(selection, words, areas=areas))
    return [path]


def structure_message(
    selection: Selection,
    words: Sequence[Translations],
    *,
    areas: Mapping[str, Area] | None = None,
    version: Version = "2.1",
    prepared: dt.datetime = EPOCH,
) -> bytes:
    """Return the structure of part of a framework in some languages as SDMX-ML.

    Args:
        selection: part of a framework.
        words: languages, English among them.
        areas: countries and areas; the project's own by default.
        version: of SDMX-ML (SDMX Technical Specifications, section 3).
        prepared: time stamp of the message.
    """
    content = StructureContent.of(selection, words, areas=areas, prepared=prepared)
    return document(_MESSAGES[version](content).root())


def structure_json(
    selection: Selection,
    words: Sequence[Translations],
    *,
    areas: Mapping[str, Area] | None = None,
    prepared: dt.datetime = EPOCH,
) -> bytes:
    """Return the same as an SDMX-JSON 2.0 structure message."""
    return json_document(StructureContent.of(selection, words, areas=areas, prepared=prepared))
