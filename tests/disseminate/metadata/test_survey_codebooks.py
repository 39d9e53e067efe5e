"""The codebook of each survey against the official schema of DDI-Codebook, and read back with lxml."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from lxml import etree

from copstats.disseminate.metadata.ddi import codebooks
from copstats.disseminate.published import Published
from copstats.framework import load_framework

NS = {"d": "ddi:codebook:2_5"}
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
SOURCE = "XAA_2026_COPS_v01_M"


def with_source(published: Published, **changed: Any) -> Published:
    """The release with one survey, of which something else is stated."""
    row = next(r for r in published.tables["source"].to_pylist() if r["source"] == SOURCE) | changed
    table = pa.Table.from_pylist([row], schema=published.tables["source"].schema)
    return dataclasses.replace(published, tables={**published.tables, "source": table})


def read(published: Published, **changed: Any) -> Any:
    ((source, content),) = codebooks(with_source(published, **changed))
    assert source == SOURCE
    return etree.fromstring(content)


def texts(root: Any, path: str) -> list[str]:
    return [element.text for element in root.findall(path, NS)]


def names(root: Any) -> list[str]:
    return [variable.get("name") for variable in root.findall("d:dataDscr/d:var", NS)]


@pytest.fixture
def ddi_schema(request: pytest.FixtureRequest) -> Any:
    """The official schema; nobody packages it."""
    named = os.environ.get("COPSTATS_DDI_SCHEMAS")
    folder = Path(named) if named else request.getfixturevalue("shared") / "reference" / "ddi"
    if not folder.is_dir():
        pytest.skip("no DDI schemas: docs/metadata-exports.md says where they come from")
    return etree.XMLSchema(etree.parse(str(folder / "2.5" / "codebook.xsd")))


@pytest.mark.reference
def test_codebooks_follow_the_official_schema(ddi_schema: Any, published: Published) -> None:
    variants = [
        published,
        with_source(published, modules=" ".join(load_framework().modules), weight_method="a < b & c"),
        with_source(published, response_rate=0.785, coverage_share=1.0, excluded='islands "x"'),
    ]
    for variant in variants:
        for _, content in codebooks(variant):
            assert ddi_schema.validate(etree.fromstring(content)), ddi_schema.error_log


def test_every_survey_has_one(described: Path, published: Published) -> None:
    files = sorted(path.stem for path in (described / "metadata" / "ddi").glob("*.xml"))
    assert files == sorted(published.tables["source"]["source"].to_pylist())


def test_what_the_office_states(published: Published) -> None:
    root = read(published, response_rate=0.785, coverage_share=0.97, excluded="islands & <others>")
    study = root.find("d:stdyDscr", NS)
    assert root.get("ID") == SOURCE
    titles = {e.get(LANG): e.text for e in study.find("d:citation/d:titlStmt", NS) if e.get(LANG)}
    assert titles == {"en": "Survey of children online", "fr": "Enquête « enfants en ligne », essai"}
    assert texts(study, "d:citation/d:prodStmt/d:producer") == ["Statistics office"]
    assert texts(study, "d:citation/d:distStmt/d:distrbtr") == [published.publisher.name]
    summary = study.find("d:stdyInfo/d:sumDscr", NS)
    dates = {e.get("event"): e.get("date") for e in summary.findall("d:collDate", NS)}
    assert dates == {"start": "2026-03-01", "end": "2026-04-30"}
    assert summary.find("d:nation", NS).get("abbr") == "XAA"
    included = summary.findall("d:universe[@clusion='I']", NS)
    assert {"All children of these ages", "Ages 9 to 17"} <= {e.text for e in included}
    assert texts(summary, "d:universe[@clusion='E']") == ["islands & <others>"]
    collected = study.find("d:method/d:dataColl", NS)
    assert texts(collected, "d:sampProc")[0] == "Probability sample, documented"
    assert texts(collected, "d:collMode")[0] == "Children answered by themselves"
    analysis = study.find("d:method/d:anlyInfo", NS)
    assert "78.5 %" in texts(analysis, "d:respRate")[0]
    assert "97.0 %" in texts(analysis, "d:dataAppr")[0]


def test_what_is_not_stated_is_left_out(published: Published) -> None:
    root = read(published, response_rate=None, coverage_share=None, excluded=None, weight_method=None)
    assert root.find(".//d:anlyInfo", NS) is None
    assert root.find(".//d:weight", NS) is None
    assert root.find(".//d:universe[@clusion='E']", NS) is None


def test_variables_are_those_that_the_survey_covers(published: Published) -> None:
    framework = load_framework()
    module = next(m for m in framework.modules.values() if not m.always and m.record == "child")
    asked, left_out, *_ = module.variables
    assert set(module.variables) <= set(names(read(published, modules=module.module, not_asked=None)))
    root = read(published, modules=f"{module.module} of_an_older_framework", not_asked=left_out)
    assert asked in names(root) and left_out not in names(root)
    assert texts(root, "d:fileDscr/d:fileTxt/d:fileName") == ["child"]


def test_there_are_neither_questions_nor_frequencies(published: Published) -> None:
    root = read(published, modules=" ".join(load_framework().modules))
    assert len(names(root)) == sum(len(module.variables) for module in load_framework().modules.values())
    for tag in ("qstn", "catStat", "sumStat", "caseQnty", "valrng/d:key"):
        assert root.find(f".//d:{tag}", NS) is None


def test_identifiers_are_unique_and_references_lead_to_them(published: Published) -> None:
    root = read(published, modules=" ".join(load_framework().modules))
    ids = root.xpath("//@ID")
    assert len(ids) == len(set(ids))
    used = {one for value in root.xpath("//d:varGrp/@var | //@files", namespaces=NS) for one in value.split()}
    assert used <= set(ids)


def test_languages_are_english_and_those_of_the_title(published: Published) -> None:
    assert set(read(published).xpath("//@xml:lang")) == {"en", "fr"}
    untitled = dataclasses.replace(
        published, tables={**published.tables, "label": published.tables["label"].slice(0, 0)}
    )
    assert set(read(untitled).xpath("//@xml:lang")) == {"en"}
