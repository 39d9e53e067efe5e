"""Where a prepared release stands: who let it be published, and what it still waits for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from copstats.steps.review import reviews_of
from copstats.store.home import Home
from copstats.store.portal_review import ApprovalRegistry
from copstats.store.prepared import Prepared
from copstats.store.rows import Review


@dataclass(frozen=True)
class Standing:
    """What stands between a prepared release and its place.

    Attributes:
        prepared: the release.
        reviews: what the countries say of their new values.
        open_reviews: those that may still be answered.
        approved_by: who let exactly this be published; empty while nobody has.
        approved_before: whether somebody approved in the portal what it was before it was built anew.
        to_be_approved: whether a person has to approve it.
        embargoed: whether its hour has not come.
    """

    prepared: Prepared
    reviews: Sequence[Review]
    open_reviews: Sequence[Review]
    approved_by: str
    approved_before: bool
    to_be_approved: bool
    embargoed: bool

    @property
    def due(self) -> bool:
        """Whether it waits for nothing."""
        return not (self.open_reviews or self.to_be_approved or self.embargoed)

    @property
    def until(self) -> dt.datetime | None:
        """When the last of the open reviews ends."""
        return max((one.closes_at for one in self.open_reviews), default=None)


def standing_of(home: Home, prepared: Prepared, moment: dt.datetime) -> Standing:
    """Return where a prepared release stands.

    It is approved by the command line, which its note says, or in the portal, as it was shown there: what was
    said of other content of the same label does not count.
    """
    reviews = reviews_of(home, prepared)
    said = ApprovalRegistry(home.registry.database).approvals(prepared.label)
    holders = [one.holder for one in said if one.content_hash == prepared.manifest]
    approved_by = prepared.approved_by or ", ".join(holders)
    return Standing(
        prepared=prepared,
        reviews=reviews,
        open_reviews=[one for one in reviews if one.open_at(moment)],
        approved_by=approved_by,
        approved_before=len(said) > len(holders),
        to_be_approved=not approved_by and home.config.approve_releases == "by_hand",
        embargoed=prepared.not_before is not None and moment < prepared.not_before,
    )
