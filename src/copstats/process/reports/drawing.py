"""Geometry of the pictures on the page: a histogram of weights and strips of answers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import groupby, pairwise

from copstats.framework import Framework
from copstats.language import N_, Translations
from copstats.process.pictures import AnswerCounts, WeightBars

WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM, TOP = 640, 240, 56, 28, 46, 30
"""Size of the histogram in its own units, and the room for its axes."""
CANVAS = {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT, "base": HEIGHT - BOTTOM}
"""What the template needs of these."""
_LABELS = 8
_LONG_NUMBER = 6
_DIGITS = 3

PARTS = {
    "valid": N_("valid answer"),
    "skipped": N_("not applicable (-7)"),
    "not_asked": N_("not asked (-1)"),
    "unknown": N_("does not know (-8)"),
    "refused": N_("prefers not to say (-9)"),
    "blank": N_("empty or unreadable"),
}
"""Part of a strip -> what it stands for, in the order in which they are drawn."""


@dataclass(frozen=True)
class Bar:
    """A bar of the histogram: its place, and a text to be read when it is pointed at."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Histogram:
    """The drawn histogram.

    Attributes:
        bars: from left to right.
        ticks: marks on the horizontal axis.
        levels: marks on the vertical axis.
        description: the picture in words.
    """

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    levels: tuple[Tick, ...]
    description: str


@dataclass(frozen=True)
class Strip:
    """The cells of one variable, or of a module, as shares of 100.

    Attributes:
        name: variable; empty for a module.
        label: of the variable or the module.
        shares: part -> share; empty where the file lacks the variable.
        text: the shares in words.
    """

    name: str
    label: str
    shares: dict[str, float]
    text: str


@dataclass(frozen=True)
class ModuleStrips:
    """Strips of a module: all its cells together, and each variable."""

    record: str
    whole: Strip
    variables: tuple[Strip, ...]


def histogram(bars: WeightBars, words: Translations) -> Histogram:
    """Draw the histogram; the axis runs from left to right in every language."""
    high = _ceiling(max(bars.counts))
    step = (WIDTH - LEFT - RIGHT) / len(bars.counts)
    room = HEIGHT - TOP - BOTTOM
    drawn = []
    for number, ((low, upper), count) in enumerate(zip(pairwise(bars.edges), bars.counts, strict=True)):
        height = round(room * count / high, 1)
        text = words.text(
            "{low} to under {high}: {count}",
            low=_written(low, words),
            high=_written(upper, words),
            count=words.number(count),
        )
        drawn.append(
            Bar(round(LEFT + number * step, 1), TOP + room - height, round(step - 1, 1), height, text)
        )
    every = math.ceil((len(bars.edges) - 1) / _LABELS)
    ticks = tuple(
        Tick(round(LEFT + number * step, 1), _written(edge, words))
        for number, edge in enumerate(bars.edges)
        if number % every == 0
    )
    levels = tuple(
        Tick(round(TOP + room - room * part / 2, 1), words.number(high * part / 2)) for part in range(3)
    )
    description = words.text(
        "Records: {count}. Weights lie between {low} and {high}.",
        count=words.number(sum(bars.counts)),
        low=_written(bars.edges[0], words),
        high=_written(bars.edges[-1], words),
    )
    return Histogram(tuple(drawn), ticks, levels, description)


def _ceiling(count: int) -> int:
    """Return a round even number that is not below a count."""
    magnitude = int("1" + "0" * (len(str(count)) - 1))
    rounds = (2, 4, 6, 8, 10) if magnitude == 1 else (1, 2, 3, 4, 5, 6, 8, 10)
    return next(number * magnitude for number in rounds if number * magnitude >= count)


def _written(value: float, words: Translations) -> str:
    """Write a limit with three significant digits; a power of ten where that would be long."""
    if value == 0:
        return words.number(0)
    digits = math.floor(math.log10(abs(value)))
    if abs(digits) >= _LONG_NUMBER:
        return f"{value:.0e}"
    decimals = f"{value:.{max(0, _DIGITS - 1 - digits)}f}".partition(".")[2].rstrip("0")
    return words.number(value, len(decimals))


def strips(
    answers: Iterable[AnswerCounts], framework: Framework, words: Translations
) -> tuple[ModuleStrips, ...]:
    """Return the strips of all variables by module, in the order of the questionnaire."""
    out = []
    for (record, module), counted in groupby(answers, key=lambda one: (one.record, one.module)):
        variables = tuple(counted)
        title = words.text(framework.modules[module].title)
        held = [one for one in variables if not one.absent]
        sums = {part: sum(getattr(one, part) for one in held) for part in PARTS}
        out.append(
            ModuleStrips(
                record,
                _strip("", title, sums, words),
                tuple(_strip(v.variable, words.text(v.label), _counts(v), words) for v in variables),
            )
        )
    return tuple(out)


def _counts(answers: AnswerCounts) -> dict[str, int]:
    names = [one.name for one in fields(answers)]
    return {} if answers.absent else {part: getattr(answers, part) for part in PARTS if part in names}


def _strip(name: str, label: str, counts: dict[str, int], words: Translations) -> Strip:
    total = sum(counts.values())
    shares = {part: round(100 * count / total, 2) for part, count in counts.items()} if total else {}
    said = [
        words.text(
            "{part}: {share} %", part=words.text(PARTS[part]), share=words.number(share, share % 1 > 0)
        )
        for part, share in shares.items()
        if share
    ]
    return Strip(name, label, shares, "; ".join(said) or words.text("The file does not hold this variable."))
