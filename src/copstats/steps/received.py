"""Which submissions came, as the reports to the working group count them."""

from __future__ import annotations

import pyarrow as pa

from copstats.steps.common import quarter_of
from copstats.store.home import Home

RECEIVED = pa.schema(dict.fromkeys(("ref_area", "survey", "kind", "state", "quarter"), pa.string()))


def received_submissions(home: Home) -> pa.Table:
    """Return one row a submission: area, survey, kind, state, and the quarter of its receipt."""
    rows = [
        {
            "ref_area": one.ref_area,
            "survey": one.survey,
            "kind": one.kind,
            "state": str(one.state),
            "quarter": quarter_of(one.received_at.astimezone(home.config.zone)),
        }
        for one in home.registry.submissions()
    ]
    return pa.Table.from_pylist(rows, schema=RECEIVED)
