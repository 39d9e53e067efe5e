"""The catalogue entry, expanded by hand: a reader of JSON-LD needs nothing but what stands in the file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from copstats.disseminate.metadata.catalogue import catalogue_entry
from copstats.disseminate.metadata.writing import write_metadata
from copstats.disseminate.published import NOBODY, Published, Publisher


@pytest.fixture(scope="module")
def entry(described: Path) -> dict[str, Any]:
    return json.loads((described / "metadata" / "dataset.jsonld").read_text("utf-8"))


def data_set(entry: dict[str, Any]) -> dict[str, Any]:
    (found,) = [node for node in entry["@graph"] if "Dataset" in node["@type"]]
    return found


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from nodes(part)
    elif isinstance(value, list):
        for part in value:
            yield from nodes(part)


def test_every_prefix_is_declared_and_nothing_is_fetched(entry: dict[str, Any]) -> None:
    context = entry["@context"]
    assert all(isinstance(value, str) for value in context.values())
    for node in nodes(entry["@graph"]):
        terms = [*node, *([node["@type"]] if isinstance(node.get("@type"), str) else node.get("@type", []))]
        prefixes = {term.partition(":")[0] for term in terms if ":" in term}
        assert prefixes <= context.keys()


def test_every_reference_leads_somewhere(entry: dict[str, Any]) -> None:
    found = list(nodes(entry["@graph"]))
    defined = {node["@id"] for node in found if "@id" in node and len(node) > 1}
    for node in found:
        if set(node) == {"@id"} and (node["@id"].startswith("_:") or "/releases/" in node["@id"]):
            assert node["@id"] in defined


def test_what_search_engines_ask_for(entry: dict[str, Any]) -> None:
    """Google, structured data of data sets: name and a description of 50 to 5,000 characters."""
    found = data_set(entry)
    texts = {text["@language"]: text["@value"] for text in found["description"]}
    # A sentence takes a third of the signs in Chinese.
    least = {language: 15 if language == "zh" else 50 for language in texts}
    assert all(least[language] <= len(text) <= 5000 for language, text in texts.items()) and "en" in texts
    assert found["name"][0]["@value"].endswith("release 2026-Q4") or len(found["name"]) > 1
    assert found["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"}
    assert found["temporalCoverage"] == "2023/2026"
    assert [place["identifier"] for place in found["spatialCoverage"]] == ["XAA", "XBB", "XCC"]
    assert found["spatialCoverage"][1]["name"] == "=Belmora, with a long name (fictional)"
    assert {v["propertyID"] for v in found["variableMeasured"]} >= {"RCD4", "ACC1"}
    assert found["publisher"]["name"] == "Bureau « d'essai » <b> & اتحاد"
    assert (found["datePublished"], found["version"]) == ("2026-12-15", "2026-Q4")


def test_what_dcat_asks_for(entry: dict[str, Any]) -> None:
    found = data_set(entry)
    assert {
        "dct:title",
        "dct:description",
        "dct:publisher",
        "dct:issued",
        "dcat:contactPoint",
    } <= found.keys()
    assert found["dct:temporal"]["dcat:startDate"] == {"@type": "xsd:gYear", "@value": "2023"}
    files = [node for node in entry["@graph"] if "dcat:Distribution" in node["@type"]]
    assert [file["@id"] for file in files] == [ref["@id"] for ref in found["dcat:distribution"]]
    assert all(file["dcat:accessURL"] == {"@id": file["contentUrl"]} for file in files)


def test_distributions_are_the_files_of_the_release(entry: dict[str, Any], described: Path) -> None:
    base = "https://example.org/releases/2026-Q4/"
    files = {node["contentUrl"]: node for node in entry["@graph"] if "dcat:Distribution" in node["@type"]}
    assert {url.removeprefix(base) for url in files} == {
        path.relative_to(described).as_posix()
        for pattern in ("*.duckdb", "csv/*", "parquet/*", "sdmx/*")
        for path in described.glob(pattern)
    }
    kinds = {url.rpartition(".")[2]: node["encodingFormat"] for url, node in files.items()}
    assert kinds == {
        "csv": "text/csv",
        "duckdb": "application/vnd.duckdb",
        "parquet": "application/vnd.apache.parquet",
        "xml": "application/xml",
    }


def test_without_an_address_files_are_named_from_where_the_entry_stands(
    published: Published, described: Path
) -> None:
    entry = catalogue_entry(dataclasses.replace(published, publisher=NOBODY))
    found = data_set(entry)
    assert not {"publisher", "license", "dcat:contactPoint"} & found.keys()
    for node in entry["@graph"]:
        assert (described / "metadata" / node["@id"]).resolve().exists()


def test_a_licence_in_words_stays_words(published: Published) -> None:
    publisher = Publisher(licence="Open for all")
    found = data_set(catalogue_entry(dataclasses.replace(published, publisher=publisher)))
    assert found["license"]["name"] == found["dct:license"]["dct:title"] == "Open for all"


def test_two_writings_give_the_same_bytes(published: Published, described: Path, tmp_path: Path) -> None:
    (tmp_path / "sdmx").mkdir()
    (tmp_path / "sdmx" / "data-2.1.xml").touch()
    write_metadata(tmp_path, published)
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name != "sdmx"]
    assert len(written) == 2 + published.tables["source"].num_rows
    for path in written:
        assert path.read_bytes() == (described / path.relative_to(tmp_path)).read_bytes()


def test_a_release_without_rows_has_metadata(published: Published, tmp_path: Path) -> None:
    empty = {name: table.slice(0, 0) for name, table in published.tables.items()}
    write_metadata(tmp_path, dataclasses.replace(published, tables=empty, label="demo"))
    found = data_set(json.loads((tmp_path / "metadata" / "dataset.jsonld").read_text("utf-8")))
    assert not {"temporalCoverage", "spatialCoverage", "variableMeasured", "datePublished"} & found.keys()
    assert list((tmp_path / "metadata" / "ddi").iterdir()) == []
