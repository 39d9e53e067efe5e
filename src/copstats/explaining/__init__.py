"""Explains published values: what they mean, where they come from, why they are shown as they are.

A release alone tells what is public. The home that made it adds the submission, the wording in the crosswalk,
the SQL, earlier vintages and, for those who may see them, the estimates from before disclosure control.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from copstats.errors import UsageError
from copstats.explaining.aggregated import AggregateFacts, aggregate_facts, names_group
from copstats.explaining.background import Background, Question
from copstats.explaining.kept import KeptFacts, KeptInHome, OtherRound, PastVintage
from copstats.explaining.published import (
    Asked,
    Ground,
    OpenRelease,
    PublishedFacts,
    Row,
    RuleText,
    Withheld,
    open_release,
)

if TYPE_CHECKING:
    from copstats.store.home import Home

__all__ = [
    "AggregateFacts",
    "Asked",
    "Background",
    "Explainer",
    "Explanation",
    "Ground",
    "KeptFacts",
    "OtherRound",
    "PastVintage",
    "PublishedFacts",
    "Question",
    "RuleText",
    "Withheld",
    "explainer",
]


@dataclass(frozen=True)
class Explanation:
    """All that is known of a published value.

    Attributes:
        published: what the release tells.
        kept: what the home tells; None without one, or where it does not know the submission.
    """

    published: PublishedFacts
    kept: KeptFacts | None


@dataclass(frozen=True)
class Explainer:
    """Explains values of one release; see `explainer`."""

    release: OpenRelease
    kept: KeptInHome | None

    def explain(self, asked: Asked) -> list[Explanation]:
        """Return an explanation of each value that answers the question: one a survey of that year.

        Raises:
            UsageError: U103, no such indicator; U380, the release has no such value.
        """
        return [self.explain_value(value) for value in self.release.values(asked)]

    def explain_group(self, asked: Asked) -> list[AggregateFacts]:
        """Return what the release tells of the value of a group of areas, with its members.

        Raises:
            UsageError: U103, no such indicator; U380, the release has no such aggregate.
        """
        return aggregate_facts(self.release, asked)

    def names_group(self, area: str) -> bool:
        """Say whether a code or name is that of a group of areas, and of no country."""
        return names_group(self.release, area)

    def explain_value(self, value: Row) -> Explanation:
        """Return the explanation of a row of the table of values."""
        kept = None if self.kept is None else self.kept.facts(value)
        return Explanation(self.release.facts(value), kept)


@contextmanager
def explainer(
    release: Path | None = None, home_path: Path | None = None, *, restricted: bool = False
) -> Iterator[Explainer]:
    """Open a release and what is known of it.

    Args:
        release: a folder, of which nothing but the folder is asked, or the label of a release in the home; by
            default the one that was published last.
        home_path: the home; opened only where no folder is named.
        restricted: show the estimates from before disclosure control too. That they were opened is noted in
            the audit log of the home.

    Raises:
        UsageError: U001, there is no home; U381, estimates are not in a folder; U382, no release in the home.
        ReleaseError: R024, there is no release in the folder; R091 or R092, in the home.
    """
    if release is not None and release.is_dir():
        if restricted:
            raise UsageError("U381", where=str(release))
        with open_release(release) as alone:
            yield Explainer(alone, None)
        return
    from copstats.store.home import Home

    home = Home.open(home_path or Path("copstats-home"))
    label = _latest(home) if release is None else str(release)
    with open_release(home.releases.folder(label)) as opened:
        yield Explainer(opened, KeptInHome(home, opened, restricted))


def _latest(home: Home) -> str:
    there = set(home.releases.labels())
    published = [one for one in home.registry.releases() if one.label in there]
    if not published:
        raise UsageError("U382", where=str(home.path))
    return max(published, key=lambda one: one.at).label
