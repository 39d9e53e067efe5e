"""Builds every submission: reads its manifest and crosswalk, draws records, writes its files."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from copstats.framework import load_framework
from copstats.framework.located import Located
from copstats.framework.manifest import Crosswalk, SurveyManifest
from copstats.framework.manifest import Mapping as Recoding
from sample_data.generator.faults import plant_faults
from sample_data.generator.labels import labels_for
from sample_data.generator.national import Column, Inverse, national_columns
from sample_data.generator.records import draw_records
from sample_data.generator.surveys import SURVEYS, Survey
from sample_data.generator.writers import (
    write_delimited,
    write_parquet,
    write_spss,
    write_stata,
    write_workbook,
)

HERE = Path(__file__).resolve().parents[1]
SEED = 2026
CORRECTED, FAULTY = "XFF_2025_COPS_v02", "XFF_2025_COPS_v01"


def build_all(target: Path) -> None:
    """Write the data files of all submissions and the key of the planted faults.

    Args:
        target: folder that gets ``submissions/`` and ``faults.yaml``; manifests and crosswalks are copied
            to it where it is not ``sample_data`` itself.
    """
    for name, survey in SURVEYS.items():
        folder = _folder(target, name)
        build(folder, name, survey)
    plant_faults(_folder(target, CORRECTED), _folder(target, FAULTY), target / "faults.yaml")


def _folder(target: Path, name: str) -> Path:
    source, folder = HERE / "submissions" / name, target / "submissions" / name
    folder.mkdir(parents=True, exist_ok=True)
    if source.resolve() != folder.resolve():
        for definition in source.glob("*.yaml"):
            shutil.copyfile(definition, folder / definition.name)
    return folder


def build(folder: Path, name: str, survey: Survey) -> None:
    """Write the data files of one submission beside its manifest."""
    manifest = msgspec.convert(Located(folder / "manifest.yaml").data, SurveyManifest)
    crosswalk = _crosswalk(folder)
    framework = load_framework(manifest.framework)
    rng = np.random.default_rng([SEED, *name.encode()])
    child, parent = draw_records(rng, survey, manifest, framework)
    design = _design(manifest)
    columns = {"child": national_columns(rng, child, design | crosswalk.child, INVERSES)}
    if parent is not None:
        columns["parent"] = national_columns(rng, parent, design | crosswalk.parent, INVERSES)
    _write(folder, manifest, columns, crosswalk, survey.labels)


def _design(manifest: SurveyManifest) -> dict[str, Recoding]:
    """Return the design columns that the manifest names, as entries of a crosswalk."""
    named = {"weight": manifest.design.weight, "stratum": manifest.design.stratum, "psu": manifest.design.psu}
    return {variable: Recoding(source=column, copy=True) for variable, column in named.items() if column}


def _crosswalk(folder: Path) -> Crosswalk:
    path = folder / "crosswalk.yaml"
    if not path.exists():
        return Crosswalk(framework="")
    return msgspec.convert(Located(path).data, Crosswalk)


def _write(
    folder: Path,
    manifest: SurveyManifest,
    columns: Mapping[str, dict[str, Column]],
    crosswalk: Crosswalk,
    language: str,
) -> None:
    framework = load_framework(manifest.framework)
    files = {"child": manifest.files.child, "parent": manifest.files.parent}
    sheets: dict[str, dict[str, Column]] = {}
    for record, table in columns.items():
        file = files[record]
        if file is None:
            raise ValueError(f"{folder.name}: the manifest names no {record} file")
        path = folder / file.path
        match path.suffix:
            case ".csv":
                write_delimited(table, path, file)
            case ".xlsx":
                sheets[file.sheet or record] = table
                write_workbook(sheets, path)
            case ".parquet":
                write_parquet(table, path)
            case ".sav" | ".zsav":
                write_spss(table, path, labels_for(framework, table, crosswalk.child, language))
            case ".dta":
                write_stata(table, path, labels_for(framework, table, crosswalk.child, language))
            case suffix:
                raise ValueError(f"{folder.name}: no writer for {suffix}")


def _year_and_month(values: NDArray[Any]) -> dict[str, Column]:
    """Split YYYY-MM into Belmora's two columns."""
    parts = [value.split("-") for value in values.tolist()]
    return {"ANIO": [int(year) for year, _ in parts], "MES": [int(month) for _, month in parts]}


INVERSES: dict[str, Inverse] = {"int_ym": _year_and_month, "p_int_ym": _year_and_month}
"""Framework variable -> inverse of the SQL expression in a crosswalk."""
