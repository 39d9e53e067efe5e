"""The words that all reports share: severities, levels, states, the verdict, the rule messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from copstats.framework.definitions import Severity
from copstats.language import N_, Translations, translations
from copstats.process.check import CheckResult
from copstats.process.compiled import REASONS, State

ENGLISH = translations("en")
PAGE, SHEETS, EXCHANGE, SUMMARY, README = (
    "report.html",
    "findings.xlsx",
    "validation-report.json",
    "summary.json",
    "README.txt",
)
"""Names of the files in the folder of reports."""

SEVERITY_NAMES: Mapping[Severity, str] = {
    "error": N_("Errors"),
    "warning": N_("Warnings"),
    "information": N_("Notes"),
}
SEVERITY_MEANINGS: Mapping[Severity, str] = {
    "error": N_("They must be put right before the submission can be accepted."),
    "warning": N_("Probably a mistake, or something to know. They do not stop the submission."),
    "information": N_("For you to know. Nothing needs to be done if they are as you expect."),
}
ONE: Mapping[Severity, str] = {
    "error": N_("error"),
    "warning": N_("warning"),
    "information": N_("note"),
}
LEVELS = (
    N_("structure of the file"),
    N_("content of one file"),
    N_("against your other files and rounds"),
    N_("against other countries"),
    N_("against population figures"),
    N_("against other organisations"),
)
"""Validation levels of the European Statistical System in plain words, from 0."""
STATE_NAMES: Mapping[State, str] = {
    "passed": N_("passed"),
    "failed": N_("not met"),
    "blocked": N_("has to wait"),
    "not_applicable": N_("does not apply"),
    "not_supported": N_("cannot be judged"),
    "crashed": N_("fault of the program"),
}
STATE_MEANINGS: Mapping[State, str] = {
    "passed": N_("The rule was checked and holds."),
    "failed": N_("The rule is broken somewhere; each place is a finding."),
    "blocked": N_("Something else must be put right first; then check again."),
    "not_applicable": N_("The submission does not hold what the rule is about. Nothing needs to be done."),
    "not_supported": N_("The rule needs material that was not at hand. It does not count against you."),
    "crashed": N_("Please report this; the submission is not at fault."),
}
NOT_CHECKED: tuple[State, ...] = ("crashed", "blocked", "not_supported", "not_applicable")
"""States in which a rule says nothing about the data, the gravest first."""


def level_name(level: int, words: Translations) -> str:
    """Return a validation level in words, for example ``1, content of one file``."""
    return words.text("{level}, {meaning}", level=level, meaning=words.text(LEVELS[level]))


def reason_text(reason: str, words: Translations) -> str:
    """Return the reason of a state in words; empty where there is none."""
    return words.text(REASONS[reason]) if reason in REASONS else ""


def broken(result: CheckResult) -> Counter[str]:
    """Return severity -> number of rules that are not met."""
    return Counter(o.rule.severity for o in result.outcomes if o.state == "failed")


def verdict(result: CheckResult, words: Translations = ENGLISH) -> str:
    """Return the outcome of the check in a sentence or two."""
    if errors := broken(result)["error"]:
        return words.text(
            "Not yet accepted. Required rules that are not met: {count}. What to do stands below.",
            count=words.number(errors),
        )
    if not result.sound:
        return words.text("Not yet accepted: some rules could not be checked; see below.")
    if result.disagreements:
        named = words.listing(result.disagreements[:3])
        text = "Not accepted: two independent checks differ on {rules}. This is a fault of the program."
        return words.text(text, rules=named)
    sentences = [words.text("Accepted: the submission meets the framework.")]
    if result.gate is None:
        sentences = [words.text("No errors found. The acceptance suite was not run.")]
    if result.severities["warning"]:
        sentences.append(words.text("Please look at the warnings below."))
    return " ".join(sentences)


def next_step(result: CheckResult, words: Translations) -> str:
    """Return what happens next in a sentence or two."""
    if result.accepted:
        return words.text(
            "You can seal the submission and send it. Correct it first if a warning is a mistake."
        )
    if broken(result)["error"]:
        return words.text(
            "Correct the data file, the manifest or the crosswalk as each finding says, and check again, "
            "as often as you like. The check has sent nothing and changed nothing in your files."
        )
    if result.disagreements or result.states["crashed"]:
        return words.text(
            "Nothing in your files needs to change. Please report this and send no data with the report."
        )
    return words.text("Check once more with the acceptance suite before you send the submission.")
