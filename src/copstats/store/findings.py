"""What is kept of a check for the office to read: the broken rules in words, and where they are broken."""

from __future__ import annotations

import pyarrow as pa

PLACES_KEPT = 100
"""Of each rule so many record numbers are kept, the first; their number stays exact."""

FINDINGS_KEPT = pa.schema(
    [
        pa.field("submission_id", pa.string(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("severity", pa.string(), nullable=False),
        pa.field("level", pa.int32(), nullable=False),
        pa.field("record", pa.string(), nullable=False),
        # The variable at which the rule is broken; none where no single one is at fault.
        pa.field("variables", pa.list_(pa.string()), nullable=False),
        pa.field("count", pa.int64(), nullable=False),
        # What is wrong, why it matters, how to put it right: names and counts, never a value.
        pa.field("title", pa.string(), nullable=False),
        pa.field("why", pa.string(), nullable=False),
        pa.field("fix", pa.string(), nullable=False),
        # Record numbers in the office's own file, from 1, header not counted; none for sealed files, whose
        # records stand in another order.
        pa.field("places", pa.list_(pa.int64()), nullable=False),
    ]
)
"""One row a broken rule and language."""
