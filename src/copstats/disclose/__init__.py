"""Disclosure control: decides what may be published, and how exactly."""

from copstats.disclose.gate import Protected, protect, refuse_broken_shape
from copstats.disclose.primary import ConsentLevel
from copstats.disclose.profile import DisclosureProfile, load_profile
from copstats.disclose.sampling import raised_to_tier_b, sampling_fractions

__all__ = [
    "ConsentLevel",
    "DisclosureProfile",
    "Protected",
    "load_profile",
    "protect",
    "raised_to_tier_b",
    "refuse_broken_shape",
    "sampling_fractions",
]
