"""The glossary of the method pages."""

from __future__ import annotations

from copstats.language import N_, Translations

_TERMS = (
    (
        N_("95 % interval"),
        N_(
            "A range that holds the true value in 95 of 100 surveys of the same kind. It covers the chance "
            "of the sample only, not mistakes in answers or children who were not reached."
        ),
    ),
    (
        N_("Class of comparability"),
        N_("A: comparable; B: with caution; C: not comparable, for national use only."),
    ),
    (N_("Cell"), N_("One figure: an indicator of a survey for one group of children.")),
    (N_("Composite indicator"), N_("An indicator that combines others: any of them, or all of them.")),
    (
        N_("Coverage of a mean"),
        N_("Share of the children of a group of countries who live in countries with a comparable value."),
    ),
    (
        N_("Design effect"),
        N_(
            "How much wider an interval is, squared, because children were drawn in schools or places and "
            "not singly."
        ),
    ),
    (N_("Fieldwork"), N_("The days on which children were asked.")),
    (N_("Framework"), N_("The versioned definitions that all surveys of this site are brought to.")),
    (
        N_("Item non-response"),
        N_("Share of those who should have answered a question and gave no valid answer."),
    ),
    (
        N_("Low reliability (U)"),
        N_("The value rests on few answers, or its interval is wide: read it with its interval only."),
    ),
    (
        N_("Mean of a group of countries"),
        N_("Mean of the values of countries, each counting as much as it has children."),
    ),
    (
        N_("Per cent point"),
        N_("The unit of the difference of two per cents: from 20 to 25 per cent are five per cent points."),
    ),
    (
        N_("Primary sampling unit"),
        N_("What was drawn first: schools, villages or blocks, within which children were drawn."),
    ),
    (N_("Recall period"), N_("The time that a question asks about, for example the last 12 months.")),
    (
        N_("Reference population"),
        N_("The children of whom an indicator speaks, for example those who use the internet."),
    ),
    (
        N_("Standardised value"),
        N_("What a survey would give if ages and sexes were as in the standard population."),
    ),
    (N_("Withheld value"), N_("A value that is not shown so that no child's answer can be worked out.")),
    (N_("Weight"), N_("How many children of the population one child of the sample stands for.")),
)


def terms(words: Translations) -> list[tuple[str, str]]:
    """Return the terms and what they mean, in the order of the alphabet of the language's code points."""
    return sorted((words.text(term), words.text(meaning)) for term, meaning in _TERMS)
