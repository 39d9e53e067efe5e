"""The check as a validation report of the European Statistical System, for programs.

Structure: ESSnet ValidatIntegration, Generic design and implementation of a validation report, version 1.0.0
(2017): an array of validations, each with event, rule, data and value. ``value`` is ``"1"`` where the rule
holds, ``"0"`` where it is broken, ``"NA"`` where it was not evaluated. One validation stands for a rule at a
variable, not for a record; what the standard has no place for stands under the further key ``copstats``.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from copstats import __version__
from copstats.framework import Framework
from copstats.framework.export.output import EPOCH
from copstats.language import Translations
from copstats.process.check import CheckResult, Outcome, RuleMessage
from copstats.process.reports.places import Place
from copstats.process.reports.texts import reason_text

FINDINGS_OF_A_RULE = 1000
"""So many findings of a rule are listed."""
_VALUES = {"passed": "1", "failed": "0"}


def validation_report(
    result: CheckResult,
    framework: Framework,
    words: Translations,
    places: Mapping[str, Place],
    *,
    time: dt.datetime | None = None,
) -> bytes:
    """Return the report as JSON (UTF-8).

    Args:
        result: what came of the check.
        framework: that it was checked against.
        words: language of the texts.
        places: record kind -> how its data file is addressed.
        time: when the check took place. The standard asks for it; without it stands a fixed date, so that two
            checks of the same file give the same bytes: no clock is read.
    """
    messages = {message.outcome.rule.id: message for message in result.messages(words)}
    event = {
        "time": (time or EPOCH).isoformat(),
        "actor": "copstats",
        "agent": f"copstats {__version__}",
        "trigger": f"{result.submission_id}, {framework.id} {framework.head.version}",
    }
    validations = [
        _validation(outcome, messages.get(outcome.rule.id), result, words, places) | {"event": event}
        for outcome in result.outcomes
    ]
    return json.dumps(validations, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def _validation(
    outcome: Outcome,
    message: RuleMessage | None,
    result: CheckResult,
    words: Translations,
    places: Mapping[str, Place],
) -> dict[str, Any]:
    rule = outcome.rule
    file, records = result.files[rule.record]
    described: dict[str, str] = {}
    if message is not None:
        described = {"description": message.what, "explanation": f"{message.why} {message.fix}"}
    more: dict[str, Any] = {
        "rule_class": rule.rule_class,
        "level": rule.level,
        "state": outcome.state,
        "findings": outcome.count,
    }
    if outcome.reason:
        more |= {"reason": outcome.reason, "reason_text": reason_text(outcome.reason, words)}
    if outcome.count:
        more["listed"] = _listed(outcome, result, places)
        if rule.kind == "row" and records:
            more["share"] = round(outcome.count / records, 6)
    return {
        "id": f"{result.submission_id}/{rule.id}",
        "type": "validation",
        "rule": _rule(outcome) | described,
        "data": {
            "source": [f"{file}/{name}" for name in rule.reads] or [file],
            "target": [f"{file}/{rule.variable}" if rule.variable else file],
            "description": f"{rule.record}: {rule.variable or file}",
        },
        "value": _VALUES.get(outcome.state, "NA"),
        "copstats": more,
    }


def _rule(outcome: Outcome) -> dict[str, str]:
    """Return language and expression of a rule; the expression is true where the rule holds."""
    rule = outcome.rule
    expression, language = rule.id, "copstats rule"
    if rule.violation and rule.kind == "row":
        expression, language = f"({rule.violation}) IS NOT TRUE", "SQL (DuckDB)"
    elif rule.violation:
        expression, language = f"NOT EXISTS ({rule.violation})", "SQL (DuckDB)"
    return {"language": language, "expression": expression, "severity": rule.severity}


def _listed(outcome: Outcome, result: CheckResult, places: Mapping[str, Place]) -> list[dict[str, Any]]:
    """Return the first findings of a rule: record, cell, masked value, and what its message needs."""
    rule = outcome.rule
    place = places.get(rule.record, Place())
    found = result.findings_of(rule.id).slice(0, FINDINGS_OF_A_RULE)
    rows = found.select(["record_no", "variable", "masked_value", "params"]).to_pylist()
    listed = []
    for row in rows:
        number = row["record_no"]
        entry = {"record": number, "cell": place.address(rule.column, number) if number else ""}
        entry["masked_value"] = row["masked_value"]
        if rule.kind != "row":
            entry |= {"variable": row["variable"], "params": json.loads(row["params"])}
        listed.append({key: value for key, value in entry.items() if value not in (None, "")})
    return listed
