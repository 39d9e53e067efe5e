"""The SDMX interface read by two clients that others have written."""

from __future__ import annotations

import io
import math

import pyarrow as pa
import pytest
import sdmx
from pysdmx.api.qb.data import DataContext, DataFormat, DataQuery, MultiFilter, Operator, TextFilter
from pysdmx.api.qb.service import RestService
from pysdmx.api.qb.structure import StructureFormat, StructureQuery, StructureReference, StructureType
from pysdmx.api.qb.util import ApiVersion
from pysdmx.io import read_sdmx

from tests.portal.conftest import Served

KEY = ".XAA.RCD4........."


@pytest.fixture(scope="module")
def client(published: Served) -> sdmx.Client:
    source = {"id": "COP", "name": "Child online protection", "url": f"{published.url}/sdmx/2.1"}
    sdmx.add_source(source, override=True)
    found = sdmx.Client("COP")
    found.session.trust_env = False
    return found


def shown(cells: pa.Table) -> dict[tuple[str, str, str], float | None]:
    """Values of XAA's RCD4 by sex, age and year."""
    rows = (row for row in cells.to_pylist() if (row["ref_area"], row["indicator"]) == ("XAA", "RCD4"))
    return {(row["sex"], row["age"], row["time_period"]): row["value"] for row in rows}


def test_sdmx1_reads_the_structure(client: sdmx.Client) -> None:
    message = client.dataflow("DF_COP")
    structure = message.structure["DSD_COP"]
    assert [one.id for one in structure.dimensions][:3] == ["FREQ", "REF_AREA", "INDICATOR"]
    assert str(message.codelist["CL_SEX"]["F"].name.localizations["fr"])
    assert len(message.concept_scheme["CS_COP"]) > 20


def test_sdmx1_reads_data_by_a_key_that_it_makes(client: sdmx.Client, cells: pa.Table) -> None:
    message = client.data("DF_COP", key={"REF_AREA": "XAA", "INDICATOR": "RCD4"})
    found = {
        (one.key["SEX"].value, one.key["AGE"].value, one.key["TIME_PERIOD"].value): float(one.value)
        for one in message.data[0].obs
    }
    wanted = shown(cells)
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        assert math.isnan(found[key]) if value is None else found[key] == value


SERVICES = (
    ("2.1", ApiVersion.V1_5_0, StructureFormat.SDMX_ML_2_1, DataFormat.SDMX_ML_2_1_STR),
    ("2.1", ApiVersion.V1_5_0, StructureFormat.SDMX_JSON_2_0_0, DataFormat.SDMX_CSV_2_0_0),
    ("3.0", ApiVersion.V2_1_0, StructureFormat.SDMX_ML_3_0, DataFormat.SDMX_CSV_2_0_0),
    ("3.0", ApiVersion.V2_1_0, StructureFormat.SDMX_JSON_2_0_0, DataFormat.SDMX_CSV_1_0_0),
)


@pytest.mark.parametrize("spoken", SERVICES)
def test_pysdmx_reads_structure_and_data(
    published: Served, cells: pa.Table, spoken: tuple[str, ApiVersion, StructureFormat, DataFormat]
) -> None:
    place, version, structures, data = spoken
    service = RestService(
        f"{published.url}/sdmx/{place}", version, data_format=data, structure_format=structures, timeout=30
    )
    flow = StructureQuery(StructureType.DATAFLOW, "COP", "DF_COP", references=StructureReference.DESCENDANTS)
    message = read_sdmx(io.BytesIO(service.structure(flow)), validate=True)
    assert {"DF_COP", "DSD_COP", "CS_COP", "CL_SEX"} <= {one.id for one in message.structures}
    if version < ApiVersion.V2_0_0:
        query = DataQuery(DataContext.DATAFLOW, "COP", "DF_COP", key=KEY)
    else:
        wanted_codes = {"REF_AREA": "XAA", "INDICATOR": "RCD4"}
        filters = MultiFilter([TextFilter(of, Operator.EQUALS, one) for of, one in wanted_codes.items()])
        query = DataQuery(DataContext.DATAFLOW, "COP", "DF_COP", components=filters)
    frame = read_sdmx(io.BytesIO(service.data(query)), validate=True).data[0].data
    keys = zip(frame["SEX"], frame["AGE"], frame["TIME_PERIOD"].astype(str), strict=True)
    found = dict(zip(keys, frame["OBS_VALUE"], strict=True))
    wanted = shown(cells)
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        known = float(found[key]) if found[key] not in ("", None) else math.nan
        assert math.isnan(known) if value is None else known == value
