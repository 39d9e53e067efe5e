"""Judges what the cells of a column give away, and whether they fit what its name or label promises.

Thresholds are our own choice, set so that a list of answers is never taken for a list of persons.
"""

# ruff: noqa: PLR2004 - the thresholds stand where they are applied, as in a table

from __future__ import annotations

from collections.abc import Callable, Mapping

from copstats.collect.identifiers.facts import Facts

NAMES = ("full_name", "uncased_name", "one_name")
DAYS = 31
_MONTH_FROM = 20
_POSTCODES = 10
_STAFF = 8
_KEY = 20
_SECONDS = 1e8
"""Numbers from here on may count seconds: since 1582 in SPSS, since 1970 elsewhere."""


def from_values(facts: Facts) -> dict[str, float]:
    """Return kind -> share of the cells that have its form, for the kinds that the cells alone give away."""
    found = {kind: share for kind, judge in _JUDGES.items() if (share := judge(facts))}
    for kind, others in _RATHER.items():
        if others & found.keys():
            found.pop(kind, None)
    if not found and facts.ratio > 0.95 and facts.cells >= _KEY and not facts.share("fractional") > 0.05:
        found["near_unique"] = facts.ratio
    return found


def fits(kind: str, facts: Facts) -> bool:
    """Return whether the cells can be what a key word of the kind promises."""
    return facts.cells > 0 and _FITS[kind](facts)


def in_labels(labels: Facts) -> dict[str, float]:
    """Return kind -> share of the labels of a column's values that have a form which tells anywhere."""
    forms = {"email": "email", "url_or_handle": "url_or_handle", "phone": "phone_in_text"}
    return {kind: share for kind, form in forms.items() if (share := labels.anywhere(form))}


def names_in_labels(facts: Facts) -> bool:
    """Return whether the labels of a column's values may be names of persons or institutions."""
    return facts.distinct >= _STAFF and facts.share(*NAMES) >= 0.6


def _least(least: float, *forms: str) -> Callable[[Facts], float]:
    """Judge by the share of the cells that have one of some forms, in a column of varied cells."""
    return lambda facts: share if (share := facts.share(*forms)) >= least and facts.varied else 0.0


def _scattered(least: float, *forms: str) -> Callable[[Facts], float]:
    return lambda facts: share if (share := facts.share(*forms)) >= least and facts.scattered else 0.0


def _device(facts: Facts) -> float:
    share = max(facts.share("uuid", "mac"), facts.share("imei") if facts.share("imei") > 0.9 else 0.0)
    return share if share >= 0.3 and facts.varied else 0.0


def _phone(facts: Facts) -> float:
    share = facts.share("phone")
    return share if share >= 0.3 and facts.varied else facts.anywhere("phone_in_text")


def _long_number(facts: Facts) -> float:
    share = facts.share("long_number")
    return share if share >= 0.7 and facts.ratio >= 0.8 and facts.distinct >= _KEY else 0.0


def _birth(facts: Facts) -> float:
    dates, births = facts.share("date"), facts.share("birth")
    return births if _dated(facts) and births >= 0.8 * dates else 0.0


def _time(facts: Facts) -> float:
    if facts.share("moment") > 0.9 and facts.varied and (facts.highest or 0) - (facts.lowest or 0) < _SECONDS:
        return facts.share("moment")
    return max(facts.share("date"), facts.share("clock")) if _dated(facts) else 0.0


def _dated(facts: Facts) -> bool:
    return max(facts.share("date"), facts.share("clock")) >= 0.5 and facts.distinct >= 5


def _sentences(facts: Facts) -> float:
    share = facts.share("sentence")
    often = facts.scattered or (facts.distinct >= 15 and facts.ratio >= 0.2)
    return share if share >= 0.3 and often else 0.0


_JUDGES: Mapping[str, Callable[[Facts], float]] = {
    "person_name": _scattered(0.6, *NAMES),
    "phone": _phone,
    "email": lambda facts: facts.anywhere("email"),
    "url_or_handle": lambda facts: facts.anywhere("url_or_handle"),
    "address": _scattered(0.5, "address"),
    "coordinate": _least(0.3, "pair"),
    "bank_account": _least(0.5, "bank_account"),
    "ip_address": _least(0.3, "ip"),
    "device_id": _device,
    "date_of_birth": _birth,
    "exact_time": _time,
    "long_number": _long_number,
    "free_text": _sentences,
}
_RATHER: Mapping[str, frozenset[str]] = {
    "phone": frozenset({"ip_address", "coordinate", "device_id", "bank_account", "exact_time", "address"}),
    "exact_time": frozenset({"date_of_birth"}),
    "ip_address": frozenset({"device_id"}),
    "long_number": frozenset(
        {"phone", "device_id", "bank_account", "ip_address", "exact_time", "date_of_birth", "coordinate"}
    ),
    "url_or_handle": frozenset({"email"}),
    "address": frozenset({"coordinate", "device_id", "exact_time", "email"}),
    "free_text": frozenset({"address", "person_name", "coordinate"}),
}
"""A kind falls where the same cells are better explained by one of others."""


def _worded(facts: Facts) -> bool:
    return not facts.numeric and facts.share("text") >= 0.5


def _digits(facts: Facts) -> bool:
    return facts.varied and (
        facts.share("phone", "long_number") >= 0.3 or (facts.numeric and (facts.highest or 0) >= 1e5)
    )


def _day_of_birth(facts: Facts) -> bool:
    low, high = facts.lowest, facts.highest
    if facts.numeric and low is not None and high is not None and high <= DAYS and not facts.fractional:
        return low >= 1 and facts.distinct >= _MONTH_FROM
    return facts.varied and (facts.share("date") >= 0.3 or (facts.numeric and (high or 0) > 3000))


_FITS: Mapping[str, Callable[[Facts], bool]] = {
    "person_name": lambda facts: _worded(facts) and facts.varied and facts.share("letters") >= 0.7,
    "phone": _digits,
    "email": lambda facts: _worded(facts) and facts.varied,
    "url_or_handle": lambda facts: _worded(facts) and facts.varied,
    "address": lambda facts: _worded(facts) and facts.varied,
    "postal_code": lambda facts: facts.varied and facts.distinct >= _POSTCODES and not facts.fractional,
    "coordinate": lambda facts: facts.varied and facts.share("deep") >= 0.3 and (facts.highest or 0) <= 180,
    "national_id": lambda facts: facts.ratio >= 0.5 and facts.distinct >= 5 and facts.share("code") >= 0.5,
    "bank_account": lambda facts: facts.ratio >= 0.3 and facts.share("long_number", "bank_account") >= 0.5,
    "ip_address": lambda facts: facts.varied and facts.share("ip") >= 0.3,
    "device_id": lambda facts: (
        facts.ratio >= 0.2 and facts.distinct >= 5 and facts.share("code", "uuid") >= 0.5
    ),
    "date_of_birth": _day_of_birth,
    "exact_time": lambda facts: facts.numeric and (facts.lowest or 0) >= _SECONDS and facts.varied,
    "interviewer": lambda facts: facts.distinct >= _STAFF and not facts.fractional and _staff(facts),
    "school": lambda facts: facts.share("letters") >= 0.5 and facts.varied and facts.distinct >= _STAFF,
    "free_text": lambda facts: _worded(facts) and facts.varied,
}


def _staff(facts: Facts) -> bool:
    """Whether codes or names repeat as those of staff do, who each meet several children."""
    return facts.ratio < 0.5 or _worded(facts)
