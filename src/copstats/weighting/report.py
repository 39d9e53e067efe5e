"""The report as one HTML page: nothing is loaded from elsewhere, and no script runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from copstats.analyse.weighting.diagnostics import EXTREME, QUANTILES, Diagnostics
from copstats.language import N_, Translations
from copstats.process.pictures import WeightBars
from copstats.process.reports import drawing
from copstats.weighting.computing import Weighing
from copstats.weighting.figures import Category, Combination, bars, combinations, factors, margins, stages
from copstats.weighting.texts import FACTORS, KEEP, STAGES, figure, method, notes, reason


def page(weighing: Weighing, words: Translations) -> str:
    """Return the page.

    Args:
        weighing: what came of a plan.
        words: language of the page; sets its direction.
    """
    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(Path(__file__).parent),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    final = weighing.final_diagnostics
    edges, counts = bars(weighing.final)
    return environment.get_template("report.html.jinja").render(
        data=weighing.data,
        plan=weighing.plan.path.name,
        cards=_cards(weighing, words),
        notes=notes(weighing, words),
        stages=[(words.text(STAGES[name]), _stage(one, words)) for name, one in stages(weighing)],
        extreme=[words.text("above {count} medians", count=times) for times in EXTREME],
        factors=[
            (words.text(FACTORS[name]), [figure(value, 3, words) for value in values])
            for name, values in factors(weighing)
        ],
        quantiles=_quantiles(words),
        histogram=drawing.histogram(WeightBars(edges, counts, logarithmic=False), words),
        canvas=drawing.CANVAS,
        margins=[(name, [_category(row, words) for row in rows]) for name, rows in margins(weighing)],
        classes=weighing.plan.says.classes,
        combinations=[_combination(row, weighing, words) for row in combinations(weighing)],
        method=method(weighing, words),
        final=words.number(final.sum_after),
        keep=words.text(KEEP),
        notice=words.notice,
        language=words.language,
        direction=words.direction,
        say=_headings(words),
    )


def _cards(weighing: Weighing, words: Translations) -> list[tuple[str, str]]:
    final = weighing.final_diagnostics
    cards = [(words.text(N_("respondents")), words.number(final.records))]
    if weighing.plan.says.respondent is not None:
        share = words.text("{share} %", share=words.number(100 * weighing.response, 1))
        cards.append((words.text(N_("responded")), share))
    return [
        *cards,
        (words.text("sum of the final weights"), words.number(final.sum_after)),
        (words.text("Kish effect"), words.number(final.kish_effect, 2)),
        (words.text("effective sample size"), words.number(final.effective_size)),
    ]


def _stage(one: Diagnostics, words: Translations) -> list[str]:
    return [
        words.number(one.weighted),
        words.number(one.sum_after),
        figure(one.minimum, 1, words),
        figure(one.mean, 1, words),
        figure(one.maximum, 1, words),
        words.number(one.ratio, 1),
        words.number(one.kish_effect, 3),
        words.number(one.effective_size),
        *(words.number(count) for count in one.extreme),
    ]


def _quantiles(words: Translations) -> list[str]:
    inner = [words.text("{share} %", share=words.number(100 * share)) for share in QUANTILES[1:-1]]
    return [words.text(N_("smallest")), *inner, words.text(N_("largest"))]


def _category(row: Category, words: Translations) -> dict[str, Any]:
    def gap(value: float | None) -> str:
        if value is None:
            return ""
        # A difference of rounding is shown as none, without its sign.
        share = round(100 * value, 1) or 0.0
        return words.text("{share} %", share=words.number(share, 1))

    return {
        "names": row.names,
        "numbers": [
            words.number(row.respondents),
            words.number(row.population),
            words.number(row.before),
            gap(row.gap_before),
            words.number(row.after),
            gap(row.gap_after),
        ],
    }


def _combination(row: Combination, weighing: Weighing, words: Translations) -> dict[str, Any]:
    return {
        "names": [words.text(N_("missing")) if name is None else name for name in row.names],
        "numbers": [
            words.number(row.units),
            words.number(row.respondents),
            "" if row.own_factor is None else figure(row.own_factor, 3, words),
            words.number(row.number),
            figure(row.factor, 3, words),
        ],
        "reason": reason(weighing, row.reason, words),
        "joined": bool(row.reason),
    }


def _headings(words: Translations) -> dict[str, Any]:
    """Return the fixed texts of the page."""
    return {
        "report": words.text("Report of a weighting"),
        "plan": words.text("Plan"),
        "file": words.text("Data file"),
        "skip": words.text("Skip to the content"),
        "glance": words.text("At a glance"),
        "method": words.text("Method, as the manifest says it"),
        "steps": words.text("What each step does to the weights"),
        "steps_note": words.text(
            "The Kish effect is the factor by which unequal weights alone raise variances; it is 1 where all "
            "weights are equal. The effective sample size is the number of respondents over it."
        ),
        "weights": words.text("Weights"),
        "stage": [
            words.text("Records"),
            words.text("Sum"),
            words.text("Smallest"),
            words.text("Mean"),
            words.text("Largest"),
            words.text("Largest over smallest"),
            words.text("Kish effect"),
            words.text("Effective size"),
        ],
        "factors": words.text("Distribution of the factors"),
        "step": words.text("Step"),
        "histogram": words.text("Distribution of the final weights"),
        "weight": words.text(N_("weight")),
        "records": words.text("Records"),
        "margins": words.text("Population tables before and after the calibration"),
        "margin": [
            words.text("Respondents"),
            words.text("Population"),
            words.text("Weights before"),
            words.text("Difference"),
            words.text("Weights after"),
            words.text("Difference"),
        ],
        "classes": words.text("Weighting classes"),
        "classes_note": words.text(
            "The own factor is that of the combination alone. Combinations with the same class number were "
            "joined and share a factor."
        ),
        "class": [
            words.text("Sampled"),
            words.text("Respondents"),
            words.text("Own factor"),
            words.text("Class"),
            words.text("Factor"),
        ],
        "reason": words.text("Joined because"),
    }
