"""Charts show the numbers that they are given, in every language, and are valid Vega-Lite."""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import pairwise

import jsonschema
import pytest

from copstats.disseminate.charts import (
    Bar,
    Mark,
    Point,
    Series,
    Spec,
    Style,
    bar_chart,
    interval_chart,
    paired_chart,
    reading_aid,
    render_svg,
    trend_chart,
)
from copstats.disseminate.charts.theme import COLOURS, SHAPES
from copstats.language import LANGUAGES, Translations
from tests.disseminate.charts.drawn import axis, intervals, points, texts, things

COUNTRIES = [
    Mark("Kenya", 41.5, 38.0, 45.25, note="2025"),
    Mark("Bolivia (Plurinational State of)", 63.0, 55.5, 71.0, note="2024", weak=True),
    Mark("United Kingdom of Great Britain and Northern Ireland", 12.25, 10.0, 14.75, note="2023"),
    Mark("Nauru", 63.0),
]
PAIRS = [
    Mark("Kenya", 41, 38, 45, group="Girls"),
    Mark("Kenya", 35, 31, 39, group="Boys"),
    Mark("Nauru", 12, 10, 14, group="Girls"),
    Mark("Peru", 20, 17, 24, group="Boys"),
    Mark("Peru", 60, 52, 68, group="Girls", weak=True),
]
WAVES = [
    Series("Kenya", [Point(2025, 50, 44, 56, broken=True), Point(2020, 30, 25, 35), Point(2023, 36, 33, 40)]),
    Series("Peru", [Point(2021, 40, weak=True), Point(2025, 45, 40, 49)]),
]
COUNTS = [Bar("Africa", 3, "Published"), Bar("Africa", 2, "Held"), Bar("Asia", 4, "Held")]
SHAPED = pytest.mark.parametrize("style", [Style(), Style(width=360), Style("ar"), Style("ar", width=360)])


def every(style: Style) -> dict[str, Spec]:
    """One chart of each kind."""
    return {
        "intervals": interval_chart(COUNTRIES, style, reference=44, reference_label="Africa: mean"),
        "pairs": paired_chart(PAIRS, style),
        "trend": trend_chart(WAVES, style),
        "bars": bar_chart(COUNTS, style),
    }


def svg_of(spec: Spec) -> str:
    return render_svg([spec])[0]


@SHAPED
def test_intervals_are_drawn_where_the_numbers_say(style: Style) -> None:
    svg = svg_of(interval_chart(COUNTRIES, style, order="given"))
    origin, unit = axis(svg)
    assert (unit < 0) is style.mirrored
    drawn = points(svg)
    assert [thing.x for thing in drawn] == pytest.approx(
        [origin + unit * mark.value for mark in COUNTRIES], abs=0.02
    )
    known = [mark for mark in COUNTRIES if mark.lower is not None and mark.upper is not None]
    assert len(intervals(svg)) == len(known) == 3
    for mark, line in zip(known, intervals(svg), strict=True):
        ends = sorted([origin + unit * (mark.lower or 0), origin + unit * (mark.upper or 0)])
        assert list(line.ends) == pytest.approx(ends, abs=0.02)


def test_rows_fall_by_value_and_equal_ones_stay_as_given() -> None:
    svg = svg_of(interval_chart(COUNTRIES, Style()))
    names = [thing.text for thing in texts(svg) if thing.attributes.get("text-anchor") == "end"]
    assert [name.split()[0] for name in names] == ["Bolivia", "Nauru", "Kenya", "United", "Northern"]
    assert [thing.x for thing in points(svg)] == sorted((thing.x for thing in points(svg)), reverse=True)


def test_each_name_stands_at_the_height_of_its_marks() -> None:
    svg = svg_of(interval_chart([mark for mark in COUNTRIES if len(mark.label) < 40], Style()))
    names = [thing.y - 4.55 for thing in texts(svg) if thing.attributes.get("text-anchor") == "end"]
    assert names == pytest.approx([thing.y for thing in points(svg)], abs=0.02)


def test_a_reference_is_a_named_line_at_its_value() -> None:
    svg = svg_of(every(Style())["intervals"])
    origin, unit = axis(svg)
    (line,) = [thing for thing in things(svg) if thing.attributes.get("stroke-dasharray")]
    assert line.x == pytest.approx(origin + 44 * unit, abs=0.02)
    assert "Africa: mean" in [thing.text for thing in texts(svg)]


def test_low_reliability_is_hollow() -> None:
    svg = svg_of(interval_chart(COUNTRIES, Style(), order="given"))
    assert [len(points(svg, hollow=hollow)) for hollow in (True, False)] == [1, 3]
    assert points(svg, hollow=True)[0].y == points(svg)[1].y


@SHAPED
def test_pairs_keep_their_colours_and_the_widest_distance_is_first(style: Style) -> None:
    svg = svg_of(paired_chart(PAIRS, style))
    origin, unit = axis(svg)
    # The legend takes the first two symbols.
    drawn = [(round((thing.x - origin) / unit), thing.attributes["stroke"]) for thing in points(svg)[2:]]
    girls, boys = COLOURS[:2]
    assert drawn == [(60, girls), (20, boys), (41, girls), (35, boys), (12, girls)]
    assert [thing.text for thing in texts(svg)][:2] != []
    shaded = [
        thing for thing in things(svg) if thing.attributes.get("opacity") == "0.15" and thing.kind == "path"
    ]
    assert len(shaded) == 2


def test_two_groups_differ_in_shape_too() -> None:
    girl, boy = points(svg_of(paired_chart(PAIRS[:2], Style())))[2:]
    assert girl.attributes["d"] != boy.attributes["d"]


@SHAPED
def test_a_trend_stands_at_its_heights(style: Style) -> None:
    svg = svg_of(trend_chart(WAVES[:1], style))
    anchor = "start" if style.mirrored else "end"
    numbers = [
        (float(thing.text), thing.y - 4.55)
        for thing in texts(svg)
        if thing.attributes.get("text-anchor", "start") == anchor and thing.text.isdigit()
    ]
    (low, bottom), (high, top) = min(numbers), max(numbers)

    def height(value: float) -> float:
        return bottom + (value - low) / (high - low) * (top - bottom)

    assert [thing.y for thing in points(svg)] == pytest.approx([height(v) for v in (50, 36, 30)], abs=0.02)
    assert sorted(thing.heights for thing in intervals(svg)) == [
        pytest.approx((height(upper), height(lower)), abs=0.02)
        for lower, upper in ((44, 56), (33, 40), (25, 35))
    ]
    newest, *_, oldest = points(svg)
    assert (newest.x < oldest.x) is style.mirrored


def test_a_break_in_comparability_breaks_the_line() -> None:
    whole = [Series("Kenya", [Point(point.year, point.value) for point in WAVES[0].points])]

    def lines(series: list[Series]) -> list[str]:
        drawn = things(svg_of(trend_chart(series, Style())))
        return [
            thing.attributes["d"]
            for thing in drawn
            if thing.attributes.get("stroke-width") == "2" and "L" in thing.attributes.get("d", "")
        ]

    assert [line.count("L") for line in lines(whole)] == [2]
    assert [line.count("L") for line in lines(WAVES[:1])] == [1]


def test_bars_stand_behind_each_other_and_end_with_their_sum() -> None:
    spec = bar_chart(COUNTS, Style())
    boxes = [
        (box["lower"], box["upper"], box["group"])
        for layer in spec["layer"]
        if layer["mark"]["type"] == "rect"
        for box in layer["data"]["values"]
    ]
    assert boxes == [(0, 3, 0), (3, 5, 1), (0, 4, 1)]
    assert {"5", "4", "Published", "Held"} <= {thing.text for thing in texts(svg_of(spec))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_are_written_as_the_language_does(language: str) -> None:
    svg = svg_of(bar_chart([Bar("x", 12_345)], Style(language)))
    assert Translations(language).number(12_345) in [thing.text for thing in texts(svg)]


def test_arabic_is_mirrored() -> None:
    written = [
        thing for thing in texts(svg_of(interval_chart(COUNTRIES, Style("ar")))) if thing.text == "Kenya"
    ]
    latin = [
        thing for thing in texts(svg_of(interval_chart(COUNTRIES, Style("en")))) if thing.text == "Kenya"
    ]
    assert written[0].x == pytest.approx(640 - latin[0].x, abs=0.02)
    assert latin[0].attributes["text-anchor"] == "end"
    assert "text-anchor" not in written[0].attributes


@pytest.mark.parametrize("style", [Style(), Style("ar", width=360)])
def test_specifications_are_valid_vega_lite(style: Style) -> None:
    schema = json.loads(
        files("altair.vegalite.v6.schema").joinpath("vega-lite-schema.json").read_text("utf-8")
    )
    validator = jsonschema.Draft7Validator(schema)
    empty = [interval_chart([], style), paired_chart([], style), trend_chart([], style), bar_chart([], style)]
    for spec in [*every(style).values(), *empty]:
        assert not [error.message[:200] for error in validator.iter_errors(spec)]


def test_without_values_there_is_an_empty_frame_with_its_title() -> None:
    specs = [interval_chart([], Style(axis_title="Percent")), trend_chart([], Style(axis_title="Percent"))]
    for svg in render_svg(specs):
        assert [thing.text for thing in texts(svg)] == ["Percent"]


def test_colours_are_told_apart_from_both_backgrounds() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for colour in COLOURS:
        for page in ("#FFFFFF", "#121212"):
            dark, light = sorted([luminance(colour), luminance(page)])
            assert (light + 0.05) / (dark + 0.05) >= 3, (colour, page)
    assert len(set(SHAPES)) == len(COLOURS)


def test_the_reading_aid_names_only_what_is_drawn() -> None:
    words = Translations("en")
    lengths = [
        len(reading_aid(words)),
        len(reading_aid(words, weak=True)),
        len(reading_aid(words, weak=True, broken=True)),
    ]
    assert all(shorter < longer for shorter, longer in pairwise(lengths))
    assert "hollow" in reading_aid(words, weak=True)
