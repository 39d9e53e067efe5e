"""What the codes of a country's page mean, and what an office can do about its comparability."""

from __future__ import annotations

from copstats.disseminate.codes import LISTS
from copstats.language import N_

STATED = {
    **LISTS,
    "custody": {
        "double": N_("Twice: by the country, and again where the data were received"),
        "single": N_("Once, where the data were received; this protects less"),
    },
}
"""Column of table ``source`` -> code -> label."""

REMEDIES = {
    "sampling": N_("Draw a probability sample, and document its frame, stages and selection."),
    "coverage": N_(
        "Cover the whole country and children out of school, and state what share the frame covers."
    ),
    "age_band": N_("Ask all ages of the indicator. Values by age band may be of class A already."),
    "universe": N_("Ask those of whom the indicator speaks, not everybody."),
    "recall": N_("Ask about the framework's recall period."),
    "wording": N_("Ask what the definition says, and declare how the national question relates to it."),
    "scale": N_("Use the framework's answer scale, or one that can be brought to it."),
    "mode": N_("Let children answer questions on risks by themselves."),
    "completeness": N_("Ask all core questions of the module, in its order."),
    "response": N_("Plan more visits and reminders; study how those differ who did not take part."),
    "weights": N_("Deliver the weights and the design variables with the data."),
    "item_nonresponse": N_("Find out why children leave the question out: privacy, place or wording."),
    "age_of_data": N_("Hold a new round of the survey."),
    "translation": N_("Have the translation reviewed by a team."),
}
"""Criterion of comparability -> what would bring its values to class A."""

UNKNOWN_SUFFIX = "_unknown"
STATE_IT = N_("State it in the manifest or in the crosswalk of the submission.")
"""What to do where nothing is known of a criterion."""

SAMPLES = {
    "independent": N_("Independent samples"),
    "linked": N_("Samples that share places, linked"),
    "assumed_independent": N_("Samples that share places, not linked: the interval is rather too wide"),
}
"""How two rounds were taken."""

SERVICES = {
    "helpline": N_("Child helplines"),
    "hotline": N_("Hotlines for illegal content"),
    "law_enforcement": N_("Police and justice"),
    "education": N_("Schools"),
    "training": N_("Training"),
    "population": N_("Population"),
}
"""Who reports counts."""

ANSWERS = {
    "yes": N_("Yes"),
    "partial": N_("In part"),
    "no": N_("No"),
    "not_applicable": N_("Does not apply"),
}
"""Answers on the national framework."""

GAPS = {
    "sex": (N_("Girls and boys"), N_("Girls"), N_("Boys")),
    "residence": (N_("Rural and urban areas"), N_("Rural"), N_("Urban")),
    "wealth_quintile": (N_("Poorest and richest fifth"), N_("Poorest"), N_("Richest")),
}
"""Dimension -> heading and names of the two groups, in the order of table ``group_difference``."""
