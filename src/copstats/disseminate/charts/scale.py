"""Axis of values: round ends and steps, the same as D3 takes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_TINY = 1e-9
"""Share of a step within which a number is a tick, whatever binary arithmetic makes of it."""


@dataclass(frozen=True)
class Scale:
    """A linear axis.

    Attributes:
        lowest: value at its start.
        highest: value at its end.
        step: distance of its numbers.
    """

    lowest: float
    highest: float
    step: float

    @property
    def ticks(self) -> list[float]:
        """Values that are written along the axis."""
        count = round((self.highest - self.lowest) / self.step)
        return [_clean(self.lowest + k * self.step) for k in range(count + 1)]

    def share(self, value: float) -> float:
        """Return where a value stands: 0 at the start of the axis, 1 at its end."""
        return (value - self.lowest) / (self.highest - self.lowest)

    @property
    def decimals(self) -> int:
        """Decimals that the numbers along the axis need."""
        return max(0, -math.floor(math.log10(self.step) + 1e-9))

    def encoding(self, field: str, *, mirrored: bool = False) -> dict[str, Any]:
        """Return the encoding of a column of values; the frame writes the numbers of the axis.

        Args:
            field: name of the column.
            mirrored: whether a horizontal axis runs from right to left.
        """
        scale = {"domain": [self.lowest, self.highest], "nice": False, "zero": False, "reverse": mirrored}
        return {"field": field, "type": "quantitative", "axis": None, "scale": scale}


def round_scale(values: Iterable[float], *, steps: int, zero: bool) -> Scale:
    """Return a scale with round ends that holds all values.

    Steps are 1, 2 or 5 times a power of ten, whichever comes nearest in proportion (thresholds of d3-array,
    ``tickIncrement``).

    Args:
        values: finite; none give the scale from 0 to 1.
        steps: how many are wanted, roughly.
        zero: whether it starts at zero if no value is below it.
    """
    known = list(values) or [0.0, 1.0]
    lowest, highest = min(known), max(known)
    if zero and lowest > 0:
        lowest = 0.0
    if highest == lowest:
        highest = lowest + (abs(lowest) or 1.0)
    step = _round_step((highest - lowest) / max(1, steps))
    start = math.floor(lowest / step + _TINY) * step
    end = math.ceil(highest / step - _TINY) * step
    return Scale(_clean(start), _clean(end), step)


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    error = raw / power
    factor = (
        10 if error >= math.sqrt(50) else 5 if error >= math.sqrt(10) else 2 if error >= math.sqrt(2) else 1
    )
    return _clean(factor * power)


def _clean(value: float) -> float:
    """Drop what binary arithmetic leaves behind the twelfth digit."""
    return float(f"{value:.12g}")
