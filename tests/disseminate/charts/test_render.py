"""Pictures: the same bytes each time, nothing in them that a strict page refuses, and texts as they are."""

from __future__ import annotations

import re
import struct
import zlib

import pytest

from copstats.disseminate.charts import (
    Mark,
    Style,
    interval_chart,
    javascript_bundle,
    letters_available,
    render_png,
    render_svg,
)
from tests.disseminate.charts.drawn import parsed, texts
from tests.disseminate.charts.test_charts import every

HOSTILE = ["<script>alert('1')</script>", 'A "quoted" & <b>bold</b> name', "اليمن", "Ünïcode ]]> -->", "t0"]
WORDS = "Нарушения прав девочек "


def test_the_same_chart_gives_the_same_bytes_whatever_is_drawn_with_it() -> None:
    specs = list(every(Style()).values())
    first = render_svg(specs)
    assert [render_svg([spec])[0] for spec in reversed(specs)] == first[::-1]
    assert render_png(specs[0], 1) == render_png(specs[0], 1)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_texts_are_kept_and_are_no_markup(language: str) -> None:
    style = Style(language, title=HOSTILE[0], description=HOSTILE[1], axis_title=HOSTILE[1], name="hostile")
    marks = [Mark(label, 5 - k, note=label) for k, label in enumerate(HOSTILE)]
    (svg,) = render_svg([interval_chart(marks, style, reference=2, reference_label=HOSTILE[1])])
    root = parsed(svg)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg",
        "g",
        "path",
        "line",
        "text",
        "title",
        "desc",
    }
    # A name may be broken into lines anywhere.
    written = "".join("".join(thing.text.split()) for thing in texts(svg))
    for label in HOSTILE:
        assert written.count("".join(label.split())) >= 2, label
    assert root.findtext("{*}title") == HOSTILE[0]
    assert root.findtext("{*}desc") == HOSTILE[1]


@pytest.mark.parametrize("width", [640, 360])
def test_a_strict_page_takes_the_picture(width: int) -> None:
    for svg in render_svg(list(every(Style(width=width, title="Title", name="rcd4-total")).values())):
        assert not re.search(r" (style|on[a-z]+|href|src)=|url\(|<style|font-family", svg)
        assert svg.count("http") == 1
        root = parsed(svg)
        assert root.get("viewBox", "").split()[2] == str(width)
        assert root.get("width") == "100%"
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == "rcd4-total-title"
        assert [element.get("id") for element in root.iter() if element.get("id")] == ["rcd4-total-title"]
        assert (root.get("class") == "chart chart-narrow") is (width < 480)


def test_a_picture_without_a_title_is_hidden() -> None:
    (svg,) = render_svg([interval_chart([Mark("x", 1)], Style())])
    root = parsed(svg)
    assert root.get("aria-hidden") == "true"
    assert root.get("role") is None


@pytest.mark.parametrize("width", [640, 360])
def test_texts_stay_within_the_picture(width: int) -> None:
    marks = [Mark(WORDS * k, k, note="2025, класс A") for k in (1, 2)]
    (svg,) = render_svg([interval_chart(marks, Style("ru", width, axis_title=WORDS * 4))])
    for thing in texts(svg):
        # Seven pixels are less than the mean Cyrillic letter of 13 pixels takes in any common font.
        wide = 7 * len(thing.text)
        start = {"end": thing.x - wide, "middle": thing.x - wide / 2}.get(
            thing.attributes.get("text-anchor", ""), thing.x
        )
        assert start >= 0
        assert start + wide <= width


def test_a_png_has_the_size_asked_for_and_stands_on_white() -> None:
    spec = interval_chart([Mark("Kenya", 41, 38, 45)], Style())
    png = render_png(spec, 2)
    width, height, depth, kind = struct.unpack_from(">IIBB", png, 16)
    padding = spec["padding"]
    assert (width, depth, kind) == (1280, 8, 6)
    assert height == pytest.approx(2 * (spec["height"] + padding["top"] + padding["bottom"]), abs=1)
    start = png.index(b"IDAT")
    (length,) = struct.unpack_from(">I", png, start - 4)
    body = png[start + 4 : start + 4 + length]
    assert zlib.crc32(png[start : start + 4 + length]) == struct.unpack_from(">I", png, start + 4 + length)[0]
    pixels = zlib.decompress(body)
    assert len(pixels) == height * (1 + 4 * width)
    assert pixels[1:5] == b"\xff\xff\xff\xff"


def test_letters_of_latin_and_cyrillic_are_always_there() -> None:
    assert letters_available("en")
    assert letters_available("ru")


def test_the_bundle_is_one_script_with_an_interpreter_of_expressions() -> None:
    script = javascript_bundle()
    assert "window.vegaEmbed=" in script
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
    assert ".ast" in script
    assert len(script) < 1_200_000
