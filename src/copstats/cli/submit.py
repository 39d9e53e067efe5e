"""``copstats submit``."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from copstats.cli.application import EXIT_INTERRUPTED, Command, settings, show_error
from copstats.errors import EXIT_DATA, EXIT_DONE, EXIT_USAGE, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from copstats.client.address import Address
    from copstats.client.follow import Story
    from copstats.client.patience import Patience
    from copstats.client.transfer import Begun, Content
    from copstats.client.wire import Wire
    from copstats.language import Translations

_FILE = click.Path(dir_okay=False, path_type=Path)
_PATIENCE = 600.0
_FALLEN_SHORT = frozenset({"rejected", "declined"})


@click.command(cls=Command)
@click.argument("path", metavar="[SEALED]", required=False, type=_FILE)
@click.option("--to", metavar="URL", help="Address of the portal, https.")
@click.option(
    "--token-file", type=_FILE, help="File (0600) with the token; else COPSTATS_TOKEN, keyring, question."
)
@click.option("--keep-token", is_flag=True, help="Keep the token in the keyring of the operating system.")
@click.option("--raw", is_flag=True, help="The file is the zip of a raw submission, not sealed.")
@click.option("--follow", is_flag=True, help="Wait until the portal has checked it.")
@click.option("--receipt", type=_FILE, help="File for the receipt [beside the sealed file].")
@click.option(
    "--verify-receipt", type=_FILE, help="Send nothing: check this receipt, and that it is of SEALED."
)
@click.option("--key", type=_FILE, help="Public key of the portal (PEM), as its operator handed it out.")
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=_PATIENCE,
    show_default=True,
    help="Give up after so many seconds without progress.",
)
def submit(  # noqa: PLR0917 - options
    path: Path | None,
    to: str | None,
    token_file: Path | None,
    keep_token: bool,
    raw: bool,
    follow: bool,
    receipt: Path | None,
    verify_receipt: Path | None,
    key: Path | None,
    patience: float,
) -> None:
    """Send the sealed file SEALED to a portal and keep its signed receipt.

    Goes on by itself after a cut, and where it stopped when the same command is run again. The same file
    sent twice is received once. With --follow it ends with status 1 if the data fell short, with 2 if the
    file was refused.
    """
    from copstats.cli.screen import progress
    from copstats.client.address import address_of
    from copstats.client.receipts import SUFFIX
    from copstats.language import translations

    words = translations(settings().language)
    address = None if to is None else address_of(to)
    if verify_receipt is not None:
        _verify(verify_receipt, path, address, key, words)
        return
    if path is None or address is None:
        raise click.UsageError("Name the sealed file, and the address of the portal with --to.")
    with progress(words.text("Sending {file} to {address}", file=path.name, address=address.origin)):
        sending = _Sending(path, address, words, receipt or path.with_name(path.name + SUFFIX), key)
        status = sending.run(token_file, keep_token=keep_token, raw=raw, follow=follow, seconds=patience)
    if status:
        raise click.exceptions.Exit(status)


@dataclass
class _Sending:
    """One file on its way to one portal."""

    path: Path
    address: Address
    words: Translations
    receipt: Path
    key: Path | None

    def run(
        self, token_file: Path | None, *, keep_token: bool, raw: bool, follow: bool, seconds: float
    ) -> int:
        """Send the file, keep the receipt, tell what came of it; return the exit status."""
        from copstats.cli.submit_view import told_pause
        from copstats.client.patience import Patience
        from copstats.client.tokens import keep_token as keep
        from copstats.client.tokens import token_for
        from copstats.client.transfer import begin, content_of
        from copstats.client.wire import Wire

        content = content_of(self.path, "raw" if raw else "sealed")
        token = token_for(self.address, token_file, self._ask if sys.stdin.isatty() else None)
        wire = Wire(self.address, token, self.words.language)
        patience = Patience(seconds, told_pause(self.words), self.address.origin)
        try:
            key = self._portal_key(wire, patience)
            begun = begin(wire, patience, content)
            if keep_token:
                keep(self.address, token)
            patience.progress()
            self._transfer(wire, patience, begun, content)
            self._keep_receipt(wire, patience, begun, content, key)
            return self._outcome(wire, patience, begun, content, follow=follow)
        finally:
            wire.close()

    def _ask(self) -> str:
        question = self.words.text("Token for {address}", address=self.address.origin)
        return str(click.prompt(question, hide_input=True, err=True))

    def _portal_key(self, wire: Wire, patience: Patience) -> Ed25519PublicKey:
        from copstats.client.portal_keys import asked_key, settled_key
        from copstats.store.upload_receipt import key_fingerprint

        asked = asked_key(wire, patience)
        key, new = settled_key(settings().home_or(), self.address, asked, self.key)
        if new:
            self._say(self.words.text("Key of the portal: {key}", key=key_fingerprint(key)))
            self._say(self.words.text("Compare it once with the operator, by telephone; it is kept."))
        return key

    def _transfer(self, wire: Wire, patience: Patience, begun: Begun, content: Content) -> None:
        from copstats.cli.submit_view import uploading
        from copstats.client.transfer import Transfer

        if begun.state != "receiving":
            self._say(self.words.text("The portal has this file already: {upload}", upload=begun.id))
            return
        if not begun.new:
            self._say(self.words.text("Going on with the upload {upload}", upload=begun.id))
        reached = 0

        def sent(done: int) -> None:
            nonlocal reached
            reached = done
            show(done)

        try:
            with uploading(content.size, self.words) as show:
                Transfer(wire, patience, begun, content, sent).run()
        except KeyboardInterrupt:
            share = self.words.number(100 * reached // content.size)
            self._say(self.words.text("Interrupted at {share} %. What arrived is kept.", share=share))
            self._say(self.words.text("Run the same command again: it goes on where it stopped."))
            raise click.exceptions.Exit(EXIT_INTERRUPTED) from None

    def _keep_receipt(
        self, wire: Wire, patience: Patience, begun: Begun, content: Content, key: Ed25519PublicKey
    ) -> None:
        from copstats.client.receipts import checked_receipt, fetch_receipt, keep_receipt

        receipt = fetch_receipt(wire, patience, begun)
        checked_receipt(receipt, key, content, begun.id)
        keep_receipt(self.receipt, receipt)
        self._say(self.words.text("Received; receipt: {file}", file=self.receipt))

    def _outcome(
        self, wire: Wire, patience: Patience, begun: Begun, content: Content, *, follow: bool
    ) -> int:
        from copstats.cli.submit_view import state_line
        from copstats.client.follow import follow as following
        from copstats.client.follow import refusals, story_of

        story = story_of(wire, patience, begun.id)
        try:
            for one in following(wire, patience, begun.id) if follow and not story.checked else ():
                story = one
                self._say(state_line(story, self.words))
        except KeyboardInterrupt:
            self._say(
                self.words.text("The check goes on at the portal; the same command shows how it stands.")
            )
            raise click.exceptions.Exit(EXIT_INTERRUPTED) from None
        refused = refusals(wire, patience, begun.id) if story.state == "refused" else []
        self._tell(story, begun, content, refused)
        if story.state == "refused":
            return EXIT_USAGE
        return EXIT_DATA if story.state in _FALLEN_SHORT else EXIT_DONE

    def _tell(self, story: Story, begun: Begun, content: Content, refused: list[UsageError]) -> None:
        from copstats.cli.submit_view import counts_line, state_line

        page = f"{self.address.origin}/{self.words.language}/submissions/{story.id}"
        if settings().json:
            found = {
                "upload": begun.id,
                "new": begun.new,
                "submission": story.id if story.findings else None,
                "state": story.state,
                "findings": dict(story.findings),
                "errors": [self.words.error(one) for one in refused],
                "sha256": content.sha256,
                "size": content.size,
                "receipt": str(self.receipt),
                "page": page,
            }
            print(json.dumps(found, ensure_ascii=False))
            return
        print(f"{story.id}: {state_line(story, self.words)}")
        if story.findings:
            print(counts_line(story, self.words))
        for error in refused:
            show_error(error, language=self.words.language)
        print(self.words.text("To be read at: {page}", page=page))

    def _say(self, line: str) -> None:
        from copstats.cli.screen import PROGRESS

        PROGRESS.info(line)


def _verify(
    file: Path, sealed: Path | None, address: Address | None, key: Path | None, words: Translations
) -> None:
    """Check a receipt with a given or kept key, and against the file that it is said to be of."""
    import msgspec

    from copstats.client.portal_keys import known_keys
    from copstats.client.receipts import checked_receipt, signer_of
    from copstats.client.transfer import content_of
    from copstats.store.custody.public import read_file

    receipt = read_file(file)
    signer = signer_of(receipt, known_keys(settings().home_or(), address, key))
    content = None if sealed is None else content_of(sealed, None)
    said = checked_receipt(receipt, signer, content)
    if settings().json:
        print(json.dumps({"verified": True, **msgspec.to_builtins(said)}, ensure_ascii=False))
        return
    for name, value in msgspec.to_builtins(said).items():
        print(f"{name:<12} {value}")
    print(words.text("The receipt is genuine: the portal signed it, and nothing in it was changed."))
    if content is not None:
        print(words.text("It is the receipt of {file}.", file=content.path.name))
