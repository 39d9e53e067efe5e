"""What may leave the country of a check: figures without small counts, and what came of every rule.

No record, record number, key or small count, and no time: the same submission gives the same bytes, which
can be signed. The receiving side makes its own from the sealed file and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from copstats import __version__
from copstats.errors import UsageError
from copstats.framework import Framework
from copstats.framework import manifest as says
from copstats.framework.definitions import RecordKind, Severity
from copstats.process.compiled import State
from copstats.process.figures import Count, RecordFigures, counted, figures_of
from copstats.process.records import Harmonised, record_tables
from copstats.process.rules import AGGREGATE

if TYPE_CHECKING:
    import duckdb

    from copstats.process.check import CheckResult, Outcome

SCHEMA = "copstats-summary-1"
_DECIDED = ("passed", "failed")


class RuleFigures(Struct, frozen=True, kw_only=True):
    """What came of a rule.

    Attributes:
        state: see `copstats.process.compiled.State`.
        severity: ``error``, ``warning`` or ``information``.
        count: number of findings. Of a rule on records, one to nine are ``1-9``, and all but one to nine
            records ``all but 1-9``.
    """

    state: State
    severity: Severity
    count: Count


class Summary(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may leave the country of a check.

    Attributes:
        submission: for example ``KEN_2026_COPS_v01_M``.
        content_hash: of the submission's files.
        framework: id of the framework version.
        framework_version: its version.
        framework_fingerprint: hash of its definition files.
        code_version: version of copstats that checked.
        figures: by record kind.
        rules: by rule id.
        schema: `SCHEMA`.
    """

    submission: str
    content_hash: str
    framework: str
    framework_version: str
    framework_fingerprint: str
    code_version: str
    figures: dict[str, RecordFigures]
    rules: dict[str, RuleFigures]
    schema: str = SCHEMA

    def as_bytes(self) -> bytes:
        """Return the summary as canonical JSON: keys in order, no space, one line."""
        return msgspec.json.encode(self, order="deterministic") + b"\n"

    def disagreements(self, other: Summary) -> tuple[str, ...]:
        """Return the rules that both decided, with another state or count, by id.

        A rule that one of them could not decide does not count: sealing drops columns, and what looks at the
        office's own file (``of_source``) cannot be repeated. Nor do rules that need material beside the
        submission: the other side may have other material.
        """
        return tuple(
            sorted(
                rule
                for rule, mine in self.rules.items()
                if rule in other.rules
                and rule.partition(":")[0] not in AGGREGATE
                and _differ(mine, other.rules[rule])
            )
        )


def _differ(one: RuleFigures, other: RuleFigures) -> bool:
    if one.state not in _DECIDED or other.state not in _DECIDED:
        return False
    return (one.state, one.count) != (other.state, other.count)


def summary_of(  # noqa: PLR0917 - as check
    result: CheckResult,
    connection: duckdb.DuckDBPyConnection,
    harmonised: Harmonised,
    framework: Framework,
    manifest: says.SurveyManifest,
    crosswalk: says.Crosswalk | None,
    *,
    content_hash: str,
) -> Summary:
    """Return the summary of a check.

    Args:
        result: what came of the check.
        connection: holds the harmonised tables, as they were checked.
        harmonised: what the tables hold.
        framework: the framework version that the manifest names.
        manifest: the submission's manifest.
        crosswalk: its crosswalk, if it has one.
        content_hash: of the submission's files, as the registry knows it.
    """
    tables = record_tables(framework, manifest, harmonised, crosswalk)
    rows = {kind: table.held.rows for kind, table in tables.items()}
    return Summary(
        submission=result.submission_id,
        content_hash=content_hash,
        framework=framework.id,
        framework_version=framework.head.version,
        framework_fingerprint=framework.fingerprint,
        code_version=__version__,
        figures=figures_of(connection, tables),
        rules={outcome.rule.id: _rule_figures(outcome, rows) for outcome in result.outcomes},
    )


def _rule_figures(outcome: Outcome, rows: Mapping[RecordKind, int]) -> RuleFigures:
    rule, count = outcome.rule, outcome.count
    # Findings of structure and of aggregates are columns, modules and variables, not children.
    on_records = rule.kind in ("row", "table")
    return RuleFigures(
        state=outcome.state,
        severity=rule.severity,
        count=counted(count, rows[rule.record]) if on_records else count,
    )


def read_summary(content: bytes, where: str) -> Summary:
    """Read a summary.

    Args:
        content: bytes of `Summary.as_bytes`.
        where: name of the file, for the error.

    Raises:
        UsageError: it is not a summary (U160), or one of another schema (U161).
    """
    try:
        summary = msgspec.json.decode(content, type=Summary)
    except msgspec.MsgspecError:
        raise UsageError("U160", where=where) from None
    if summary.schema != SCHEMA:
        raise UsageError("U161", where=where, schema=SCHEMA)
    return summary
