"""The area table against what the bodies that keep these lists say of them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from copstats.framework import load_areas


def members(group: str) -> set[str]:
    return {code for code, area in load_areas().items() if area.groups.get(group)}


def test_every_entity_of_iso_3166_stands_once() -> None:
    areas = load_areas()
    assert len(areas) == 249
    assert all(re.fullmatch("[A-Z]{3}", code) for code in areas)
    assert list(areas) == sorted(areas)
    assert len({area.name for area in areas.values()}) == 249


def test_member_states_of_the_itu_by_region() -> None:
    regions = Counter(area.groups.get("itu_region") for area in load_areas().values())
    assert regions.pop(None) == 249 - 194
    assert regions == {"AFR": 44, "AMS": 35, "ARB": 21, "ASP": 39, "CIS": 9, "EUR": 46}


def test_the_special_groups_of_the_united_nations() -> None:
    assert len(members("ldc")) == 44
    assert len(members("lldc")) == 32
    assert len(members("sids")) == 39
    # Africa has 32 least developed countries, Asia and the Pacific 11, the Americas one (Haiti).
    assert {c for c in members("ldc") if load_areas()[c].groups["itu_region"] == "AMS"} == {"HTI"}
    # Groups overlap in part: no landlocked country is a small island.
    assert not members("lldc") & members("sids")
    # All but two of the small islands are members of the United Nations and of the ITU.
    assert {c for c in members("sids") if "itu_region" not in load_areas()[c].groups} == {"COK", "NIU"}


def test_geographic_regions_are_those_of_m49() -> None:
    regions = Counter(area.groups.get("m49_region") for area in load_areas().values())
    assert regions == {"002": 60, "019": 57, "142": 51, "150": 51, "009": 29, None: 1}
    assert "m49_region" not in load_areas()["ATA"].groups


def test_codes_are_text() -> None:
    areas = load_areas()
    assert areas["NAM"].name == "Namibia"
    assert areas["AUS"].groups["m49_region"] == "009"
    assert areas["TUR"].name == "Türkiye"
    assert areas["CIV"].name == "Côte d'Ivoire"


def test_a_later_table_adds_to_an_earlier_one(tmp_path: Path) -> None:
    table = tmp_path / "areas.csv"
    table.write_text("area,name,pilot\nXAA,Test area,1\nNAM,Namibia,\n", "utf-8")
    areas = load_areas(table)
    assert areas["XAA"].groups == {"pilot": "1"}
    assert areas["NAM"].groups == {}
