"""What a record must fulfil: a condition as a SQL predicate and, where one fits, as a native expectation.

The two forms are written apart on purpose: a test holds their counts equal on faulty tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from copstats.process.phrases import Saying


@dataclass(frozen=True)
class InSet:
    """Every value stands in a set."""

    column: str
    values: tuple[int | str | bool, ...]


@dataclass(frozen=True)
class Between:
    """Every value lies in a range; ``strict`` leaves the lower end out."""

    column: str
    lower: float
    upper: float
    strict: bool = False


@dataclass(frozen=True)
class NotNull:
    """No value is missing."""

    column: str


@dataclass(frozen=True)
class Unique:
    """No value stands twice."""

    column: str


@dataclass(frozen=True)
class Matches:
    r"""Every value matches a regular expression, ended by ``\Z``: some engines let a newline follow ``$``."""

    column: str
    pattern: str


Native = InSet | Between | NotNull | Unique | Matches


@dataclass(frozen=True)
class Condition:
    """A rule's condition on one variable.

    Attributes:
        violation: predicate that is TRUE where a record breaks it, over the extended table; or, for a table
            rule, a SELECT with one row (column ``record_no``) for each finding.
        reads: columns of the extended table that it reads.
        needs: other variables without which it says nothing.
        native: the same condition as a native expectation, where one fits.
        table: whether it speaks of the table as a whole.
        params: further columns of a table rule's SELECT: aggregates that the message shows by these names.
        told: what the message says of the rule itself: codes, limits, who is asked; never of a record.
    """

    violation: str
    reads: tuple[str, ...]
    needs: frozenset[str] = frozenset()
    native: Native | None = None
    table: bool = False
    params: tuple[str, ...] = ()
    told: Mapping[str, Saying] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class NotApplicable:
    """The rule fits the variable but not this submission.

    Attributes:
        reason: key of `copstats.process.compiled.REASONS`.
        lacking: variables whose absence is the reason.
    """

    reason: str
    lacking: frozenset[str] = frozenset()


@dataclass(frozen=True)
class NotSupported:
    """The rule cannot judge this submission: its design has a form that the rule does not know.

    Attributes:
        reason: key of `copstats.process.compiled.REASONS`.
    """

    reason: str


Outcome = Condition | NotApplicable | NotSupported | None
"""None: the rule class does not fit the variable."""
