"""Which concepts and codes of other agencies' data structures ours are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa

from copstats.disseminate.sdmx.message import Dataflow
from copstats.framework.export.published import CodeTable
from copstats.framework.structure import Component

MAP = pa.schema(
    dict.fromkeys(
        ("dataflow", "component", "code", "target_structure", "target_component", "target_code"), pa.string()
    )
)
SDG, UNICEF = "IAEG-SDGs:SDG(1.14)", "UNICEF:PT(1.0)"
_ONLY_THERE = {
    SDG: (*("REPORTING_TYPE", "OCCUPATION", "CUST_BREAKDOWN", "COMPOSITE_BREAKDOWN", "ACTIVITY", "PRODUCT"),),
    UNICEF: ("NUMBER_CHLD",),
}
"""Dimensions that another structure asks for and this one has not."""


def structure_map(flow: Dataflow, target: str, codes: Mapping[str, CodeTable]) -> pa.Table:
    """Return which component and which code is which in another structure.

    A row without ``code`` is of the component. Where ``target_component`` or ``target_code`` is empty, there
    is no such component or code; where ``component`` is, the other structure alone has it. Codes of lists
    that were not compared have no rows.

    Args:
        flow: the dataflow.
        target: the other structure, `SDG` or `UNICEF`.
        codes: code lists by identifier, see `copstats.framework.export.published.code_tables`.
    """
    common: dict[str, str | None] = {"dataflow": flow.id, "target_structure": target}
    rows = []
    for name, component in flow.structure.components.items():
        row = common | {"component": name, "target_component": component.same_as.get(target)}
        same = _codes(flow, component, target, codes)
        rows += [row, *(row | {"code": code, "target_code": theirs} for code, theirs in same)]
    rows += [common | {"target_component": name} for name in _ONLY_THERE[target]]
    return pa.Table.from_pylist(rows, schema=MAP)


def _codes(
    flow: Dataflow, component: Component, target: str, codes: Mapping[str, CodeTable]
) -> Iterator[tuple[str, str | None]]:
    if component.codelist is None:
        return
    same = flow.structure.codelists[component.codelist].same_as.get(target)
    if same is not None:
        theirs = same.codes
        yield from ((code, theirs.get(code)) for code in codes[component.codelist].codes)
