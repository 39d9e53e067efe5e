"""``copstats serve``."""

from __future__ import annotations

import click

from copstats.cli.application import Command, settings
from copstats.errors import PortalError, UsageError


@click.command(cls=Command)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one."
)
def serve(host: str, port: int) -> None:
    """Serve the portal: uploads of countries, review, published data. Ctrl-C stops it.

    It speaks plain HTTP: to this machine alone, or to the TLS proxies that copstats.toml declares (table
    [portal]: public_url, trusted_proxies). Tokens to sign in are made with 'copstats token create'.
    """
    try:
        from copstats.portal.server import run
        from copstats.portal.settings import PortalSettings
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("copstats"):
            raise
        raise PortalError("P124") from None
    from copstats.store.config import CONFIG_FILE, read_config

    home = settings().home_or()
    if not (home / CONFIG_FILE).is_file():
        raise UsageError("U001", where=str(home))
    config = read_config(home / CONFIG_FILE).portal
    run(home, PortalSettings(host=host, port=port, config=config), ready=_say)


def _say(address: str) -> None:
    from copstats.cli.screen import stderr
    from copstats.language import translations

    words = translations(settings().language)
    stderr().print(words.text("The portal listens on {address}. Ctrl-C stops it.", address=address))
