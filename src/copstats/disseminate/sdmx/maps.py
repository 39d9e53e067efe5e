"""Which concept of other agencies' data structures each component is."""

from __future__ import annotations

import pyarrow as pa

from copstats.disseminate.sdmx.message import Dataflow

MAP = pa.schema(
    dict.fromkeys(
        ("dataflow", "component", "code", "target_structure", "target_component", "target_code"), pa.string()
    )
)
SDG, UNICEF = "IAEG-SDGs:SDG(1.14)", "UNICEF:PT(1.0)"
_CODES = {
    (SDG, "UNIT_MEASURE"): {"PCNT": "PT"},
    (SDG, "DISABILITY_STATUS"): {"PD": "PD", "PWD": "PWD", "_T": "_T"},
}
"""Codes that another structure writes otherwise, or that are often taken for others."""


def component_map(flow: Dataflow, target: str) -> pa.Table:
    """Return one row a component that another structure has, and one a code that needs a word.

    Codes without a row are the same in both; where ``target_component`` is empty there is no such component.

    Args:
        flow: the dataflow.
        target: the other structure, `SDG` or `UNICEF`.
    """
    rows: list[dict[str, str | None]] = []
    for name, component in flow.structure.components.items():
        row = {
            "dataflow": flow.id,
            "component": name,
            "target_structure": target,
            "target_component": component.same_as.get(target),
        }
        other = _CODES.get((target, name), {})
        rows += [row, *(row | {"code": code, "target_code": theirs} for code, theirs in other.items())]
    return pa.Table.from_pylist(rows, schema=MAP)
