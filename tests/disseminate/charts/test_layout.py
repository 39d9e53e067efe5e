"""Axes hold their values and lines of text fit, for any numbers and words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copstats.disseminate.charts.letters import text_width, wrapped
from copstats.disseminate.charts.scale import round_scale

NUMBERS = st.lists(st.floats(-1e9, 1e9).map(lambda value: round(value, 4)), min_size=1, max_size=8)
LETTERS = st.text("abc mW (.,)آبجдеж中国\uff08\uff09", max_size=60)


@given(NUMBERS, st.integers(2, 8), st.booleans())
def test_an_axis_holds_its_values_with_round_steps(values: list[float], steps: int, zero: bool) -> None:
    scale = round_scale(values, steps=steps, zero=zero)
    room = 1e-6 * scale.step
    assert scale.lowest - room <= min(values)
    assert max(values) <= scale.highest + room
    assert scale.lowest <= 0 or not zero
    assert round(scale.step / 10 ** math.floor(math.log10(scale.step) + 1e-9), 6) in {1, 2, 5}
    assert scale.ticks[0] == scale.lowest
    assert scale.ticks[-1] == pytest.approx(scale.highest)
    assert 2 <= len(scale.ticks) <= 2 * steps + 3
    assert [round(tick, scale.decimals) for tick in scale.ticks] == pytest.approx(scale.ticks)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([3, 97.2], [0, 20, 40, 60, 80, 100]),
        ([0.12, 0.31], [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35]),
        ([-4, 7], [-4, -2, 0, 2, 4, 6, 8]),
        ([0], [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ([], [0, 0.2, 0.4, 0.6, 0.8, 1]),
    ],
)
def test_axes_known_by_hand(values: list[float], ticks: list[float]) -> None:
    assert round_scale(values, steps=5, zero=True).ticks == ticks


@given(LETTERS, st.integers(30, 300))
def test_lines_fit_and_lose_no_letter(text: str, room: int) -> None:
    lines = wrapped(text, 13, room)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(text_width(line, 13) <= room for line in lines if len(line) > 1)


def test_lines_break_between_words_and_ideographs() -> None:
    assert wrapped("Northern Ireland", 13, 80) == ["Northern", "Ireland"]
    lines = wrapped("儿童所占比例\uff08百分比\uff09。", 13, 100)
    assert len(lines) > 1
    assert not any(line.endswith("\uff08") or line[0] in "\uff09。" for line in lines)
