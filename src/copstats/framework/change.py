"""One change between two versions of a framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from copstats.framework.versions import Level

Subject = Literal[
    "module",
    "variable",
    "universe",
    "recall",
    "code list",
    "code",
    "rule class",
    "rule",
    "indicator",
    "missing code",
    "ages",
    "dimension",
    "disaggregation",
    "administrative",
    "policy",
    "framework",
]
Action = Literal["added", "removed", "renamed", "changed", "merged", "split"]


class Consequence(NamedTuple):
    """Level of the step, and what it asks of others.

    Attributes:
        level: step of the version number.
        breaks: values before and after must not be compared.
        crosswalk: a crosswalk of the version before has to change, or to be looked at.
    """

    level: Level
    breaks: bool = False
    crosswalk: bool = False


@dataclass(frozen=True)
class Change:
    """One change from a version to a later one.

    Attributes:
        subject: kind of thing that changed.
        action: what happened to it.
        name: how the later version calls it; if it is gone, its name before. Variables are written with their
            record kind (``child.rct_met``), codes with their list (``CL_FREQ 4``).
        consequence: level of the step, whether it breaks comparability, whether crosswalks are concerned.
        part: the entry of the definition that changed.
        before: what stood there, as text.
        after: what stands there now.
        note: what ``changes.yaml`` says of it.
        indicators: codes of the indicators whose values it touches, of either version.
    """

    subject: Subject
    action: Action
    name: str
    consequence: Consequence
    part: str | None = None
    before: str | None = None
    after: str | None = None
    note: str | None = None
    indicators: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the change as plain values."""
        return {
            "subject": self.subject,
            "action": self.action,
            "name": self.name,
            "part": self.part,
            "before": self.before,
            "after": self.after,
            "level": self.consequence.level,
            "breaks_comparability": self.consequence.breaks,
            "crosswalk": self.consequence.crosswalk,
            "indicators": list(self.indicators),
            "note": self.note,
        }
