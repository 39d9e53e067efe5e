from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from copstats.errors import PortalError
from copstats.framework.structure import load_structure
from copstats.portal.published.requested import DataRequest

STRUCTURE = load_structure()
PLACES = len(STRUCTURE.dimensions) - 1
CODES = {"REF_AREA": ["KEN", "UGA", "TZA"], "INDICATOR": ["SKL2", "RSK1"], "SEX": ["_T", "F", "M"]}
ROWS = pa.Table.from_pylist(
    [
        {c.column: "_T" for c in STRUCTURE.components.values() if c.column}
        | {"ref_area": area, "indicator": indicator, "sex": sex, "time_period": year, "value": float(place)}
        for place, (area, indicator, sex, year) in enumerate(
            (area, indicator, sex, year)
            for area in CODES["REF_AREA"]
            for indicator in CODES["INDICATOR"]
            for sex in CODES["SEX"]
            for year in ("2021", "2023", "2025")
        )
    ]
)


def chosen(request: DataRequest) -> list[dict[str, Any]]:
    wanted = request.selection(STRUCTURE).expression(STRUCTURE)
    found: list[dict[str, Any]] = (ROWS if wanted is None else ROWS.filter(wanted)).to_pylist()
    return found


def of_2(*given: tuple[str, str], key: str = "*") -> list[dict[str, Any]]:
    return chosen(DataRequest.of_2(f"dataflow/COP/DF_COP/1.0.0/{key}", QueryParams(list(given))))


def expected(**asked: list[str]) -> list[dict[str, Any]]:
    return [row for row in ROWS.to_pylist() if all(not of or row[name] in of for name, of in asked.items())]


@given(
    areas=st.lists(st.sampled_from(CODES["REF_AREA"]), unique=True),
    indicators=st.lists(st.sampled_from(CODES["INDICATOR"]), unique=True),
    sexes=st.lists(st.sampled_from(CODES["SEX"]), unique=True),
)
def test_a_key_selects_what_its_places_name(
    areas: list[str], indicators: list[str], sexes: list[str]
) -> None:
    places = ["A", "+".join(areas), "+".join(indicators), "+".join(sexes), *[""] * (PLACES - 4)]
    found = chosen(DataRequest("DF_COP", key=".".join(places)))
    assert found == expected(ref_area=areas, indicator=indicators, sex=sexes)


@given(st.lists(st.tuples(st.sampled_from(CODES["REF_AREA"]), st.sampled_from(CODES["SEX"])), min_size=1))
def test_whole_keys_are_alternatives(pairs: list[tuple[str, str]]) -> None:
    keys = [".".join(["*", area, "*", sex, *["*"] * (PLACES - 4)]) for area, sex in pairs]
    found = of_2(key=",".join(keys))
    assert found == [row for row in ROWS.to_pylist() if (row["ref_area"], row["sex"]) in pairs]


@given(st.text(max_size=60))
def test_a_key_is_read_or_refused(key: str) -> None:
    try:
        found = chosen(DataRequest("DF_COP", key=key))
    except PortalError as error:
        assert (error.code, error.status) == ("P413", 400)
    else:
        assert key in ("", "all", "*") or key.count(".") == PLACES - 1
        assert len(found) <= ROWS.num_rows


@given(st.lists(st.tuples(st.text(max_size=20).map("c[{}]".format), st.text(max_size=40)), max_size=3))
def test_filters_are_read_or_refused(parameters: list[tuple[str, str]]) -> None:
    try:
        of_2(*parameters)
    except PortalError as error:
        assert error.code == "P413"


def test_a_frequency_that_is_not_there() -> None:
    assert chosen(DataRequest("DF_COP", key=".".join(["M", *[""] * (PLACES - 1)]))) == []


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        ("2023", "", {"2023", "2025"}),
        ("", "2023", {"2021", "2023"}),
        ("2022", "2024", {"2023"}),
        ("2023-Q1", "2023-Q4", {"2023"}),
        ("2023-01-01", "2023-12-31", {"2023"}),
        ("2023-02", "", {"2025"}),
        ("", "2023-06-30", {"2021"}),
    ],
)
def test_years_that_lie_wholly_between(start: str, end: str, years: set[str]) -> None:
    found = chosen(DataRequest("DF_COP", parameters=QueryParams({"startPeriod": start, "endPeriod": end})))
    assert {row["time_period"] for row in found} == years


@pytest.mark.parametrize(
    ("component", "value", "fits"),
    [
        ("REF_AREA", "KEN,UGA", lambda row: row["ref_area"] in ("KEN", "UGA")),
        ("REF_AREA", "ne:KEN", lambda row: row["ref_area"] != "KEN"),
        ("TIME_PERIOD", "ge:2022+le:2024", lambda row: row["time_period"] == "2023"),
        ("TIME_PERIOD", "gt:2021 lt:2025", lambda row: row["time_period"] == "2023"),
        ("INDICATOR", "sw:SK", lambda row: row["indicator"] == "SKL2"),
        ("INDICATOR", "ew:1", lambda row: row["indicator"] == "RSK1"),
        ("INDICATOR", "co:KL", lambda row: row["indicator"] == "SKL2"),
        ("INDICATOR", "nc:KL", lambda row: row["indicator"] == "RSK1"),
        ("OBS_VALUE", "lt:10", lambda row: row["value"] < 10),
        ("OBS_VALUE", "eq:7", lambda row: row["value"] == 7),
        ("FREQ", "A", lambda _: True),
        ("FREQ", "ne:A", lambda _: False),
    ],
)
def test_filters_on_components(component: str, value: str, fits: Any) -> None:
    assert of_2((f"c[{component}]", value)) == [row for row in ROWS.to_pylist() if fits(row)]


@pytest.mark.parametrize(
    "given_",
    [
        ("c[NOTHING]", "A"),
        ("c[ref_area]", "KEN"),
        ("c[REF_AREA", "KEN"),
        ("c[REF_AREA]", ""),
        ("c[OBS_VALUE]", "lt:many"),
        ("c[OBS_VALUE]", "co:1"),
        ("c[REF_AREA]", "x" * 300),
    ],
)
def test_filters_that_cannot_be_read(given_: tuple[str, str]) -> None:
    with pytest.raises(PortalError, match=re.escape("P413")):
        of_2(given_)


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("DF_COP", ("all", "DF_COP", "latest", "all")),
        ("COP,DF_COP", ("COP", "DF_COP", "latest", "all")),
        ("COP,DF_COP,1.0.0/A.KEN/all", ("COP", "DF_COP", "1.0.0", "A.KEN")),
    ],
)
def test_the_path_of_version_1(path: str, read: tuple[str, ...]) -> None:
    found = DataRequest.of_1(path, QueryParams())
    assert (found.agency, found.name, found.version, found.key) == read


@pytest.mark.parametrize("path", ["", ",", "a,b,c,d", "COP,,1.0"])
def test_paths_of_version_1_that_cannot_be_read(path: str) -> None:
    with pytest.raises(PortalError, match="P413"):
        DataRequest.of_1(path, QueryParams())
