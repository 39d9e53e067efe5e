"""Makes the condition of each generated rule class for a variable."""

from __future__ import annotations

from collections.abc import Callable

from copstats.framework.definitions import Variable
from copstats.process.conditions import Outcome
from copstats.process.makers import answers, cells, design, skips, units, weights
from copstats.process.records import RecordTable

Maker = Callable[[RecordTable, str, Variable], Outcome]

MAKERS: dict[str, Maker] = {
    "blank": cells.blank,
    "unread": cells.unread,
    "code_list": cells.code_list,
    "range": cells.value_range,
    "pattern": cells.pattern,
    "key_unique": cells.key_unique,
    "weight_missing": design.weight_missing,
    "weight_positive": design.weight_positive,
    "weights_all_equal": design.weights_all_equal,
    "skip_ignored": skips.skip_ignored,
    "skip_unfounded": skips.skip_unfounded,
    "stratum_single_psu": design.stratum_single_psu,
    "parent_without_child": cells.parent_without_child,
    "area_mismatch": cells.area_mismatch,
    "straight_lining": answers.straight_lining,
    "record_too_empty": answers.record_too_empty,
    "item_nonresponse": answers.item_nonresponse,
    "age_outside_population": cells.age_outside_population,
    "weight_large": weights.weight_large,
    "weight_spread": weights.weight_spread,
    "replicate_sum": weights.replicate_sum,
    "psu_in_two_strata": units.psu_in_two_strata,
    "psu_numbered_in_strata": units.psu_numbered_in_strata,
    "psu_of_one": units.psu_of_one,
    "psu_large": units.psu_large,
    "stratum_constant": units.stratum_constant,
    "fpc_too_small": units.fpc_too_small,
    "doubled_record": units.doubled_record,
}
"""Rule class -> what makes its condition for a variable."""
