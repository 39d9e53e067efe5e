"""Finds national columns that may identify a person: by name, label, value labels, form of the cells."""

from copstats.collect.identifiers.detector import Detector, Suspect
from copstats.collect.identifiers.hints import Hints, load_hints

__all__ = ["Detector", "Hints", "Suspect", "load_hints"]
