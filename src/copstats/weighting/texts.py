"""What terminal, report and manifest lines call the steps, in the reader's language."""

from __future__ import annotations

from copstats.language import N_, Translations
from copstats.weighting.computing import Weighing

STAGES = {
    "sampled": N_("Base weights, all sampled"),
    "base": N_("Base weights, respondents"),
    "nonresponse": N_("After the adjustment for non-response"),
    "trimming": N_("After trimming"),
    "calibration": N_("After calibration"),
}
"""Stage -> the weights at that stage."""

FACTORS = {
    "nonresponse": N_("Non-response"),
    "trimming": N_("Trimming"),
    "calibration": N_("Calibration"),
    "all": N_("Final over base weight"),
}
"""Step -> its factors."""

REASONS = {
    "nobody": N_("nobody responded"),
    "few": N_("respondents below {least}"),
    "factor": N_("factor above {greatest}"),
    "neighbour": N_("neighbour of such a class"),
}
"""Why a combination was joined to another."""

METHODS = {
    "raking": N_("raking"),
    "post_stratification": N_("post-stratification"),
    "linear": N_("linear calibration (generalised regression)"),
    "logit": N_("logit calibration"),
}

KEEP = N_(
    "Keep these files where you keep the data. weights.csv holds the keys of persons, and small classes are "
    "shown as they are. Merge the weights with your data here; send none of the files."
)


_LARGE, _SMALL = 1, 0.1


def figure(value: float, usual: int, words: Translations) -> str:
    """Write a weight or factor; one below 1 gets at least three decimals, one below 0.1 five."""
    decimals = usual if value >= _LARGE else max(usual, 3) if value >= _SMALL else 5
    return words.number(value, decimals)


def method(weighing: Weighing, words: Translations) -> str:
    """Return how the weights were computed, as ``weight_method`` of a manifest says it."""
    says = weighing.plan.says
    parts = [words.text("Base weights are inverse probabilities of selection.")]
    if weighing.step("nonresponse") is not None:
        parts.append(_nonresponse(weighing, words))
    if (trimming := weighing.step("trimming")) is not None and says.trim is not None:
        parts.append(
            words.text(
                "Weights above {limit} medians were cut: {count}.",
                limit=words.number(says.trim, 1),
                count=words.number(trimming.diagnostics.trimmed),
            )
        )
    if says.calibrated:
        parts.append(_calibration(weighing, words))
    return " ".join(parts)


def _nonresponse(weighing: Weighing, words: Translations) -> str:
    classes = weighing.classes
    if not weighing.plan.says.classes or classes is None:
        return words.text("Non-response was adjusted for by one factor.")
    return words.text(
        "Non-response was adjusted for in weighting classes of {columns}; classes: {count}.",
        columns=words.listing(weighing.plan.says.classes),
        count=words.number(classes["class_no"][-1].as_py()),
    )


def _calibration(weighing: Weighing, words: Translations) -> str:
    says = weighing.plan.says
    known = [" x ".join(table.columns) for table in says.margins]
    text = words.text(
        "Calibrated to the population by {method}: {tables}.",
        method=words.text(METHODS[says.method]),
        tables=words.listing([*known, *says.totals]),
    )
    if says.bounds is not None:
        text += " " + words.text(
            "Factors lie between {lower} and {upper}.",
            lower=words.number(says.bounds.lower, 2),
            upper=words.number(says.bounds.upper, 2),
        )
    return text


def reason(weighing: Weighing, name: str, words: Translations) -> str:
    """Return why a combination was joined; empty if it was not."""
    if not name:
        return ""
    says = weighing.plan.says
    params = {"few": {"least": words.number(says.least_respondents)}}
    params["factor"] = {"greatest": words.number(says.greatest_factor, 1)}
    return words.text(REASONS[name], **params.get(name, {}))


def notes(weighing: Weighing, words: Translations) -> list[str]:
    """Return in sentences what a reader must know before she uses the weights."""
    found = []
    if weighing.sample.ineligible:
        found.append(
            words.text(
                "Records left aside as not eligible: {count}.",
                count=words.number(weighing.sample.ineligible),
            )
        )
    if (calibration := weighing.step("calibration")) is not None:
        figures = calibration.diagnostics
        text = words.text(
            "All totals are met; rounds: {rounds}; largest relative difference left: {difference}.",
            rounds=words.number(figures.iterations),
            difference=f"{figures.largest_difference:.0e}",
        )
        found.append(text)
        if figures.at_bounds:
            found.append(words.text("Factors at a bound: {count}.", count=words.number(figures.at_bounds)))
    if (trimming := weighing.step("trimming")) is not None:
        found.append(
            words.text(
                "Weights cut: {count}; share of their sum that was cut: {share} %.",
                count=words.number(trimming.diagnostics.trimmed),
                share=words.number(100 * trimming.diagnostics.trimmed_share, 2),
            )
        )
    return found + _class_notes(weighing, words)


def _class_notes(weighing: Weighing, words: Translations) -> list[str]:
    step, classes, says = weighing.step("nonresponse"), weighing.classes, weighing.plan.says
    if step is None or classes is None:
        return []
    found = []
    if step.diagnostics.merged_classes:
        found.append(
            words.text(
                "Weighting classes that were joined to another: {count}; classes left: {left}.",
                count=words.number(step.diagnostics.merged_classes),
                left=words.number(classes["class_no"][-1].as_py()),
            )
        )
    few = classes["respondents"].to_numpy().min() < says.least_respondents
    if few or classes["factor"].to_numpy().max() > says.greatest_factor:
        found.append(
            words.text("All classes together do not keep within the limits of the plan: look at them.")
        )
    return found
