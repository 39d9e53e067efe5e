from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from copstats.disclose import load_profile, protect
from copstats.disseminate.official import ADMINISTRATIVE_VALUE, MEASURE
from copstats.disseminate.published import Published, Publisher, Reading, read_published
from copstats.disseminate.reports import Report, docx_bytes, feedback_note, html_text, quarterly_report
from copstats.framework import load_framework
from tests.disclose.estimates import cell, table
from tests.disseminate.conftest import AREAS, build, record, rows
from tests.disseminate.differences import pair, round_pairs

PUBLISHER = Publisher("Office <b>&</b> “partners”", "data@example.org", "", "CC-BY-4.0")
RECEIVED = [
    ("XAA", "survey", "accepted", "2026-Q4"),
    ("XBB", "survey", "accepted", "2026-Q3"),
    ("XCC", "survey", "waiting", "2026-Q4"),
    ("QQQ", "survey", "rejected", "2026-Q4"),
    ("XAA", "administrative", "accepted", "2026-Q4"),
]
TRAINED = {"tr_persons": 1240.0, "ed_teachers_trained": None}


def headline(area: str, share: float, grade: str, reasons: str = "", year: int = 2026) -> dict[str, Any]:
    of = {
        "submission_id": record(area, year).submission_id,
        "ref_area": area,
        "reference_year": year,
        "indicator": "RCD1",
    }
    limits = {"estimate": share, "ci_lower": share - 0.03, "ci_upper": share + 0.03}
    return cell(**of, **limits, comparability=grade, comparability_reasons=reasons)


def counts() -> tuple[pa.Table, pa.Table]:
    """Two counts of one country: one shown, one withheld."""
    key = {
        "ref_area": "XAA",
        "time_period": "2026",
        "sex": "_T",
        "age": "_T",
        "breakdown": "_T",
        "code": "_T",
    }
    of = {"unit_measure": "PERSON", "obs_status": "A", "source": "XAA_2026_HELPLINE_v01"}
    values = [
        key | of | {"measure": name, "value": value, "reason": None if value else "count"}
        for name, value in TRAINED.items()
    ]
    services = {"tr_persons": "training", "ed_teachers_trained": "education"}
    measures = [
        {"measure": name, "title": name.upper(), "service": service, "kind": "count", "unit": "Persons"}
        for name, service in services.items()
    ]
    return pa.Table.from_pylist(values, ADMINISTRATIVE_VALUE), pa.Table.from_pylist(measures, MEASURE)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Three countries with values of a headline indicator, one of class C, and one with two rounds."""
    sources = [record("XAA"), record("XAA", 2023), record("XBB"), record("XCC")]
    estimates = table(
        *rows("XAA"),
        headline("XAA", 0.2, "B", "recall;translation_unknown"),
        headline("XAA", 0.31, "A", year=2023),
        headline("XBB", 0.131, "A"),
        headline("XCC", 0.553, "C", "sampling"),
    )
    values = protect(
        estimates,
        load_profile(),
        consent_level={source.submission_id: "disaggregated" for source in sources},
        framework=load_framework(),
    ).values
    folder = build(
        tmp_path_factory.mktemp("reports") / "2026-Q4",
        values,
        sources=sources,
        round_pairs=round_pairs(pair(indicator="RCD1")),
        group_errors=None,
    )
    names = ("ref_area", "kind", "state", "quarter")
    received = [dict(zip(names, row, strict=True)) | {"survey": "COPS"} for row in RECEIVED]
    found = read_published(folder, Reading(AREAS, PUBLISHER, pa.Table.from_pylist(received)))
    values, measures = counts()
    return replace(found, tables={**found.tables, "administrative_value": values, "measure": measures})


@pytest.fixture(scope="session")
def report(published: Published) -> Report:
    return quarterly_report(published, "en")


@pytest.fixture(scope="session")
def note(published: Published) -> Report:
    return feedback_note(published, "XAA", "en")


@pytest.fixture(scope="session")
def documents(published: Published, report: Report) -> dict[str, bytes]:
    """Language -> Word document."""
    return {"en": docx_bytes(report), "ar": docx_bytes(quarterly_report(published, "ar"))}


@pytest.fixture(scope="session")
def page(report: Report) -> str:
    return html_text(report)


@pytest.fixture(scope="session")
def written(documents: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Language -> path of the Word document."""
    folder = tmp_path_factory.mktemp("documents")
    paths = {language: folder / f"{language}.docx" for language in documents}
    for language, path in paths.items():
        path.write_bytes(documents[language])
    return paths
