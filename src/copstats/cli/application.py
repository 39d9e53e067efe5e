"""Commands by name, the options common to all of them, and what an error looks like."""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click

from copstats import __version__, errors
from copstats.language import LANGUAGES, N_

COMMANDS = {
    "demo": ("demo", "Run the main job on sample data and say what to open."),
    "check": ("check", "Check a submission; nothing leaves this computer."),
    "seal": ("seal", "Check a submission and write what may leave the country into one sealed file."),
    "keys": ("keys", "Make, hand out, register, back up, replace and destroy keys."),
    "submit": ("submit", "Send a sealed file to a portal, and keep its receipt."),
    "ingest": ("intake", "Check a submission, seal it as a wave and wait for its acceptance."),
    "status": ("intake", "List submissions, or show one."),
    "accept": ("intake", "Accept a submission that waits."),
    "reject": ("intake", "Decline a submission that waits, with the reason."),
    "withdraw": ("withdraw", "Take back children, a submission, or all of a country."),
    "estimate": ("estimate", "Estimate the indicators of accepted waves (restricted)."),
    "release": ("release", "Build, sign and publish a release."),
    "review": ("review", "What countries say of their values before a release."),
    "report": ("report", "Write the quarterly report, or a country's feedback note."),
    "audit": ("release", "Audit a release: signature, hashes, what withheld cells give away."),
    "compare": ("compare", "Compare published values of areas, groups and rounds."),
    "explain": ("explain", "Explain a published value: definition, survey, rules, SQL, vintages."),
    "weight": ("weight", "Compute final weights from base weights; offline."),
    "framework": ("framework", "List and show what the framework defines."),
    "schedule": ("schedule", "Publish on the calendar, until interrupted."),
    "serve": ("serve", "Serve the portal: uploads, review, published data."),
    "token": ("token", "Make, list and revoke tokens of the portal."),
    "log": ("log", "Verify the audit chain."),
}
"""Command -> (module of this package, one-line help)."""

EXIT_INTERRUPTED = 130
_PARTS = ((N_("where"), "where"), (N_("why"), "why"), (N_("to do"), "hint"))
"""Parts of an error below its title: what they are called, and their key."""


@dataclass
class Settings:
    """Options that are taken before and after the command.

    Attributes:
        home: the home folder.
        json: print for machines.
        language: of texts.
    """

    home: Path | None = None
    json: bool = False
    language: str = "en"

    def home_or(self, default: str = "copstats-home") -> Path:
        """Return the home folder: the option, else COPSTATS_HOME, else ``./copstats-home``."""
        return self.home or Path(os.environ.get("COPSTATS_HOME") or default)


def settings() -> Settings:
    """Return the settings of the running command."""
    return cast(Settings, click.get_current_context().find_root().obj)


def _remember(context: click.Context, option: click.Parameter, value: Any) -> None:
    root = context.find_root()
    root.obj = root.obj or Settings()
    if value not in (None, False):
        setattr(root.obj, str(option.name), value)


def _common_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--home"],
            type=click.Path(file_okay=False, path_type=Path),
            expose_value=False,
            callback=_remember,
            help="Home folder [COPSTATS_HOME, else ./copstats-home].",
        ),
        click.Option(
            ["--language"],
            type=click.Choice(list(LANGUAGES)),
            expose_value=False,
            callback=_remember,
            help="Language of texts.",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_remember,
            help="Print for machines: JSON on standard output.",
        ),
    ]


class Command(click.Command):
    """A command that takes the common options too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["params"] = [*kwargs.get("params", []), *_common_options()]
        super().__init__(*args, **kwargs)


class Group(click.Group):
    """A command with subcommands, all of which take the common options."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["params"] = [*kwargs.get("params", []), *_common_options()]
        super().__init__(*args, **kwargs)


class _LazyCommands(Group):
    """Imports a command's module when it is called; the list of commands needs none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"copstats.cli.{COMMANDS[cmd_name][0]}")
        return cast(click.Command, getattr(module, cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(
    cls=_LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 done; 1 the data fell short; 2 the call, file or state could not be used; "
    "3 a broken invariant or internal fault; 4 try again.",
)
@click.version_option(__version__, prog_name="copstats")
def copstats() -> None:
    """Turn national surveys on children's safety online into indicators that countries can be compared by."""


def application(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit status; no error ends in a traceback."""
    try:
        # Click returns the status of an early exit where it does not run standalone.
        status = copstats.main(args=list(arguments), prog_name="copstats", standalone_mode=False)
        return status if isinstance(status, int) else errors.EXIT_DONE
    except errors.CopstatsError as error:
        return show_error(error, as_json="--json" in arguments, language=_language(arguments))
    except click.ClickException as misuse:
        misuse.show()
        return misuse.exit_code
    except (click.Abort, KeyboardInterrupt):
        print("\nInterrupted. Nothing half-done remains; run the command again to go on.", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return errors.EXIT_DONE
    except Exception as fault:
        _show_fault(fault)
        return errors.EXIT_FAULT


def show_error(error: errors.CopstatsError, *, as_json: bool = False, language: str = "en") -> int:
    """Print an error (and those that it gathers) and return its exit status."""
    from copstats.language import translations

    words = translations(language)
    gathered = error.errors if isinstance(error, errors.SubmissionErrors) else [error]
    texts = [words.error(one) for one in gathered]
    if as_json:
        print(json.dumps({"errors": texts}, ensure_ascii=False))
        return error.exit_status
    from copstats.cli.screen import stderr

    screen = stderr()
    for text in texts:
        screen.print(f"[bold red]{words.text('Error')} {text['code']}[/]  {screen.plain(text['title'])}")
        labels = [(words.text(label), part) for label, part in _PARTS]
        width = max(len(label) for label, _ in labels)
        for label, part in labels:
            if text[part]:
                screen.print(f"  [dim]{label:>{width}}[/]  {screen.plain(text[part])}")
    if words.notice:
        screen.print(f"[dim]{words.notice}[/]")
    return error.exit_status


def _language(arguments: Sequence[str]) -> str:
    """Return the language asked for, also where the command could not be read to its end."""
    root = click.get_current_context(silent=True)
    if root is not None and isinstance(root.obj, Settings):
        return root.obj.language
    for option, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if option == "--language" and value in LANGUAGES:
            return value
        if option.startswith("--language=") and option.partition("=")[2] in LANGUAGES:
            return option.partition("=")[2]
    return "en"


def _show_fault(fault: Exception) -> None:
    """Name the place of an internal fault; its text may quote data, so it is not shown."""
    frames = [f for f in traceback.extract_tb(fault.__traceback__) if "copstats" in f.filename]
    last = frames[-1] if frames else traceback.extract_tb(fault.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno} in {last.name}"
    print(f"Internal fault {type(fault).__name__} at {place}.", file=sys.stderr)
    print("Its text is withheld because it could quote data. Please report the line above.", file=sys.stderr)
