"""Every reference case of R survey 4.5, one test item a case; `docs/conformance.md` lists them."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from copstats.analyse.intervals import effective_size, korn_graubard_limits
from copstats.analyse.reliability import load_standard, reliability_flags
from copstats.errors import EstimationError
from tests.reference.conformance import DIFFERENT, NOT_COVERED, page
from tests.reference.r_survey import CASES, Numbers, case_of, condition, translated

pytestmark = pytest.mark.reference

TOLERANCE = 1e-9
EXACT_ZERO = 1e-12

# R iterates and stops before the last digits: what it is sure of is compared.
ITERATED = {"logit": 1e-6, "likelihood": 1e-4}

# The flags of a case "kg" are compared in their own test, below.
FLAGS = ("show", "flag_complement", "review_df", "review_01")


def tolerance_of(name: str) -> float:
    return ITERATED.get(name.rsplit("_", 1)[1], TOLERANCE) if "ciprop" in name else TOLERANCE


def agrees(ours: float | None, reference: Any, tolerance: float) -> bool:
    """Whether two numbers are the same; what R gives as NA, NaN or Inf has no value with us."""
    if reference in (None, "NaN", "Inf"):
        return ours is None or not math.isfinite(ours)
    return ours is not None and math.isclose(ours, reference, rel_tol=tolerance, abs_tol=EXACT_ZERO)


def differences(name: str, ours: Numbers) -> list[tuple[str, str, Any, Any]]:
    """What is not the same in a case; every number that R gave is looked at."""
    out = []
    for result in CASES[name]["results"]:
        term, stat, reference = result["term"], result["stat"], result["value"]
        if stat in FLAGS:
            continue
        if stat == "cv" and isinstance(reference, float):
            reference = abs(reference)  # R's keeps the sign of the estimate
        value = ours[term, stat]
        if name.endswith("_logit") and ours[term, "est"] in (0, 1) and stat.startswith("ci_"):
            reference = None  # R's iteration ends somewhere near 0 or 1; there are no such limits
        if not agrees(value, reference, tolerance_of(name)):
            out.append((term, stat, value, reference))
    return out


@pytest.mark.parametrize("name", sorted(CASES.keys() - NOT_COVERED.keys()))
def test_case(name: str) -> None:
    case, found = case_of(name), translated(name)
    assert found is not None, "no translation"
    function, match = found
    if CASES[name]["error"]:
        with pytest.raises(EstimationError) as refused:
            function(case, match)
        assert refused.value.code == "E005"
        return
    different = differences(name, function(case, match))
    if name in DIFFERENT:
        assert different, "now equal: strike it from the list"
    else:
        assert not different


@pytest.mark.parametrize(
    "name",
    # The others follow the standard of another survey (NHIS) or none.
    [name for name in CASES if ".kg_" in name and case_of(name).params.get("adj", "nchs") == "nchs"],
)
def test_flags_of_the_presentation_standard(name: str) -> None:
    """The flag of our standard, from the numbers of `copstats.estimate`."""
    case = case_of(name)
    wanted = {result["stat"]: result["value"] for result in CASES[name]["results"]}
    where = case.params.get("domain")
    result = case.estimate(f"mean({case.params['y']})", where=condition(where) if where else None)
    p, se, n, df = result.estimate, result.se, result.n, result.df
    lower, upper = korn_graubard_limits(p, se**2, n, df)
    (flag,) = reliability_flags(
        pa.table(
            {
                "proportion": [True],
                "estimate": p,
                "se": se,
                "n": n,
                "events": np.round(p * n),  # only whether there is any counts
                "df": df,
                "n_effective": np.minimum(effective_size(p, se**2, n), n),
                "kg_lower": lower,
                "kg_upper": upper,
            }
        ),
        load_standard(),
    )
    review = wanted["review_df"] or wanted["review_01"]
    assert flag == ("unreliable" if not wanted["show"] else "review" if review else "reliable")


def test_no_case_is_lost_from_view(shared: Path) -> None:
    assert (shared / "reference" / "estimation" / "reference.json").is_file()
    assert len(CASES) == 492
    assert CASES.keys() >= NOT_COVERED.keys() | DIFFERENT.keys()
    states = Counter(
        "absent" if name in NOT_COVERED else "different" if name in DIFFERENT else "equal" for name in CASES
    )
    assert states == {"equal": 486, "different": 3, "absent": 3}


def test_the_page_is_up_to_date(root: Path, shared: Path) -> None:
    assert (root / "docs" / "conformance.md").read_text("utf-8") == page(), (
        "run `python -m tests.reference.conformance > docs/conformance.md`"
    )
