"""The surveys of the eight fictional countries: design, levels, and how each country's file is peculiar.

What a survey's manifest says (ages, universe, setting, modules, files) is read from it and not repeated here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sample_data.generator.design import Plan

OPTIONAL = (
    "dev_console",
    "net_hours",
    "act_create",
    "act_civic",
    "rcd_cyberperp",
    "rcm_spend",
    "hrm_type",
    "wel_family",
)
SOME = ("net_hours", "rcd_cyberperp", "hrm_type")


@dataclass(frozen=True)
class Survey:
    """What the generator needs besides the manifest.

    Attributes:
        plan: sample design.
        shift: item -> shift of its logit against the model; a prefix such as ``rct_`` shifts its whole group.
        optional: optional variables of the framework that were asked.
        dropped: variables that the file leaves out though its modules hold them (the manifest says why).
        parents: share of the children with a parent's interview; 0 without a parent file.
        unfiltered: items asked of every child, against the framework's skip pattern.
        labels: language of the value labels in SPSS and Stata files.
    """

    plan: Plan
    shift: Mapping[str, float] = field(default_factory=dict)
    optional: tuple[str, ...] = SOME
    dropped: tuple[str, ...] = ()
    parents: float = 0.0
    unfiltered: frozenset[str] = frozenset()
    labels: str = "en"


SURVEYS: dict[str, Survey] = {
    "XAA_2023_COPS_v01": Survey(
        Plan(regions=4, psus=7, invited=29, response=0.8, children=1_410_000),
        shift={"net_3m": -0.9, "net_home": -1.0, "own_phone": -0.5, "rcm_": -0.2},
        optional=OPTIONAL,
    ),
    "XAA_2025_COPS_v01": Survey(
        Plan(regions=4, psus=8, invited=29, response=0.82, children=1_455_000),
        shift={"net_3m": -0.3, "net_home": -0.6, "own_phone": -0.2, "rcd_": 0.15, "hlp_know": 0.3},
        optional=OPTIONAL,
        parents=0.85,
    ),
    "XBB_2025_COPS_v01": Survey(
        Plan(regions=5, psus=6, invited=29, response=0.76, children=2_260_000),
        shift={"net_3m": 0.6, "rct_": 0.2, "rcd_": -0.1, "med_": 0.2},
        dropped=("country_iso3",),
        parents=0.8,
    ),
    "XCC_2025_COPS_v01": Survey(
        Plan(regions=4, psus=8, invited=30, response=0.86, children=890_000),
        shift={"net_3m": 0.7, "rcn_": -0.3, "rct_": -0.3, "med_": 0.1},
        unfiltered=frozenset({"rcd_cybervic"}),
        labels="ar",
    ),
    "XDD_2023_COPS_v01": Survey(
        Plan(regions=3, psus=8, invited=38, response=0.72, children=3_900_000),
        shift={"net_3m": 0.3, "rcd_": 0.4, "rct_": 0.2},
    ),
    "XDD_2025_COPS_v01": Survey(
        Plan(regions=4, psus=7, invited=30, response=0.83, children=3_950_000),
        shift={"net_3m": 0.6, "rcd_": 0.35, "rct_": 0.1, "skl_": 0.2},
    ),
    "XEE_2025_COPS_v01": Survey(
        Plan(regions=5, psus=7, invited=30, response=0.63, children=1_120_000),
        shift={"rcn_": 0.25, "rct_": 0.1, "skl_": 0.2},
        dropped=("net_3m",),
        labels="ru",
    ),
    "XFF_2025_COPS_v02": Survey(
        Plan(regions=4, psus=7, invited=29, response=0.8, children=640_000),
        shift={"net_3m": 1.3, "net_home": 1.2, "own_phone": 0.7, "skl_": 0.3, "hlp_know": 0.2},
        optional=("net_hours", "rcd_cyberperp"),
        parents=0.7,
    ),
    "XGG_2025_COPS_v01": Survey(
        Plan(regions=4, psus=8, invited=31, response=0.82, children=2_730_000, single=True),
        shift={
            "net_3m": -1.2,
            "net_home": -1.8,
            "own_phone": -0.9,
            "rcd_": -0.3,
            "skl_": -0.4,
            "hlp_know": -0.3,
        },
    ),
    "XHH_2025_COPS_v01": Survey(
        Plan(regions=6, psus=6, invited=29, response=0.87, children=5_200_000),
        shift={"net_3m": -0.6, "net_home": -0.9, "rcm_": 0.3, "med_": -0.2},
        optional=OPTIONAL,
        parents=0.75,
    ),
}
"""By folder. ``XFF_2025_COPS_v01`` is made from its corrected resubmission, ``v02``, by planting faults."""


def shift_of(survey: Survey, items: list[str]) -> dict[str, float]:
    """Return item -> shift; the longest matching prefix counts."""
    out = {}
    for item in items:
        matching = [prefix for prefix in survey.shift if item.startswith(prefix)]
        if matching:
            out[item] = survey.shift[max(matching, key=len)]
    return out
