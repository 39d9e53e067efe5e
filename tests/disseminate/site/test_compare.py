from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import duckdb
from lxml import html

from copstats.disseminate.published import Published
from copstats.disseminate.site import write_site
from copstats.disseminate.site.pages import compare
from copstats.disseminate.site.reading import Content
from copstats.framework import Area
from copstats.language import translations

CALL = re.compile(r'window\.copstats\.receive\("(\w+)", (.*)\);\n', re.S)
HOSTILE = 'O\'Neill & "sons" </div><script>alert(1)</script> {{ 7 * 7 }} البلد'


def handed_over(page: Path) -> dict[str, Any]:
    """Return what the page gives to its scripts."""
    (place,) = html.parse(page).xpath("//*[@id='compare']")
    return json.loads(place.get("data-content"))


def received(site: Path, code: str) -> list[dict[str, Any]]:
    """Return the rows that the script of an indicator brings."""
    call = CALL.fullmatch((site / "data" / f"compare-{code}.js").read_text("utf-8"))
    assert call is not None and call[1] == code
    columns = json.loads(call[2])["values"]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_a_script_brings_the_newest_value_of_every_cell_and_the_reasons(site: Path, release: Path) -> None:
    with duckdb.connect(str(release / "copstats.duckdb"), read_only=True) as database:
        codes = [
            code for (code,) in database.sql("SELECT DISTINCT indicator FROM indicator_value").fetchall()
        ]
        assert sorted(path.name for path in (site / "data").glob("compare-*.js")) == sorted(
            f"compare-{code}.js" for code in codes
        )
        for code in codes:
            rows = received(site, code)
            shown = {
                (r["ref_area"], r["sex"], r["time_period"], r["value"])
                for r in rows
                if r["value"] is not None
            }
            wanted = database.execute(
                "SELECT ref_area, sex, time_period, value FROM latest_value WHERE indicator = ?", [code]
            ).fetchall()
            assert shown == set(wanted)
            assert all(row["reason"] for row in rows if row["value"] is None)


def test_the_page_offers_what_is_published_and_nothing_else(site: Path) -> None:
    root = html.parse(site / "en" / "compare.html")
    assert {"ACC1", "RCD4", "RSK1"} <= set(root.xpath("//select[@id='indicator']//option/@value"))
    assert root.xpath("//select[@id='dimension']/option/@value") == ["", "sex"]
    assert root.xpath("//fieldset[@data-dimension='sex']//input/@value") == ["M", "F"]
    assert set(root.xpath("//input[@name='areas']/@value")) == {"XAA", "XBB", "XCC"}
    regions = set(root.xpath("//select[@id='region']//option/@value"))
    assert {"itu_region:AFR", "itu_region:AMS", "ldc:1"} <= regions


def test_texts_and_names_are_those_of_the_language(site: Path) -> None:
    english, arabic = (handed_over(site / language / "compare.html") for language in ("en", "ar"))
    assert (english["mirrored"], arabic["mirrored"]) == (False, True)
    assert english["texts"].keys() == arabic["texts"].keys()
    assert english["indicators"].keys() == arabic["indicators"].keys()
    assert english["indicators"]["ACC1"] != arabic["indicators"]["ACC1"]
    assert arabic["labels"]["reason"]["n"] == translations("ar").text(english["labels"]["reason"]["n"])


def test_every_text_that_the_scripts_ask_for_is_handed_over(site: Path) -> None:
    known = handed_over(site / "en" / "compare.html")["texts"]
    said = "".join(path.read_text("utf-8") for path in (site / "assets").glob("compare*.js"))
    asked = set(re.findall(r'say\.text\("(\w+)"', said)) | set(re.findall(r"content\.texts\.(\w+)", said))
    assert len(asked) > 20
    assert asked <= known.keys()


def test_a_hostile_name_stays_text(published: Published, tmp_path: Path) -> None:
    areas = {**published.areas, "XAA": Area("XAA", HOSTILE, {})}
    write_site(tmp_path, dataclasses.replace(published, areas=areas), ("en",))
    page = tmp_path / "site" / "en" / "compare.html"
    assert handed_over(page)["areas"]["XAA"] == HOSTILE
    root = html.parse(page)
    assert len(root.xpath("//script[not(@src)]")) == 0
    assert HOSTILE in root.xpath("//select[@id='a']/option/text()")


def test_a_release_without_values_has_nothing_to_compare(published: Published, tmp_path: Path) -> None:
    empty = {name: table.slice(0, 0) for name, table in published.tables.items()}
    content = Content(dataclasses.replace(published, tables=empty))
    assert list(compare.pages(content, translations("en"))) == []
    compare.write_files(tmp_path, content)
    assert list(tmp_path.iterdir()) == []


def test_the_page_of_the_documentation_names_every_part_of_an_address(root: Path, site: Path) -> None:
    text = (root / "docs" / "site.md").read_text("utf-8").split("## The compare page")[1]
    explained = set(
        re.findall(r"`(\w+)=", "".join(line for line in text.splitlines() if line.startswith("| `")))
    )
    script = (site / "assets" / "compare.js").read_text("utf-8")
    assert explained == set(re.findall(r'asked\.get\("(\w+)"\)', script)) | set(compare.DIMENSIONS)
