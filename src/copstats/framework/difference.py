"""The difference between two versions of a framework: every change once, with what it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from copstats.framework.change import Action, Change, Subject
from copstats.framework.comparison import compare
from copstats.framework.declared import check_declared
from copstats.framework.loader import load_framework
from copstats.framework.model import Framework
from copstats.framework.steps_between import changes_between
from copstats.framework.versions import LEVELS, Changes, Level
from copstats.language.translations import N_, Translations


@dataclass(frozen=True)
class Difference:
    """All changes from a version to a later one.

    Attributes:
        old: the earlier version.
        new: the later version.
        declared: what the later version, and those between, declare in ``changes.yaml``.
        changes: each change once; those of a higher level first.
    """

    old: Framework = field(repr=False)
    new: Framework = field(repr=False)
    declared: Changes
    changes: tuple[Change, ...]

    @property
    def level(self) -> Level | None:
        """The highest level of all changes; None if there is none."""
        found = {change.consequence.level for change in self.changes}
        return max(found, key=LEVELS.index) if found else None

    @property
    def incomparable(self) -> tuple[str, ...]:
        """Codes of the indicators whose values under the two versions must not be compared."""
        broken = (change.indicators for change in self.changes if change.consequence.breaks)
        return tuple(sorted({code for codes in broken for code in codes}))

    @property
    def concerns_crosswalks(self) -> bool:
        """Whether a crosswalk of the earlier version has to change, or to be looked at."""
        return any(change.consequence.crosswalk for change in self.changes)

    def as_json(self) -> dict[str, Any]:
        """Return the difference as plain values for ``json.dumps``."""
        return {
            "old": {"framework": self.old.id, "version": self.old.head.version},
            "new": {"framework": self.new.id, "version": self.new.head.version},
            "level": self.level,
            "crosswalk": self.concerns_crosswalks,
            "incomparable_indicators": list(self.incomparable),
            "changes": [change.as_json() for change in self.changes],
        }

    def render(self, translations: Translations) -> str:
        """Return the difference as lines of text for a terminal."""
        return "\n".join(_lines(self, translations))


def difference(old: Framework, new: Framework, changes: Changes) -> Difference:
    """Compare two versions.

    Without a declaration a renamed variable is one removed and one added, and a code that comes or goes
    breaks comparability: nobody has said where its answers stood before.

    Args:
        old: the earlier version.
        new: the later version.
        changes: what the later one declares; that of several steps comes from
            :func:`copstats.framework.steps_between.changes_between`.
    """
    found = sorted(compare(old, new, changes), key=lambda c: -LEVELS.index(c.consequence.level))
    return Difference(old, new, changes, tuple(found))


def difference_between(old: str, new: str, root: Path | None = None) -> Difference:
    """Load two versions and compare them.

    Args:
        old: identifier of the earlier version.
        new: identifier of the same or a later one.
        root: folder that holds ``schemas/`` and ``indicators/``; the project's own by default.

    Raises:
        UsageError: U132, ``new`` does not come after ``old``.
        DefinitionError: a version cannot be loaded, or declares what it does not bear out.
    """
    earlier, later = load_framework(old, root), load_framework(new, root)
    declared = changes_between(old, new, root)
    check_declared(old, new, root)
    return difference(earlier, later, declared)


_HEADINGS: dict[Level, str] = {
    "major": N_("Major changes: {count}"),
    "minor": N_("Minor changes: {count}"),
    "patch": N_("Changes of words only: {count}"),
}
_SUBJECTS: dict[Subject, str] = {
    "module": N_("Module {name}"),
    "variable": N_("Variable {name}"),
    "universe": N_("Universe of {name}"),
    "recall": N_("Recall period of {name}"),
    "code list": N_("Code list {name}"),
    "code": N_("Code {name}"),
    "rule class": N_("Rule class {name}"),
    "rule": N_("Rule {name}"),
    "indicator": N_("Indicator {name}"),
    "missing code": N_("Missing code {name}"),
    "ages": N_("Ages: {name}"),
    "dimension": N_("Dimension {name}"),
    "disaggregation": N_("Disaggregation {name}"),
    "administrative": N_("Administrative variable {name}"),
    "policy": N_("Policy item {name}"),
    "framework": N_("Framework: {name}"),
}
_ACTIONS: dict[Action, str] = {
    "added": N_("added"),
    "removed": N_("removed"),
    "renamed": N_("renamed, before {before}"),
    "changed": N_("changed from {before} to {after}"),
    "merged": N_("holds what was {before}"),
    "split": N_("split into {after}"),
}


def _lines(found: Difference, translations: Translations) -> Iterator[str]:
    text = translations.text
    ids = {"old": found.old.id, "before": found.old.head.version, "new": found.new.id}
    yield text(N_("From {old} ({before}) to {new} ({after})"), **ids, after=found.new.head.version)
    if not found.changes:
        yield text(N_("No change."))
    for level in reversed(LEVELS):
        some = [change for change in found.changes if change.consequence.level == level]
        if some:
            yield ""
            yield text(_HEADINGS[level], count=translations.number(len(some)))
        for change in some:
            yield from _change_lines(change, translations)
    if found.incomparable:
        yield ""
        codes = ", ".join(found.incomparable)
        yield text(N_("Values not comparable between the two versions: {indicators}"), indicators=codes)


def _change_lines(change: Change, translations: Translations) -> Iterator[str]:
    text = translations.text
    nothing = text(N_("nothing"))
    action = text(_ACTIONS[change.action], before=change.before or nothing, after=change.after or nothing)
    part = f" ({change.part})" if change.part and change.part != change.subject else ""
    yield f"  {text(_SUBJECTS[change.subject], name=change.name)}{part}: {action}"
    marks = []
    if change.consequence.breaks:
        marks.append(text(N_("breaks comparability")))
    if change.consequence.crosswalk:
        marks.append(text(N_("concerns crosswalks")))
    if change.indicators:
        marks.append(text(N_("indicators: {indicators}"), indicators=", ".join(change.indicators)))
    if marks:
        yield f"    {'; '.join(marks)}"
    if change.note:
        yield f"    {text(change.note)}"
