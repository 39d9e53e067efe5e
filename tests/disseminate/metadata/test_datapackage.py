"""The data package, read and validated by frictionless against the CSV files of a release."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import frictionless
import pyarrow.parquet as pq
import pytest

from copstats.disseminate.metadata.datapackage import data_package
from copstats.disseminate.published import NOBODY, Published, Publisher
from copstats.disseminate.tables import dictionary


@pytest.fixture(scope="module")
def descriptor(described: Path) -> dict[str, Any]:
    return json.loads((described / "datapackage.json").read_text("utf-8"))


def test_the_files_are_what_the_package_says(described: Path) -> None:
    report = frictionless.validate(described / "datapackage.json")
    assert report.valid, report.flatten(["type", "fieldName", "note"])
    assert len(report.tasks) == len(list((described / "csv").iterdir())) == len(dictionary().tables)


class Fault(NamedTuple):
    """A text of one file replaced, and what the validator calls the fault."""

    table: str
    old: str
    new: str
    kind: str


FAULTS = {
    "an area twice": Fault("area", "XBB", "XAA", "primary-key"),
    "an area of which there are values": Fault("area", "XCC", "XZZ", "foreign-key"),
    "another form of date": Fault("release", ",2026-12-31,", ",31/12/2026,", "type-error"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_other_files_are_refused(described: Path, tmp_path: Path, fault: Fault) -> None:
    shutil.copytree(described / "csv", tmp_path / "csv")
    shutil.copy(described / "datapackage.json", tmp_path)
    path = tmp_path / "csv" / f"{fault.table}.csv"
    content = path.read_bytes().decode()
    assert fault.old in content
    path.write_bytes(content.replace(fault.old, fault.new, 1).encode())
    report = frictionless.validate(tmp_path / "datapackage.json")
    assert fault.kind in {kind for (kind,) in report.flatten(["type"])}


def test_every_table_and_column_is_explained(descriptor: dict[str, Any], described: Path) -> None:
    for resource in descriptor["resources"]:
        table = pq.read_table(described / "parquet" / f"{resource['name']}.parquet")
        fields = resource["schema"]["fields"]
        assert [field["name"] for field in fields] == table.column_names
        assert all(field["description"] for field in fields) and resource["description"]
        assert set(resource["schema"]["primaryKey"]) <= set(table.column_names)


def test_keys_lead_to_keys(descriptor: dict[str, Any]) -> None:
    keys = {r["name"]: r["schema"]["primaryKey"] for r in descriptor["resources"]}
    links = {
        (r["name"], *link["fields"]): link["reference"]
        for r in descriptor["resources"]
        for link in r["schema"].get("foreignKeys", [])
    }
    assert links["indicator_value", "source"] == {"resource": "source", "fields": ["source"]}
    assert links["indicator_value", "indicator"]["resource"] == "indicator"
    assert all(keys[ref["resource"] or name] == ref["fields"] for (name, _), ref in links.items())


def test_a_link_that_does_not_hold_is_not_stated(published: Published) -> None:
    """Values that are carried forward may be of an indicator that the framework no longer has."""
    fewer = published.tables["indicator"].slice(1)
    package = data_package(dataclasses.replace(published, tables={**published.tables, "indicator": fewer}))
    values = next(r for r in package["resources"] if r["name"] == "indicator_value")
    gone = published.tables["indicator"]["indicator"][0].as_py()
    stated = {column for link in values["schema"]["foreignKeys"] for column in link["fields"]}
    present = gone in published.tables["indicator_value"]["indicator"].to_pylist()
    assert ("indicator" in stated) is not present
    assert {"ref_area", "source"} <= stated


def test_types_are_those_of_the_tables(descriptor: dict[str, Any]) -> None:
    types = {
        (r["name"], field["name"]): field["type"]
        for r in descriptor["resources"]
        for field in r["schema"]["fields"]
    }
    assert types["indicator_value", "value"] == "number"
    assert types["indicator_value", "time_period"] == "string"
    assert types["source", "version"] == "integer"
    assert types["source", "top_coded"] == "boolean"
    assert types["source", "fieldwork_start"] == "date"


def test_the_publisher_is_named_where_stated(descriptor: dict[str, Any], published: Published) -> None:
    assert descriptor["contributors"] == [
        {
            "title": published.publisher.name,
            "email": "statistics@example.org",
            "roles": ["publisher"],
        }
    ]
    assert descriptor["licenses"] == [{"name": "CC-BY-4.0"}]
    assert descriptor["homepage"] == "https://example.org/releases/2026-Q4/"
    assert descriptor["created"] == "2026-12-15T00:00:00Z"
    silent = data_package(dataclasses.replace(published, publisher=NOBODY))
    assert not {"contributors", "licenses", "homepage"} & silent.keys()
    page = Publisher(name="Office", contact="https://example.org/ask", licence="https://example.org/terms")
    other = data_package(dataclasses.replace(published, publisher=page))
    assert other["contributors"][0]["path"] == "https://example.org/ask"
    assert other["licenses"] == [{"path": "https://example.org/terms"}]


def test_empty_tables_have_a_package_too(published: Published) -> None:
    empty = {name: table.slice(0, 0) for name, table in published.tables.items()}
    package = data_package(dataclasses.replace(published, tables=empty))
    assert len(package["resources"]) == len(published.tables)
    assert "created" not in package
