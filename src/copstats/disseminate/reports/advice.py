"""What would bring a value into class A, by criterion of comparability."""

from __future__ import annotations

from typing import Any

from copstats.disseminate.reports.frame import Frame
from copstats.framework.located import Located
from copstats.language import N_
from copstats.project import project_root

ADVICE = {
    "sampling": N_(
        "Draw a probability sample in which every child has a known chance, and document its design."
    ),
    "coverage": N_(
        "Reach at least {limit} % of the children of the ages asked about, at home rather than at school "
        "alone, in the whole country."
    ),
    "age_band": N_(
        "Ask all single years of age that the indicator speaks of, or publish on a common band of ages."
    ),
    "universe": N_("Put the question to those of whom the indicator speaks, and to no others."),
    "recall": N_("Use the framework's recall period."),
    "wording": N_("Use the framework's concepts word for word, and test the translation."),
    "scale": N_("Use the framework's answer scale."),
    "mode": N_("Let children answer questions on risks by themselves, unseen by others."),
    "completeness": N_(
        "Ask at least {limit} % of the core questions of each module, and declare the module."
    ),
    "response": N_("Raise the overall response to at least {limit} %, and state it in the manifest."),
    "weights": N_("Deliver weights together with strata and primary sampling units."),
    "item_nonresponse": N_("Keep missing answers at no more than {limit} % of those who were asked."),
    "age_of_data": N_("Repeat the survey at least every {years} years."),
    "translation": N_("Translate with a team, review and adjudication, and document it."),
}
"""Criterion -> what meets it; ``{limit}`` and ``{years}`` are its bound of class A."""
_UNKNOWN = "_unknown"


def criterion(code: str) -> str:
    """Return the criterion that a code of ``comparability_reasons`` belongs to."""
    return code.removesuffix(_UNKNOWN)


def advice(frame: Frame, code: str) -> str:
    """Return what meets a criterion, in words.

    Args:
        frame: gives the framework, whose bounds are named, and the language.
        code: of ``comparability_reasons``.
    """
    name = criterion(code)
    if name not in ADVICE:
        return frame.criterion(code)
    path = project_root() / "schemas" / frame.facts.published.framework.id / "comparability.yaml"
    rules: dict[str, Any] = Located(path).data[name]
    bound = (rules.get("at_least") or rules.get("at_most") or {}).get("A", 0)
    said = frame.text(ADVICE[name], limit=frame.words.number(100 * bound), years=frame.words.number(bound))
    if code.endswith(_UNKNOWN):
        said += " " + frame.text("State it in the manifest: what is not known is never of class A.")
    return said
