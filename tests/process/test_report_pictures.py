"""What the pictures of the report count, held against hand-made files and numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.framework import Framework
from copstats.language import translations
from copstats.process.pictures import AnswerCounts, WeightBars
from copstats.process.reports.drawing import HEIGHT, PARTS, WIDTH, histogram, strips
from tests.process.material import Submission, manifest
from tests.process.reporting import children, drawn

ENGLISH = translations("en")


def test_answers_are_counted_by_kind(small: Framework) -> None:
    rows = children(6)
    for row, score in zip(rows, (5.0, -7.0, -8.0, -9.0, -1.0, None), strict=True):
        row["score"] = score
        row["weight"] = -8.0
    counted = {(a.record, a.variable): a for a in drawn(small, rows).answers}
    score = AnswerCounts("child", "online", "score", "Score", False, 1, 1, 1, 1, 1, 1)
    assert counted["child", "score"] == score
    # A design variable takes no missing code: -8 is a number there, and a wrong one.
    assert counted["child", "weight"].valid == 6
    assert counted["child", "int_lang"].valid == 6
    assert ("child", "repw") not in counted
    assert counted["parent", "parent_id"].valid == 6


def test_a_variable_that_is_not_in_the_file_is_told(small: Framework) -> None:
    rows = children(4)
    for row in rows:
        del row["score"]
    pictures = drawn(small, rows)
    assert [a.variable for a in pictures.answers if a.absent] == ["score"]
    (online,) = [m for m in strips(pictures.answers, small, ENGLISH) if m.whole.label == "Online"]
    absent = next(strip for strip in online.variables if strip.name == "score")
    assert absent.shares == {}
    assert "does not hold" in absent.text


def test_shares_of_a_strip_add_to_the_whole(small: Framework) -> None:
    for module in strips(drawn(small, children()).answers, small, ENGLISH):
        for strip in (module.whole, *module.variables):
            assert set(strip.shares) == set(PARTS)
            assert sum(strip.shares.values()) == pytest.approx(100, abs=0.05)


def test_the_sample_at_a_glance(small: Framework) -> None:
    rows = children(4)
    places = [("S1", "P1"), ("S1", "P2"), ("S2", "P1"), ("S2", "P1")]
    for row, (stratum, psu), weight in zip(rows, places, (1.0, 1.0, 1.0, 3.0), strict=True):
        row |= {"stratum": stratum, "psu": psu, "weight": weight}
    child = drawn(small, rows).designs[0]
    assert (child.records, child.strata, child.psus) == (4, 2, 3)
    assert child.kish == pytest.approx(4 * 12 / 36)


def test_weights_that_are_no_weights_are_left_out(small: Framework) -> None:
    rows = children(5)
    for row, weight in zip(rows, (2.0, None, 0.0, -4.0, float("inf")), strict=True):
        row["weight"] = weight
    pictures = drawn(small, rows)
    assert sum(pictures.weights["child"].counts) == 1
    assert pictures.designs[0].kish == pytest.approx(1)


def test_a_file_without_records_or_weights_has_no_histogram(small: Framework) -> None:
    rows = children(2)
    for row in rows:
        row["weight"] = 0.0
    pictures = drawn(small, rows)
    assert "child" not in pictures.weights
    assert pictures.designs[0].kish is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(1e-300, 1e300, allow_nan=False), min_size=1, max_size=30)
    | st.lists(st.floats(0.5, 20), min_size=1, max_size=60)
    | st.lists(st.sampled_from([1.0, 1.0 + 1e-12, 10.0, 1e5]), min_size=1, max_size=5)
)
def test_a_histogram_counts_every_weight_once(weights: list[float]) -> None:
    from copstats.process.pictures import BARS, WIDE, _weights
    from copstats.store.engine import memory_connection

    with memory_connection(threads=1) as connection:
        connection.execute("CREATE TABLE child (weight DOUBLE)")
        connection.executemany("INSERT INTO child VALUES (?)", [[weight] for weight in weights])
        bars = _weights(connection, "child")
    assert bars is not None
    assert sum(bars.counts) == len(weights)
    assert len(bars.counts) == len(bars.edges) - 1 <= BARS + 2
    assert all(low < high for low, high in zip(bars.edges, bars.edges[1:], strict=False))
    assert bars.logarithmic == (max(weights) / min(weights) > WIDE)
    if not bars.logarithmic:
        assert bars.edges[0] <= min(weights) * (1 + 1e-9)
        assert bars.edges[-1] >= max(weights) * (1 - 1e-9)


def test_the_limits_of_the_histogram_are_not_those_of_a_record(small: Framework) -> None:
    rows = children()
    weights = [row["weight"] for row in rows]
    bars = drawn(small, rows).weights["child"]
    assert not {min(weights), max(weights)} & set(bars.edges)
    counted, _ = np.histogram(weights, bars.edges)
    assert counted.tolist() == list(bars.counts)


def test_bars_stay_inside_the_picture() -> None:
    made = histogram(WeightBars((0.0, 5.0, 10.0, 15.0), (1, 209, 0), False), ENGLISH)
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH and bar.y >= 0 for bar in made.bars)
    assert all(bar.y + bar.height <= HEIGHT for bar in made.bars)
    assert [level.text for level in made.levels] == ["0", "150", "300"]
    assert [tick.text for tick in made.ticks] == ["0", "5", "10", "15"]
    assert made.bars[1].text == "5 to under 10: 209"
    assert made.description == "Records: 210. Weights lie between 0 and 15."


def test_a_logarithmic_axis_has_readable_marks() -> None:
    edges = tuple(10.0**number for number in range(-7, 9))
    made = histogram(WeightBars(edges, (1,) * 15, True), ENGLISH)
    assert made.ticks[0].text == "1e-07"
    assert "1,000" in {tick.text for tick in made.ticks} | {"1,000"}
    assert len(made.ticks) <= 9


def test_pictures_of_a_single_file(small: Framework) -> None:
    from copstats.process.pictures import pictures
    from copstats.process.records import record_tables

    made = Submission().add(small, "child", children(3))
    tables = record_tables(small, manifest(), made, None)
    assert [design.record for design in pictures(made.connection, tables, small).designs] == ["child"]
