from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copstats.errors import PortalError
from copstats.portal.published.negotiation import DATA, STRUCTURE, Api, negotiate

XML, CSV, CSV_2, JSON = "xml 2.1 id", "csv 1.0.0 id", "csv 2.0.0 id", "json 2.0.0 id"


def chosen(accept: str, short: str = "", version: Api = "2.1") -> str:
    form = negotiate(accept, short, DATA[version])
    return f"{form.kind} {form.version} {form.labels}"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", XML),
        ("*/*", XML),
        ("application/*", XML),
        ("application/json", JSON),
        ("text/csv", CSV),
        ("application/vnd.sdmx.data+csv", CSV),
        ("application/vnd.sdmx.data+csv;version=2.0.0", CSV_2),
        ("application/vnd.sdmx.data+csv; version=2.0; labels=both", "csv 2.0.0 both"),
        ("application/vnd.sdmx.data+csv;labels=both;version=1.0.0", "csv 1.0.0 both"),
        ("application/vnd.sdmx.structurespecificdata+xml;version=2.1", XML),
        ("application/vnd.sdmx.data+json;version=2.0.0", JSON),
        ("application/vnd.sdmx.data+json;version=1.0.0, application/json;q=0.5", JSON),
        ("text/csv;q=0.5, application/json;q=0.9", JSON),
        ("application/json;q=0, */*;q=0.1", XML),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", XML),
        ("Application/VND.SDMX.Data+JSON", JSON),
    ],
)
def test_the_preferred_format(accept: str, form: str) -> None:
    assert chosen(accept) == form


def test_version_2_prefers_json() -> None:
    assert chosen("*/*", version="3.0") == JSON
    assert chosen("text/csv", version="3.0") == CSV_2
    assert negotiate("", "", STRUCTURE["3.0"]).kind == "json"
    assert negotiate("application/xml", "", STRUCTURE["3.0"]).version == "3.0.0"


@pytest.mark.parametrize(
    ("short", "form"), [("csv", CSV), ("jsondata", JSON), ("structurespecificdata", XML), ("SDMX-CSV", CSV)]
)
def test_the_parameter_goes_first(short: str, form: str) -> None:
    assert chosen("application/json", short) == form


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/vnd.sdmx.genericdata+xml;version=2.1",
        "application/vnd.sdmx.data+csv;version=3.0",
        "application/json;q=0",
        "text/csv;q=many",
        ";;;",
    ],
)
def test_formats_that_there_are_not(accept: str) -> None:
    with pytest.raises(PortalError) as told:
        chosen(accept)
    assert (told.value.code, told.value.status) == ("P412", 406)


@given(st.text(max_size=200))
def test_any_header_is_answered(accept: str) -> None:
    try:
        chosen(accept)
    except PortalError as error:
        assert error.code == "P412"
