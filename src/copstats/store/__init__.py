"""The home folder and what it keeps: the one place where the confidentiality zones meet.

Entry point: ``from copstats.store import Home``. ``home = Home.open(path, create=...)`` gives

====================  ==============================  =======================================================
attribute             class                           holds
====================  ==============================  =======================================================
``home.config``       ``config.HomeConfig``           ``copstats.toml``: ``accept``, ``time_zone``, ...
``home.registry``     ``registry.Registry``           submissions, finding counts, decisions, releases
``home.keys``         ``keys.KeyStore``               country keys, release signing key, audit key
``home.waves``        ``waves.WaveStore``             sealed microdata; ``open(id)``: a ``RestrictedWave``
``home.quarantine``   ``quarantine.Quarantine``       raw uploads, sealed, for some days
``home.tombstones``   ``tombstones.Tombstones``       pseudonyms of withdrawn children, sealed
``home.warehouse``    ``warehouse.Warehouse``         sealed estimates (schema ``schemas.ESTIMATES``)
``home.ledger``       ``ledger.Ledger``               vintages: what was published of each wave, sealed
``home.releases``     ``releases.ReleaseStore``       published folders; ``staging(label)`` gives a draft
``home.audit``        ``audit.AuditLog``              append-only chain of what was done
``home.areas``        ``dict[str, Area]``             areas of the framework and of the home's ``areas.csv``
====================  ==============================  =======================================================

``home.lock()`` keeps other writers out of a sequence of steps. The parts are imported from their modules, not
from here: so the import rules can say of each zone which of them it may know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from copstats.store.home import Home

__all__ = ["Home"]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: whoever needs only the engine does not pay half a second for the registry.
    if name == "Home":
        from copstats.store.home import Home

        return Home
    raise AttributeError(name)
