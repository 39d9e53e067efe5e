"""The steps of the main job, each a function of ids and paths: what commands and flows call.

collect -> process -> (seal) -> analyse -> (disclosure gate) -> disseminate. Every step may be repeated: what
is done already is recognised by its content and left as it is.
"""

from copstats.steps.calendar import (
    approved_releases,
    label_due,
    note_outcome,
    prepared_labels,
    record_published,
)
from copstats.steps.common import PROGRESS, area_table, current_quarter, submissions_in, year_of
from copstats.steps.estimation import estimate, waves_to_estimate
from copstats.steps.intake import check, check_official, decide, ingest, is_official, prepare_gate
from copstats.steps.notices import tell
from copstats.steps.publication import Published, publish, publish_if_due
from copstats.steps.registration import Ingested
from copstats.steps.review import answer_review
from copstats.steps.sealing import Sealed, Seals, seal
from copstats.steps.uploaded import ingest_uploaded, next_upload, put_back, take_up

__all__ = [
    "PROGRESS",
    "Ingested",
    "Published",
    "Sealed",
    "Seals",
    "answer_review",
    "approved_releases",
    "area_table",
    "check",
    "check_official",
    "current_quarter",
    "decide",
    "estimate",
    "ingest",
    "ingest_uploaded",
    "is_official",
    "label_due",
    "next_upload",
    "note_outcome",
    "prepare_gate",
    "prepared_labels",
    "publish",
    "publish_if_due",
    "put_back",
    "record_published",
    "seal",
    "submissions_in",
    "take_up",
    "tell",
    "waves_to_estimate",
    "year_of",
]
