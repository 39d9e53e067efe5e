"""What the states of uploads and submissions are called, in the portal and by its client."""

from __future__ import annotations

from copstats.language import N_

STATES = {
    "receiving": N_("on its way"),
    "complete": N_("received"),
    "checking": N_("being checked"),
    "refused": N_("refused"),
    "done": N_("checked"),
    "rejected": N_("has errors"),
    "waiting": N_("waits for a decision"),
    "accepted": N_("accepted"),
    "declined": N_("declined"),
    "superseded": N_("replaced by a newer version"),
    "withdrawn": N_("withdrawn"),
}
"""States of uploads and submissions."""
