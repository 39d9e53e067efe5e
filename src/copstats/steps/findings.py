"""What the check of a submission found, kept for its office: in words and with record numbers, sealed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from copstats.language import LANGUAGES, Translations, translations
from copstats.store.findings import FINDINGS_KEPT, PLACES_KEPT
from copstats.store.home import Home

if TYPE_CHECKING:
    from copstats.checking import Checked
    from copstats.process.check import RuleMessage


@dataclass(frozen=True)
class RuleFinding:
    """A rule that a submission breaks, in words; holds names and counts, never a value.

    Attributes:
        rule: id of the rule, for example ``code_list:sex``.
        severity: ``error``, ``warning`` or ``information``.
        level: ESS validation level.
        record: ``child`` or ``parent``.
        variables: at which it is broken; empty where no single one is at fault.
        count: number of findings.
        title: what is wrong.
        why: why it matters.
        fix: how to put it right.
        places: numbers of the first records concerned in the office's own file, from 1, header not counted;
            empty for sealed files, whose records stand in another order.
    """

    rule: str
    severity: str
    level: int
    record: str
    variables: tuple[str, ...]
    count: int
    title: str
    why: str
    fix: str
    places: tuple[int, ...]


def keep_findings(home: Home, submission_id: str, checked: Checked, *, places: bool) -> None:
    """Seal what a check found, in all languages, in the place of what an earlier one found.

    The texts are kept as they were at the time of the check: rules change, what an office was told does not.

    Args:
        home: open and locked.
        submission_id: of the submission.
        checked: what came of the check.
        places: whether the record numbers mean something to the office.
    """
    rows = [row for language in LANGUAGES for row in _rows(submission_id, checked, language, places)]
    if not rows:
        home.findings.destroy(submission_id)
        return
    table = pa.Table.from_pylist(rows, schema=FINDINGS_KEPT)
    home.findings.write(submission_id, checked.framework.fingerprint, table)


def findings_of(home: Home, submission_id: str, language: str = "en") -> tuple[RuleFinding, ...]:
    """Return what the check of a submission found: errors first.

    Of checks by earlier versions of copstats, and of submissions that were withdrawn, the counts alone are
    known: the words are empty then.

    Args:
        home: open.
        submission_id: for example ``KEN_2026_COPS_v01_M``.
        language: of the words.

    Raises:
        UsageError: U012, this is no id; U120, no such language.
        ConfidentialityError: C001 to C005, a key or file is missing or was changed.
    """
    translations(language)
    if not home.findings.kept(submission_id):
        return tuple(
            RuleFinding(one.rule, one.severity, 0, "", (), one.count, "", "", "", ())
            for one in home.registry.findings(submission_id)
        )
    table = home.findings.read([submission_id])
    told = table.filter(pc.equal(table["language"], language)).drop_columns(["submission_id", "language"])
    return tuple(
        RuleFinding(**{**row, "variables": tuple(row["variables"]), "places": tuple(row["places"])})
        for row in told.to_pylist()
    )


def _rows(submission_id: str, checked: Checked, language: str, places: bool) -> Iterator[dict[str, Any]]:
    words: Translations = translations(language, checked.framework.id)
    for message in checked.result.messages(words):
        yield {
            "submission_id": submission_id,
            "language": language,
            **_told(message),
            "places": _places(checked, message) if places else [],
        }


def _told(message: RuleMessage) -> dict[str, Any]:
    outcome = message.outcome
    return {
        "rule": outcome.rule.id,
        "severity": outcome.rule.severity,
        "level": outcome.rule.level,
        "record": outcome.rule.record,
        "variables": [outcome.rule.variable] if outcome.rule.variable else [],
        "count": outcome.count,
        "title": message.what,
        "why": message.why,
        "fix": message.fix,
    }


def _places(checked: Checked, message: RuleMessage) -> list[int]:
    found = checked.result.findings_of(message.outcome.rule.id)
    numbers: list[int] = found["record_no"].drop_null()[:PLACES_KEPT].to_pylist()
    return numbers
