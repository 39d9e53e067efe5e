"""Before a release each country sees its new and revised values, counts and answers; it confirms or objects.

Of a survey it may object to indicators; counts and answers of a submission stay out as a whole: a score that
leaves out some answers would be another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from copstats.errors import UsageError
from copstats.steps.common import PROGRESS, as_identifier
from copstats.store.home import Home
from copstats.store.prepared import Prepared
from copstats.store.rows import Review
from copstats.vintages import Settled


def new_values(home: Home, settled: Iterable[Settled]) -> dict[str, str]:
    """Return wave -> hash of its values, for waves of which a release says what was never published.

    Args:
        home: open and locked.
        settled: which vintage of each wave the release carries.
    """
    found = {}
    for one in settled:
        if one.number is None or one.outcome not in ("first", "revised"):
            continue
        vintages = [number for number in range(1, one.number) if home.ledger.vintage(one.wave, number).kept]
        *before, present = (
            home.ledger.content(one.wave, number).digest() for number in (*vintages, one.number)
        )
        if present not in before:
            found[one.wave] = present
    return found


def new_official(home: Home, said: Mapping[str, str]) -> dict[str, str]:
    """Return wave -> hash of what a release says of its counts or answers, where none has said it before.

    Args:
        home: open and locked.
        said: submission -> that hash.
    """
    from copstats.disseminate.official import earlier_digests

    labels = home.releases.labels()
    before = earlier_digests(home.releases.folder(label) for label in labels)
    # What a country objected to stands in no release.
    before |= {one.values_hash for one in home.registry.reviews() if one.label in labels}
    return {home.registry.get(id_).wave: digest for id_, digest in said.items() if digest not in before}


def open_reviews(home: Home, prepared: Prepared, behind: Mapping[str, str], moment: dt.datetime) -> None:
    """Let the countries look at what a prepared release says of them for the first time.

    Values that a country has been asked about before keep its answer.

    Args:
        home: open and locked.
        prepared: the release.
        behind: wave -> submission that the release takes it from.
        moment: when the countries may begin to look.
    """
    days = home.config.review_days
    for wave, values_hash in prepared.new.items() if days else ():
        review = Review(
            wave=wave,
            values_hash=values_hash,
            label=prepared.label,
            submission_id=behind[wave],
            ref_area=wave[:3],
            opened_at=moment,
            closes_at=moment + dt.timedelta(days=days),
        )
        if home.registry.open_review(review) is review:
            home.audit.append("review.opened", wave, label=prepared.label, days=days)


def reviews_of(home: Home, prepared: Prepared) -> list[Review]:
    """Return the reviews of the values that a prepared release publishes for the first time."""
    return [one for one in home.registry.reviews() if prepared.new.get(one.wave) == one.values_hash]


def objections(home: Home) -> list[Review]:
    """Return the last answer for each wave to whose values its country objects.

    An objection holds for later values of the wave too, until the country confirms them.
    """
    answered = [one for one in home.registry.reviews() if one.answered_at is not None]
    newest = {one.wave: one for one in sorted(answered, key=_when_answered)}
    return [newest[wave] for wave in sorted(newest) if newest[wave].answer == "objected"]


def _when_answered(one: Review) -> dt.datetime:
    return one.answered_at or one.opened_at


def objected_of(home: Home, behind: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return submission -> indicators that its country objects to; without any, all of the submission.

    Args:
        home: open and locked.
        behind: wave -> submission, of those that a release carries.
    """
    said = {one.wave: one.indicators for one in objections(home)}
    return {behind[wave]: indicators for wave, indicators in said.items() if wave in behind}


def answer_review(
    home_path: Path,
    label: str,
    area: str,
    *,
    who: str,
    indicators: Sequence[str] | None = None,
    reason: str = "",
    account: str = "",
    now: dt.datetime | None = None,
) -> list[Review]:
    """Record what a country says of its values in a prepared release; a later answer replaces an earlier.

    Args:
        home_path: the home folder.
        label: of the prepared release.
        area: ISO 3166-1 alpha-3.
        who: answers for the country.
        indicators: that it objects to, or waves of counts or answers; none named: all that is new; None: it
            confirms. What it does not name, it confirms.
        reason: of an objection; without data of persons.
        account: that names in the audit log who answers, without spaces; ``who`` by default.
        now: the present moment; for tests.

    Returns:
        The reviews as they are now, one a wave.

    Raises:
        ReleaseError: R094, none of this label is prepared.
        UsageError: U390 no values of the area are in review; U391 its time is over; U392 no such indicator.
    """
    home = Home.open(home_path)
    moment = now or dt.datetime.now(dt.UTC)
    with home.lock(wait=60):
        mine = [one for one in reviews_of(home, home.prepared.get(label)) if one.ref_area == area]
        if not mine:
            raise UsageError("U390", where=label, area=area)
        if moment >= max(one.closes_at for one in mine):
            raise UsageError("U391", where=label, area=area)
        _refuse_unknown(home, mine, indicators or ())
        of_surveys = sorted({*(indicators or ())} - {one.wave for one in mine})
        answered = [
            replace(
                _answered(one, indicators, of_surveys if _is_survey(home, one) else (), reason),
                who=who,
                answered_at=moment,
            )
            for one in mine
        ]
        for one in answered:
            home.audit.append(f"review.{one.answer}", one.wave, label=label, by=account or as_identifier(who))
            home.registry.answer_review(one)
            PROGRESS.info("%s: %s", one.wave, one.answer)
    return answered


def _is_survey(home: Home, review: Review) -> bool:
    return home.registry.get(review.submission_id).kind == "survey"


def _answered(review: Review, named: Sequence[str] | None, indicators: Sequence[str], reason: str) -> Review:
    """Return a review with what a country says of it that names what it objects to.

    Args:
        review: the review.
        named: indicators and waves, none: all; None: the country confirms.
        indicators: those of ``named`` that concern the review.
        reason: of an objection.
    """
    whole = named is not None and (not named or review.wave in named)
    if not whole and not indicators:
        return replace(review, answer="confirmed", indicators=(), reason="")
    return replace(review, answer="objected", indicators=() if whole else tuple(indicators), reason=reason)


def _refuse_unknown(home: Home, reviews: Sequence[Review], indicators: Iterable[str]) -> None:
    from copstats.framework import load_framework

    framework = load_framework(home.registry.get(reviews[0].submission_id).framework)
    known = {*framework.indicators, *(one.wave for one in reviews)}
    if unknown := sorted(set(indicators) - known):
        raise UsageError("U392", where=", ".join(unknown), count=len(unknown))
