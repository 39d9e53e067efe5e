"""Code lists of published columns that are not part of the SDMX structure, with their labels."""

from __future__ import annotations

from collections.abc import Mapping

from copstats.disseminate.release_calendar import STATES
from copstats.disseminate.revisions import REASONS
from copstats.language import N_

LISTS: Mapping[str, Mapping[str, str]] = {
    "coverage": {"national": N_("The whole country"), "subnational": N_("A part of the country")},
    "mode": {
        "self_completed": N_("Children answered by themselves"),
        "interviewer_private": N_("Interviewer, in private"),
        "interviewer_others_present": N_("Interviewer, others may have been present"),
        "mixed": N_("Several modes"),
        "unknown": N_("Not known"),
    },
    "revision_reason": REASONS,
    "sampling": {
        "probability_documented": N_("Probability sample, documented"),
        "probability_partly_documented": N_("Probability sample, documented in part"),
        "non_probability": N_("No probability sample"),
    },
    "setting": {"household": N_("Households"), "school": N_("Schools")},
    "state": STATES,
    "universe": {
        "all_children": N_("All children of these ages"),
        "internet_users": N_("Children who use the internet"),
    },
}
"""Column -> code -> label."""
