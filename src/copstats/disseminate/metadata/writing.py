"""Writes ``datapackage.json`` and the folder ``metadata`` of a release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from copstats.disseminate.metadata.catalogue import catalogue_entry
from copstats.disseminate.metadata.datapackage import data_package
from copstats.disseminate.metadata.ddi import codebooks
from copstats.disseminate.published import Published

DATAPACKAGE = "datapackage.json"
CATALOGUE = "dataset.jsonld"
FOLDER = "metadata"


def write_metadata(folder: Path, published: Published) -> None:
    """Write the metadata of a release.

    ``datapackage.json`` describes the CSV files (Data Package 2.0), ``metadata/dataset.jsonld`` the release
    for catalogues and search engines (schema.org, DCAT 3), ``metadata/ddi/SOURCE.xml`` each survey
    (DDI-Codebook 2.5), without microdata and without frequencies.

    Args:
        folder: of the release. SDMX messages that are in it already are listed in the catalogue entry.
        published: the release.
    """
    _write(folder / DATAPACKAGE, data_package(published))
    codebooks_folder = folder / FOLDER / "ddi"
    codebooks_folder.mkdir(parents=True)
    for source, content in codebooks(published):
        (codebooks_folder / f"{source}.xml").write_bytes(content)
    messages = sorted(path.name for path in (folder / "sdmx").glob("*.*"))
    _write(folder / FOLDER / CATALOGUE, catalogue_entry(published, messages))


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8", newline="\n")
