from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from copstats.analyse.reliability import load_standard, reliability_flags

GOOD = {
    "proportion": True,
    "estimate": 0.30,
    "se": 0.02,
    "n": 600,
    "events": 180,
    "df": 40,
    "n_effective": 500.0,
    "kg_lower": 0.26,
    "kg_upper": 0.34,
}


def flag(**change: Any) -> str | None:
    (found,) = reliability_flags(pa.Table.from_pylist([GOOD | change]), load_standard())
    return found


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "reliable"),
        ({"n": 29}, "unreliable"),
        ({"n": 30, "events": 9, "n_effective": 30.0}, "reliable"),
        ({"n_effective": 29.9}, "unreliable"),
        ({"kg_lower": 0.15, "kg_upper": 0.45}, "unreliable"),
        ({"kg_lower": 0.16, "kg_upper": 0.45}, "reliable"),
        # 0.06 wide, 1.5 times the estimate; 0.05 wide is precise enough for any estimate.
        ({"estimate": 0.04, "kg_lower": 0.02, "kg_upper": 0.08}, "unreliable"),
        ({"estimate": 0.04, "kg_lower": 0.03, "kg_upper": 0.08}, "reliable"),
        ({"df": 7}, "review"),
        ({"df": 8}, "reliable"),
        ({"events": 0, "estimate": 0.0, "kg_lower": 0.0, "kg_upper": 0.01}, "review"),
        ({"events": 600, "estimate": 1.0, "kg_lower": 0.99, "kg_upper": 1.0}, "review"),
        ({"kg_lower": None, "kg_upper": None, "n_effective": None, "df": 0}, "unreliable"),
        ({"estimate": None, "n": 0, "events": 0, "df": None}, None),
    ],
)
def test_proportions(change: dict[str, Any], expected: str | None) -> None:
    assert flag(**change) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "reliable"),
        ({"n": 29}, "unreliable"),
        ({"n": 59}, "review"),
        ({"se": 0.6}, "review"),
        ({"df": 7}, "review"),
        ({"se": None}, "unreliable"),
    ],
)
def test_means(change: dict[str, Any], expected: str) -> None:
    mean = {"proportion": False, "estimate": 2.0, "se": 0.1, "n": 60, "kg_lower": None, "kg_upper": None}
    assert flag(**(mean | change)) == expected
