"""Reads the answers to the policy questionnaire."""

from __future__ import annotations

import pyarrow as pa

from copstats.collect.package import DataSource
from copstats.collect.readers import read_file
from copstats.collect.told import UNFIT_TEXT, Check, as_text, faults, refuse_columns
from copstats.errors import SubmissionErrors
from copstats.framework import Framework
from copstats.framework.official import PolicyManifest
from copstats.store.counts import POLICY_ANSWERS
from copstats.store.engine import memory_connection

REQUIRED = ("item", "answer")
OPTIONAL = ("in_force", "body", "evidence")
ANSWERS = ("yes", "partial", "no", "not_applicable")

_CHECKS = (
    Check("S362", "NOT coalesce(list_contains(items, item), FALSE)", "item"),
    Check("S362", f"coalesce(answer, '') NOT IN {ANSWERS}", "answer"),
    Check("S363", "NOT regexp_full_match(coalesce(in_force, '2000'), '(19|20)[0-9]{2}')", "in_force"),
    Check("S364", "copies > 1"),
    Check("S369", f"{UNFIT_TEXT.format('body')} OR {UNFIT_TEXT.format('evidence')}"),
    Check("S370", r"NOT regexp_full_match(coalesce(evidence, 'https://x'), 'https?://[^\s]+')"),
    Check("S372", "TRY_CAST(in_force AS INTEGER) > reference_year"),
)


def read_answers(source: DataSource, manifest: PolicyManifest, framework: Framework) -> pa.Table:
    """Read a file with one row an item of the questionnaire; an item without a row was not answered.

    Returns:
        Schema ``POLICY_ANSWERS``, ordered by item.

    Raises:
        SubmissionErrors: codes S360 to S372; a column, a number of rows and the first of them.
    """
    file = read_file(source, manifest.files.answers)
    refuse_columns(file, REQUIRED, OPTIONAL)
    given = as_text(file)
    for name in OPTIONAL:
        if name not in given.column_names:
            given = given.append_column(name, pa.nulls(given.num_rows, pa.string()))
    with memory_connection(threads=1) as connection:
        connection.register("given", given)
        connection.execute(
            """
            CREATE TABLE told AS
            SELECT *, $items AS items, $year AS reference_year, count(*) OVER (PARTITION BY item) AS copies
            FROM given
            """,
            {"items": list(framework.policy), "year": manifest.reference_year},
        )
        if found := faults(connection, _CHECKS, file.name):
            raise SubmissionErrors(found)
        answers = connection.sql(
            """
            SELECT
                $submission AS submission_id, $ref_area AS ref_area, $period AS time_period,
                item, answer, in_force::INTEGER AS in_force, body, evidence
            FROM told
            ORDER BY item
            """,
            params={
                "submission": manifest.submission_id,
                "ref_area": manifest.ref_area,
                "period": str(manifest.reference_year),
            },
        ).to_arrow_table()
    return answers.cast(POLICY_ANSWERS)
