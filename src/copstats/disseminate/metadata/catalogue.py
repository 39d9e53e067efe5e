"""The entry of a release in catalogues and search engines: schema.org and DCAT 3 in one JSON-LD graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from copstats.disseminate.database import NAME as DATABASE
from copstats.disseminate.metadata.about import (
    KEYWORDS,
    descriptions,
    issued,
    licence_address,
    place,
    shown_indicators,
    titles,
)
from copstats.disseminate.published import Published, Publisher
from copstats.disseminate.tables import dictionary
from copstats.language import LANGUAGES

CONTEXT = {
    "@vocab": "https://schema.org/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
"""Stands in the file, so that no reader has to fetch it."""

_MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
_TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".duckdb": "application/vnd.duckdb",
    ".txt": "text/plain",
    ".xml": "application/xml",
}
_REGISTERED = frozenset({".csv", ".json", ".parquet", ".txt", ".xml"})
"""Suffixes whose media types IANA has."""

Node = dict[str, Any]


def catalogue_entry(published: Published, messages: Sequence[str] = ()) -> Node:
    """Return the graph: the data set, its publisher, and its distributions.

    Terms without a prefix are those of schema.org (``Dataset``), which search engines read; those of DCAT 3
    (W3C Recommendation, 2024) stand beside them.

    Args:
        published: the release.
        messages: names of the files in ``sdmx``.
    """
    data_set = _without_gaps(
        {
            "@id": place(published, "", below="../") or "../",
            "@type": ["Dataset", "dcat:Dataset"],
            **_names(published),
            **_dates(published),
            "identifier": f"{published.framework.id}/{published.label}",
            "version": published.label,
            "dcat:version": published.label,
            "keywords": list(KEYWORDS),
            "dcat:keyword": list(KEYWORDS),
            "inLanguage": list(LANGUAGES),
            "dct:language": [_resource(f"http://id.loc.gov/vocabulary/iso639-1/{tag}") for tag in LANGUAGES],
            "dct:accrualPeriodicity": _resource("http://purl.org/cld/freq/quarterly"),
            "isAccessibleForFree": True,
            **_licence(published.publisher),
            **_publisher(published.publisher),
            **_coverage(published),
            "variableMeasured": list(_variables(published)),
        }
    )
    files = list(_files(published, messages))
    data_set["distribution"] = data_set["dcat:distribution"] = [_resource(file["@id"]) for file in files]
    return {"@context": CONTEXT, "@graph": [data_set, *files]}


def _without_gaps(node: Node) -> Node:
    return {key: value for key, value in node.items() if value not in (None, [], {}, "")}


def _resource(address: str) -> Node:
    return {"@id": address}


def _texts(by_language: Mapping[str, str]) -> list[Node]:
    return [{"@language": tag, "@value": text} for tag, text in by_language.items()]


def _names(published: Published) -> Node:
    title, description = _texts(titles(published)), _texts(descriptions(published))
    return {"name": title, "dct:title": title, "description": description, "dct:description": description}


def _dates(published: Published) -> Node:
    day = issued(published)
    return {"datePublished": day, "dct:issued": {"@type": "xsd:date", "@value": day} if day else None}


def _licence(publisher: Publisher) -> Node:
    address = licence_address(publisher)
    if address:
        return {"license": _resource(address), "dct:license": _resource(address)}
    if publisher.licence:
        document = {"@type": ["CreativeWork", "dct:LicenseDocument"], "name": publisher.licence}
        return {"license": document, "dct:license": document | {"dct:title": publisher.licence}}
    return {}


def _publisher(publisher: Publisher) -> Node:
    if not publisher.name:
        return {}
    agent = {"@type": ["Organization", "foaf:Agent"], "name": publisher.name, "foaf:name": publisher.name}
    same = _resource("_:publisher")
    found: Node = {"publisher": same | agent, "creator": same, "dct:publisher": same}
    contact = publisher.contact
    if "@" in contact:
        reached = {"vcard:hasEmail": _resource(f"mailto:{contact}")}
    elif "://" in contact:
        reached = {"vcard:hasURL": _resource(contact)}
    else:
        return found
    card = {"@type": "vcard:Organization", "vcard:fn": publisher.name}
    return found | {"dcat:contactPoint": card | reached}


def _coverage(published: Published) -> Node:
    values = published.tables["indicator_value"]
    if not values.num_rows:
        return {}
    years = pc.min_max(values["time_period"]).as_py()
    period = {
        "@type": "dct:PeriodOfTime",
        "dcat:startDate": {"@type": "xsd:gYear", "@value": years["min"]},
        "dcat:endDate": {"@type": "xsd:gYear", "@value": years["max"]},
    }
    areas = [
        _resource(f"_:{code}")
        | {"@type": ["Place", "dct:Location"], "name": area.name, "dct:title": area.name, "identifier": code}
        for code in sorted(values["ref_area"].unique().to_pylist())
        if (area := published.areas.get(code))
    ]
    span = years["min"] if years["min"] == years["max"] else f"{years['min']}/{years['max']}"
    return {
        "temporalCoverage": span,
        "dct:temporal": period,
        "spatialCoverage": areas,
        "dct:spatial": [_resource(area["@id"]) for area in areas],
    }


def _variables(published: Published) -> Iterator[Node]:
    for code, title in shown_indicators(published).items():
        yield {"@type": "PropertyValue", "propertyID": code, "name": title}


def _files(published: Published, messages: Sequence[str]) -> Iterator[Node]:
    yield _file(published, DATABASE, "All tables as a DuckDB database")
    for name, described in dictionary().tables.items():
        for kind in ("csv", "parquet"):
            yield _file(published, f"{kind}/{name}.{kind}", described.comment)
    for name in messages:
        yield _file(published, f"sdmx/{name}", "SDMX")


def _file(published: Published, path: str, description: str) -> Node:
    address, suffix = place(published, path, below="../"), f".{path.rpartition('.')[2]}"
    media_type = _TYPES.get(suffix, "application/octet-stream")
    registered = suffix in _REGISTERED
    return _without_gaps(
        {
            "@id": address,
            "@type": ["DataDownload", "dcat:Distribution"],
            "name": path,
            "dct:title": path,
            "description": description,
            "contentUrl": address,
            "encodingFormat": media_type,
            "dcat:downloadURL": _resource(address),
            "dcat:accessURL": _resource(address),
            "dcat:mediaType": _resource(_MEDIA_TYPES + media_type) if registered else None,
        }
    )
