"""What the restricted side would say of differences in the hand-made releases."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from copstats.store.schemas import DIMENSIONS, GROUP_ERRORS, ROUND_PAIRS

EARLIER, LATER = "XAA_2023_COPS_v01_M", "XAA_2026_COPS_v01_M"


def pair(**changed: Any) -> dict[str, Any]:
    """The national RCD4 of two rounds, with some columns changed."""
    plain = {
        "source_from": EARLIER,
        "source_to": LATER,
        "indicator": "RCD4",
        **dict.fromkeys(DIMENSIONS, "_T"),
        "comparability": "B",
        "comparability_reasons": "recall;translation_unknown",
        "samples": "independent",
        "se": 0.01745,
        "df": 112,
    }
    return plain | changed


def group(**changed: Any) -> dict[str, Any]:
    """Girls and boys, with some columns changed."""
    plain = {
        "submission_id": LATER,
        "indicator": "RCD4",
        "dimension": "sex",
        "group_a": "F",
        "group_b": "M",
        "samples": "covariance",
        "se": 0.0191,
        "df": 56,
    }
    return plain | changed


def round_pairs(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=ROUND_PAIRS)


def group_errors(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=GROUP_ERRORS)
