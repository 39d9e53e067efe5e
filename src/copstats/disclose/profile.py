"""The disclosure profile of a framework version: thresholds, steps of rounding, bands, reasons."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from copstats.disclose.named import merged, read_named
from copstats.disclose.profile_checks import REQUIRED_REASONS, refuse_unsafe
from copstats.errors import DefinitionError
from copstats.framework.disclosure import TIERS, DisclosureProfile, Rounding, Tier
from copstats.framework.loader import DEFAULT_FRAMEWORK
from copstats.framework.located import Located
from copstats.framework.typed import typed
from copstats.project import project_root

__all__ = [
    "REQUIRED_REASONS",
    "TIERS",
    "DisclosureProfile",
    "Rounding",
    "Tier",
    "load_profile",
    "named_profiles",
    "named_within",
    "read_profile",
    "steps_per_unit",
]

FILE = "disclosure.yaml"
FOLDER = "disclosure"


def load_profile(
    version: str = DEFAULT_FRAMEWORK, root: Path | None = None, *, named: str | None = None
) -> DisclosureProfile:
    """Load the disclosure profile of a framework version.

    Args:
        version: folder name under ``schemas/``.
        root: folder that holds ``schemas/``; the project's own by default.
        named: profile that adds to it, for example ``nchs``; none by default.

    Raises:
        DefinitionError: D001 to D003, R010 to R015; of a named profile R016 it is unknown, R017 it takes
            something away, or R018; names file and line.
    """
    path = (root or project_root()) / "schemas" / version / FILE
    base = read_profile(path)
    if not named:
        return base
    known = named_profiles(version, root)
    if named not in known:
        raise DefinitionError("R016", where=FOLDER, name=named, known=", ".join(known) or "none")
    return _with_named(path, path.parent / FOLDER / f"{named}.yaml")


def named_profiles(version: str = DEFAULT_FRAMEWORK, root: Path | None = None) -> list[str]:
    """Return the names of the profiles that a home may choose to add."""
    folder = (root or project_root()) / "schemas" / version / FOLDER
    return sorted(path.stem for path in folder.glob("*.yaml"))


def named_within(profile_id: str) -> str | None:
    """Return the named profile in the identifier of a release's profile: ``nchs`` of ``cop-1+nchs``."""
    found = re.fullmatch(r"[^+ ]+\+([a-z_]+)(?: .*)?", profile_id)
    return found[1] if found else None


@cache
def read_profile(path: Path) -> DisclosureProfile:
    """Read and check one profile file; raises as :func:`load_profile`."""
    if not path.is_file():
        raise DefinitionError("R010", where=path.name)
    located = Located(path)
    profile = typed(located, DisclosureProfile)
    refuse_unsafe(profile, located)
    return profile


@cache
def _with_named(path: Path, further: Path) -> DisclosureProfile:
    located = Located(further)
    profile = merged(read_profile(path), read_named(located), located)
    refuse_unsafe(profile, located)
    return profile


def steps_per_unit(step: float) -> int:
    """Return how many steps make one unit: 1 for 1, 10 for 0.1, 2 for 0.5."""
    return round(1 / step)
