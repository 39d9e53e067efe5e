"""The CSV files of a release as a Frictionless data package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from copstats.disseminate.metadata.about import KEYWORDS, descriptions, issued, place, titles
from copstats.disseminate.published import Published, Publisher
from copstats.disseminate.tables import dictionary

_PROFILES = "https://datapackage.org/profiles/2.0"
_TYPES = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_integer, "integer"),
    (pa.types.is_floating, "number"),
    (pa.types.is_date, "date"),
)


def data_package(published: Published) -> dict[str, Any]:
    """Return the descriptor (Data Package 2.0, 2024): one resource a table.

    Types follow from the tables, texts and keys from ``tables.yaml``. A link between tables is stated where
    it holds for every row: of an indicator that the framework no longer has, values may be carried forward.
    """
    known = dictionary().tables
    package: dict[str, Any] = {
        "$schema": f"{_PROFILES}/datapackage.json",
        "name": f"{published.framework.id}-{published.label}".lower(),
        "title": titles(published)["en"],
        "description": descriptions(published)["en"],
        "version": published.label,
        "homepage": place(published, "") if published.publisher.address else None,
        "created": f"{day}T00:00:00Z" if (day := issued(published)) else None,
        "keywords": list(KEYWORDS),
        "contributors": list(_contributors(published.publisher)),
        "licenses": list(_licences(published.publisher)),
        "resources": [_resource(published, name) for name in known if name in published.tables],
    }
    return {key: value for key, value in package.items() if value}


def _contributors(publisher: Publisher) -> Iterator[dict[str, Any]]:
    if publisher.name:
        contact = publisher.contact
        reached = {"email": contact} if "@" in contact else {"path": contact} if "://" in contact else {}
        yield {"title": publisher.name, **reached, "roles": ["publisher"]}


def _licences(publisher: Publisher) -> Iterator[dict[str, str]]:
    if publisher.licence:
        yield {"path" if "://" in publisher.licence else "name": publisher.licence}


def _resource(published: Published, name: str) -> dict[str, Any]:
    return {
        "$schema": f"{_PROFILES}/dataresource.json",
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "description": dictionary().tables[name].comment,
        "path": f"csv/{name}.csv",
        "type": "table",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": _schema(published, name),
    }


def _schema(published: Published, name: str) -> dict[str, Any]:
    described, table = dictionary().tables[name], published.tables[name]
    links = [_link(column, target, name) for column, target in described.refers.items()]
    held = [link for link in links if _holds(published, name, link)]
    return {
        "$schema": f"{_PROFILES}/tableschema.json",
        "fields": [
            {"name": field.name, "type": _type(field.type)}
            | {"description": dictionary().column(name, field.name)}
            for field in table.schema
        ],
        "missingValues": [""],
        "primaryKey": described.key,
    } | ({"foreignKeys": held} if held else {})


def _type(kind: pa.DataType) -> str:
    return next((name for holds, name in _TYPES if holds(kind)), "string")


def _link(column: str, target: str, own: str) -> dict[str, Any]:
    """An empty name of a resource stands for the resource itself."""
    (key,) = dictionary().tables[target].key
    reference = {"resource": "" if target == own else target, "fields": [key]}
    return {"fields": [column], "reference": reference}


def _holds(published: Published, name: str, link: dict[str, Any]) -> bool:
    (column,), reference = link["fields"], link["reference"]
    target = published.tables[reference["resource"] or name][reference["fields"][0]]
    codes = published.tables[name][column].unique().drop_null()
    return pc.all(pc.is_in(codes, value_set=target.combine_chunks())).as_py() is not False
