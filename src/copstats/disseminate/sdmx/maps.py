"""Which concept of other agencies' data structures each component is."""

from __future__ import annotations

import pyarrow as pa

from copstats.disseminate.sdmx.message import Dataflow
from copstats.framework.structure import group_code

MAP = pa.schema(
    dict.fromkeys(
        ("dataflow", "component", "code", "target_structure", "target_component", "target_code"), pa.string()
    )
)
SDG, UNICEF = "IAEG-SDGs:SDG(1.14)", "UNICEF:PT(1.0)"
_GROUPS = {
    **{group_code("m49_region", code): str(int(code)) for code in ("002", "009", "019", "142", "150")},
    **{group_code(scheme, "1"): code for scheme, code in (("ldc", "199"), ("lldc", "432"), ("sids", "722"))},
}
_CODES = {
    (SDG, "SEX"): {"_T": "_T", "F": "F", "M": "M", "O": "_O"},
    (SDG, "UNIT_MEASURE"): {"PCNT": "PT"},
    (SDG, "DISABILITY_STATUS"): {"PD": "PD", "PWD": "PWD", "_T": "_T"},
    (SDG, "REF_AREA"): _GROUPS,
}
"""Codes that the SDG structure writes otherwise, or that are often taken for others."""
_ONLY_THERE = {
    SDG: (*("REPORTING_TYPE", "OCCUPATION", "CUST_BREAKDOWN", "COMPOSITE_BREAKDOWN", "ACTIVITY", "PRODUCT"),),
    UNICEF: ("NUMBER_CHLD",),
}
"""Dimensions that another structure asks for and this one has not."""


def component_map(flow: Dataflow, target: str) -> pa.Table:
    """Return which component is which in another structure, and codes that are known to correspond.

    Where ``target_component`` is empty there is no such component; where ``component`` is, the other
    structure alone has it. Codes without a row are not mapped: areas are ISO 3166-1 alpha-3 here and M49 in
    the SDG structure, and neither structure has codes for these indicators or all of these ages.

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
        of_regions = flow.table == "aggregate_value"
        other = {} if name == "REF_AREA" and not of_regions else _CODES.get((target, name), {})
        rows += [row, *(row | {"code": code, "target_code": theirs} for code, theirs in other.items())]
    common: dict[str, str | None] = {"dataflow": flow.id, "target_structure": target}
    rows += [common | {"target_component": name} for name in _ONLY_THERE[target]]
    return pa.Table.from_pylist(rows, schema=MAP)
