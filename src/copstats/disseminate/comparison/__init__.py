"""Differences, changes and ranks of published values.

All of it is computed from values as they are published, rounded and gated, so that it tells nothing that
they do not. Only standard errors, of two groups of one survey and of two rounds, come from the restricted
side, where covariances are known; they are rounded up.
"""

from copstats.disseminate.comparison.multiplicity import benjamini_hochberg, holm
from copstats.disseminate.comparison.ranks import RankSets, rank_sets
from copstats.disseminate.comparison.tables import CHANGE, GROUP_DIFFERENCE, change, group_difference

__all__ = [
    "CHANGE",
    "GROUP_DIFFERENCE",
    "RankSets",
    "benjamini_hochberg",
    "change",
    "group_difference",
    "holm",
    "rank_sets",
]
