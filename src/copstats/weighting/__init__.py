"""Weights for a survey that has base weights only: from a file and a plan to files for the statistics office.

It stands above the zones and brings together the readers of `copstats.collect` and the methods of
`copstats.analyse.weighting`. Nothing is stored and no submission is touched: the office merges the weights
with its data. Final weights that a country gives are never changed by anything here.
"""

from copstats.weighting.computing import Weighing, weigh
from copstats.weighting.files import write_results

__all__ = ["Weighing", "weigh", "write_results"]
