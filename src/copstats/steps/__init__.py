"""The steps of the main job, each a function of ids and paths: what commands and flows call.

collect -> process -> (seal) -> analyse -> (disclosure gate) -> disseminate. Every step may be repeated: what
is done already is recognised by its content and left as it is.
"""

from copstats.steps.common import PROGRESS, area_table, current_quarter, submissions_in, year_of
from copstats.steps.estimation import estimate, waves_to_estimate
from copstats.steps.intake import check, check_official, decide, ingest, is_official, prepare_gate
from copstats.steps.publication import Published, publish
from copstats.steps.registration import Ingested
from copstats.steps.sealing import Sealed, Seals, seal

__all__ = [
    "PROGRESS",
    "Ingested",
    "Published",
    "Sealed",
    "Seals",
    "area_table",
    "check",
    "check_official",
    "current_quarter",
    "decide",
    "estimate",
    "ingest",
    "is_official",
    "prepare_gate",
    "publish",
    "seal",
    "submissions_in",
    "waves_to_estimate",
    "year_of",
]
