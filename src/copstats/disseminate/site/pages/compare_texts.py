"""What the scripts of the compare page say."""

from __future__ import annotations

from copstats.language import Translations


def texts(words: Translations) -> dict[str, str]:
    """Return the texts by key; the scripts fill the placeholders."""
    return {
        "total": words.text("Total"),
        "standardised": words.text("Age-standardised"),
        "group": words.text("Group"),
        "country": words.text("Country"),
        "value": words.text("Value"),
        "interval": words.text("95 % interval"),
        "range": words.text("{low} to {high}"),
        "year": words.text("Year"),
        "survey": words.text("Survey"),
        "answers": words.text("Valid answers"),
        "reliability": words.text("Reliability"),
        "class": words.text("Class"),
        "why": words.text("What keeps it from class A"),
        "low_reliability": words.text("low reliability"),
        "not_published": words.text("No figure of this group is published"),
        "values_of": words.text("{indicator}: values behind the chart"),
        "apart_of": words.text("{indicator}: class C, not comparable"),
        "chart_of": words.text("Chart: {indicator}. The table below holds the same figures."),
        "status": words.text(
            "{indicator}. Countries compared: {compared}. Without a figure: {withheld}. In class C: {apart}."
        ),
        "nothing": words.text("No country has a comparable value for this choice."),
        "mean": words.text(
            "Dashed line: {region}, {value} ({low} to {high}). Mean weighted by children. Countries: {count}."
        ),
        "no_mean": words.text("{region}: no mean. {reason}."),
        "mean_only": words.text("The mean of a region is shown for the total, or for one sex alone."),
        "hidden": words.text("Values of class C that are not shown: {count}."),
        "difference_of": words.text("{a} less {b}"),
        "difference": words.text("Difference, percentage points"),
        "reading": words.text("Reading"),
        "differs": words.text("The interval leaves out zero: the two differ."),
        "same": words.text("The interval holds zero: no difference can be told."),
        "two": words.text("Choose two different countries."),
        "median": words.text("Of medians in whole years no difference can be told."),
        "no_pair": words.text("One of the two has no value of class A or B for this group."),
        "copied": words.text("The link is copied."),
        "copy_yourself": words.text("Copy the link from this field."),
        "failed": words.text("The values of this indicator could not be loaded."),
        "loading": words.text("Loading"),
        "indicator": words.text("Indicator"),
        "code": words.text("Code"),
        "unit": words.text("Unit"),
        "se": words.text("Standard error"),
        "lower": words.text("Lower limit"),
        "upper": words.text("Upper limit"),
        "reason": words.text("Why there is no value"),
        "source": words.text("Source"),
        "release": words.text("Release"),
    }
