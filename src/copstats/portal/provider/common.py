"""What the pages of a statistics office share: who asks, and what it may see."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from copstats.language import N_
from copstats.portal.context import not_found
from copstats.portal.security.identity import Identity, signed_in

Provider = Annotated[Identity, Depends(signed_in("provider"))]

MESSAGE_SENT = N_("Your message is sent.")


def area_of(identity: Identity) -> str:
    """Return the area of a statistics office.

    Raises:
        PortalError: P110 (404), who asks has none.
    """
    if identity.area is None:
        raise not_found()
    return identity.area
