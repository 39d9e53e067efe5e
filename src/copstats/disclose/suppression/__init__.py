"""Complementary suppression: which further cells to withhold so that no withheld one can be worked out.

Works on any linear system. Gaussian elimination proposes (`elimination`), feasibility intervals decide, a
greedy repair adds what is missing, and pruning takes back what is not needed (`pattern`).
"""

from copstats.disclose.suppression.pattern import Pattern, suppress
from copstats.disclose.suppression.problem import Problem

__all__ = ["Pattern", "Problem", "suppress"]
