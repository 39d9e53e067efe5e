"""Disclosure control: decides what may be published, and how exactly."""

from copstats.disclose.gate import protect, refuse_broken_shape
from copstats.disclose.primary import ConsentLevel
from copstats.disclose.profile import DisclosureProfile, load_profile

__all__ = ["ConsentLevel", "DisclosureProfile", "load_profile", "protect", "refuse_broken_shape"]
