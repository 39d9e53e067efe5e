"""What an attacker knows besides the figures: how cells and indicators of one wave hang together."""

from copstats.disclose.relations.cells import Cell, ContradictoryCells, cells_of, read_cells
from copstats.disclose.relations.definitions import Relation, Relations, relations_of
from copstats.disclose.relations.wave import wave_problem

__all__ = [
    "Cell",
    "ContradictoryCells",
    "Relation",
    "Relations",
    "cells_of",
    "read_cells",
    "relations_of",
    "wave_problem",
]
