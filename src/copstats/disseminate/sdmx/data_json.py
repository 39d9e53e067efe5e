"""Data as SDMX-JSON 2.0, flat (SDMX-JSON data message, 2.0.0)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from copstats.disseminate.sdmx.message import ACTION, Dataflow
from copstats.framework.export.markup import names
from copstats.framework.export.published import CodeTable
from copstats.framework.export.sdmx_json import named
from copstats.framework.structure import Component
from copstats.language import Translations

_SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/data-message/tools/schemas/2.0.0/"
    "sdmx-json-data-schema.json"
)
Object = dict[str, Any]


def data_json(
    flow: Dataflow,
    rows: pa.Table,
    codes: Mapping[str, CodeTable],
    words: Sequence[Translations],
    *,
    prepared: dt.datetime,
) -> bytes:
    """Return rows of a dataflow as one message; codes come with their labels in some languages.

    Without rows it holds no data set: the format has no dimension without a value.

    Args:
        flow: the dataflow.
        rows: any rows of its table.
        codes: code lists by identifier, see `copstats.framework.export.published.code_tables`.
        words: languages of the names, the first leads.
        prepared: time stamp of the message.
    """
    links = [{"rel": "dataflow", "urn": flow.urn}]
    message = {
        "meta": {
            "schema": _SCHEMA,
            "id": f"{flow.structure.dataflow}_{flow.version.replace('.', '_')}",
            "test": False,
            "prepared": f"{prepared.isoformat()}Z",
            "contentLanguages": [each.language for each in words],
            "sender": {"id": flow.structure.agency},
        },
        "data": {"structures": [], "dataSets": []},
    }
    if rows.num_rows == 0:
        return json.dumps(message, ensure_ascii=False).encode()
    found = flow.observations(rows)
    encoded = {name: found[name].combine_chunks().dictionary_encode() for name in found.column_names}
    of = _Components(flow, codes, words, {name: column.dictionary for name, column in encoded.items()})
    message["data"] = {
        "structures": [{"links": links, "dataSets": [0], **of.described()}],
        "dataSets": [{"structure": 0, "action": ACTION, "links": links, "observations": {}}],
    }
    text = json.dumps(message, ensure_ascii=False)
    head, _, tail = text.rpartition('"observations": {}')
    return b"".join((head.encode(), b'"observations": {', _observations(flow, encoded), b"}", tail.encode()))


def _observations(flow: Dataflow, encoded: Mapping[str, pa.DictionaryArray]) -> bytes:
    """Return the observations, each ``"0:3:1":[12.4,0,1]``: places of its codes, value, places of texts."""
    number = len(next(iter(encoded.values())))
    places = {name: column.indices.cast(pa.string()) for name, column in encoded.items()}
    key = pc.binary_join_element_wise(*(places[name] for name in flow.structure.dimensions), ":")
    values = encoded[flow.measure].dictionary_decode()
    shown = [values, *(places[name] for name in flow.structure.attributes)]
    parts = [pc.fill_null(column, "null") for column in shown]
    listed = pc.binary_join_element_wise(*parts, ",")
    quote, between, end = (pa.repeat(sign, number) for sign in ('"', '":[', "]"))
    return ",".join(pc.binary_join_element_wise(quote, key, between, listed, end, "").to_pylist()).encode()


class _Components:
    def __init__(
        self,
        flow: Dataflow,
        codes: Mapping[str, CodeTable],
        words: Sequence[Translations],
        values: Mapping[str, pa.Array],
    ) -> None:
        self._flow = flow
        self._codes = codes
        self._words = words
        self._values = values

    def described(self) -> Object:
        of = self._flow.structure
        dimensions = [
            self._component(name, component) | {"keyPosition": place} | self._listed(name, component)
            for place, (name, component) in enumerate(of.dimensions.items())
        ]
        measures = [self._component(name, component) for name, component in of.measure.items()]
        attributes = [
            self._component(name, component)
            | {"relationship": {"observation": {}}}
            | self._listed(name, component)
            for name, component in of.attributes.items()
        ]
        return {
            "dimensions": {"observation": dimensions},
            "measures": {"observation": measures},
            "attributes": {"observation": attributes},
        }

    def _component(self, name: str, component: Component) -> Object:
        return {"id": name, **named(names(self._words, component.title)), "roles": [name]}

    def _listed(self, name: str, component: Component) -> Object:
        values = self._values[name].to_pylist()
        if not values:
            return {}
        if component.codelist is None:
            return {"values": [{"value": value} for value in values]}
        table = self._codes[component.codelist].codes if component.codelist else {}
        return {"values": [{"id": value, **self._label(value, table)} for value in values]}

    def _label(self, value: str, table: Mapping[str, Mapping[str, str]]) -> Object:
        known = {each.language for each in self._words}
        texts = {language: text for language, text in table.get(value, {}).items() if language in known}
        return named(texts) if texts else {"name": value}
