"""The quarterly report to the working group."""

from __future__ import annotations

from copstats.disseminate.published import Published
from copstats.disseminate.reports.actions import actions, dates
from copstats.disseminate.reports.annex import method, values
from copstats.disseminate.reports.capacity import capacity
from copstats.disseminate.reports.document import Paragraph, Report, Section
from copstats.disseminate.reports.facts import Facts
from copstats.disseminate.reports.frame import Frame
from copstats.disseminate.reports.quality import class_counts, quality
from copstats.disseminate.reports.results import new_values, selected
from copstats.disseminate.reports.submissions import coverage, submissions
from copstats.language import translations


def quarterly_report(published: Published, language: str) -> Report:
    """Return the quarterly report of a release.

    Args:
        published: the release.
        language: BCP 47.

    Raises:
        UsageError: U120, no such language.
    """
    return compose(Facts(published), language)


def compose(facts: Facts, language: str) -> Report:
    """Return the quarterly report from facts that several languages share."""
    frame = Frame(facts, translations(language, facts.published.framework.id))
    text, publisher = frame.text, facts.published.publisher
    return Report(
        kind=text("Report to the Council Working Group on Child Online Protection"),
        title=text("Statistics on child online protection: quarterly report"),
        subtitle=dated(frame),
        publisher=publisher.name,
        contact=publisher.contact,
        subject=text("Release {label}", label=facts.label),
        date=facts.quarter_end,
        notes=notices(frame),
        sections=[
            Section(text("Summary"), [Paragraph(" ".join(summary(frame)))]),
            submissions(frame),
            coverage(frame),
            new_values(frame),
            selected(frame),
            capacity(frame),
            quality(frame),
            actions(frame),
            dates(frame),
            method(frame),
            values(frame),
        ],
        words=frame.words,
    )


def dated(frame: Frame) -> str:
    """Return the release and the end of its quarter."""
    release = frame.text("Release {label}", label=frame.facts.label)
    end = frame.facts.quarter_end
    return release if end is None else f"{release} · {frame.words.date(end)}"


def notices(frame: Frame) -> list[str]:
    """Return what stands before everything else."""
    return [frame.words.notice] if frame.words.notice else []


def summary(frame: Frame) -> list[str]:
    """Return the report in five sentences."""
    text, facts = frame.text, frame.facts
    classes, whole = class_counts(frame), len(facts.shown)
    cells = sum(facts.statuses.values())
    return [
        text(
            "Release {label} shows {values} national values of {indicators} indicators from surveys in "
            "{countries} countries and areas.",
            label=facts.label,
            values=frame.count(whole),
            indicators=frame.count(len({row.indicator for row in facts.shown})),
            countries=frame.count(len(facts.countries)),
        ),
        _received(frame),
        text(
            "Of these values, {a} are comparable between countries (class A), {b} with caution (class B), "
            "and {c} are for national use only (class C).",
            a=frame.share(classes["A"], whole),
            b=frame.share(classes["B"], whole),
            c=frame.share(classes["C"], whole),
        ),
        text(
            "Disclosure control withheld {share} of all cells, so that no child can be recognised.",
            share=frame.share(facts.statuses["Q"], cells),
        ),
        _asked(frame, sum(facts.without_values.values())),
    ]


def _received(frame: Frame) -> str:
    if frame.facts.received is None:
        return frame.text(
            "Data collection of {surveys} of the published surveys ended within the last twelve months.",
            surveys=frame.count(len(frame.facts.recent_sources)),
        )
    new = [row["state"] for row in frame.facts.received_now]
    return frame.text(
        "Submissions received in the quarter number {new}, of which {accepted} were accepted and {waiting} "
        "wait for a review.",
        new=frame.count(len(new)),
        accepted=frame.count(new.count("accepted")),
        waiting=frame.count(new.count("waiting")),
    )


def _asked(frame: Frame, lacking: int) -> str:
    if not frame.facts.criteria:
        return frame.text("Countries without published values number {count}.", count=frame.count(lacking))
    return frame.text(
        "Countries without published values number {count}; where there are values, the criterion that "
        "most often keeps them from class A is this: {criterion}.",
        count=frame.count(lacking),
        criterion=frame.lower_first(frame.criterion(frame.facts.criteria[0][0])),
    )
