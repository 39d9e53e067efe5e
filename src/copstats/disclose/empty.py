"""Groups without a record: a published table has a row for them too.

A follow-up question is asked of those who said yes to another. A row that is missing because nobody was asked
would tell that nobody said yes, where the other indicator's cell is withheld, or coded so that none and a few
look alike.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from copstats.disclose.sql import render
from copstats.framework.loader import Framework, ParsedIndicator
from copstats.store.engine import memory_connection
from copstats.store.schemas import DIMENSIONS, ESTIMATES

_COMMON_AGE = "common_age"
_NOBODY = "no_eligible_records"


def with_empty_groups(estimates: pa.Table, framework: Framework) -> pa.Table:
    """Return estimates with a row for every group of each table of an indicator.

    The groups of a table are those that it has for any indicator of the same wave and kind of record; of age
    groups, those of any indicator that speaks of the same ages. An indicator that is absent because nobody
    was eligible gets rows too; one that is absent for another reason stays as it is.

    Args:
        estimates: schema ``ESTIMATES``.
        framework: tables, ages and kind of record of each indicator; others get no rows.

    Returns:
        The same schema; in added rows all numbers are 0, and what cannot be estimated is NULL.
    """
    estimates = _asked_of_nobody(estimates)
    with memory_connection(threads=1) as connection:
        connection.register("estimates", estimates)
        connection.register("definition", _definitions(framework))
        empty = connection.sql(
            render(
                "empty",
                dimensions=", ".join(DIMENSIONS),
                of_groups=", ".join(f"groups.{name}" for name in DIMENSIONS),
                same_group=" AND ".join(f"present.{name} = groups.{name}" for name in DIMENSIONS),
            )
        ).to_arrow_table()
    columns = [
        empty[field.name].cast(field.type)
        if field.name in empty.column_names
        else pa.nulls(len(empty), field.type)
        for field in ESTIMATES
    ]
    return pa.concat_tables([estimates, pa.table(columns, schema=estimates.schema)])


def _asked_of_nobody(estimates: pa.Table) -> pa.Table:
    """Return estimates in which an indicator that nobody was eligible for looks like one of few children."""
    nobody = pc.fill_null(pc.equal(estimates["absent_reason"], _NOBODY), False)
    changed = {
        "state": pc.if_else(nobody, "estimated", estimates["state"]),
        "absent_reason": pc.if_else(nobody, None, estimates["absent_reason"]),
        "weight": pc.if_else(nobody, 0.0, estimates["weight"]),
    }
    for name, column in changed.items():
        at = estimates.schema.get_field_index(name)
        estimates = estimates.set_column(at, estimates.schema.field(at), column)
    return estimates


def _definitions(framework: Framework) -> pa.Table:
    standard = framework.head.standard_disaggregations
    return pa.Table.from_pylist(
        [
            {
                "indicator": code,
                "record": one.definition.record,
                "family": _family(one),
                "disaggregations": [_COMMON_AGE, *(one.definition.disaggregations or standard)],
            }
            for code, one in framework.indicators.items()
        ]
    )


def _family(one: ParsedIndicator) -> str:
    """Return what indicators share of which a survey covers the same ages."""
    ages = one.definition.ages
    kept = "age" in one.universe.variables | one.denominator.variables
    return f"{one.definition.record} {ages.minimum} {ages.maximum} {kept}"
