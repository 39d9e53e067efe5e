"""Hand-made estimates: one plain cell of which a test changes what it is about."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from copstats.store.schemas import DIMENSIONS, ESTIMATES

SUBMISSION = "XAA_2026_COPS_v01_M"
FREE = {SUBMISSION: "disaggregated"}

PLAIN: dict[str, Any] = {
    "submission_id": SUBMISSION,
    "ref_area": "XAA",
    "survey": "COPS",
    "reference_year": 2026,
    "indicator": "RCD4",
    "tier": "A",
    "unit": "PERCENT",
    "disaggregation": "total",
    **dict.fromkeys(DIMENSIONS, "_T"),
    "state": "estimated",
    "absent_reason": None,
    "absent_detail": None,
    "n": 1500,
    "events": 375,
    "eligible": 1560,
    "weight": 1.2e6,
    "nonresponse": 0.038,
    "psus": 60,
    "strata": 4,
    "df": 56,
    "estimate": 0.24649,
    "se": 0.01234,
    "ci_lower": 0.2231,
    "ci_upper": 0.2719,
    "deff": 1.2,
    "n_effective": 1250.0,
    "kg_lower": 0.22,
    "kg_upper": 0.273,
    "largest_psu_share": 0.02,
    "largest_weight_share": 0.002,
    "reliability": "reliable",
    "comparability": "B",
    "comparability_reasons": "recall;translation_unknown",
}

ABSENT: dict[str, Any] = {
    **PLAIN,
    "state": "absent",
    "absent_reason": "not_asked",
    "absent_detail": "rcd_cybervic",
    **dict.fromkeys(("n", "events", "eligible", "psus", "strata"), 0),
    **dict.fromkeys(
        (
            "weight",
            "nonresponse",
            "df",
            "estimate",
            "se",
            "ci_lower",
            "ci_upper",
            "deff",
            "n_effective",
            "kg_lower",
        ),
        None,
    ),
    **dict.fromkeys(("kg_upper", "largest_psu_share", "largest_weight_share", "reliability"), None),
}


def cell(**changed: Any) -> dict[str, Any]:
    """Return the plain cell with some columns changed; its weight is that of so many answers."""
    assert changed.keys() <= PLAIN.keys()
    n = changed.get("n", PLAIN["n"])
    return PLAIN | {"weight": None if n is None else 800.0 * n} | changed


def table(*cells: dict[str, Any]) -> pa.Table:
    """Return cells as the restricted table; NULLs are let through, as a damaged table would have them."""
    loose = pa.schema([field.with_nullable(True) for field in ESTIMATES])
    return pa.Table.from_pylist(list(cells), schema=loose)
