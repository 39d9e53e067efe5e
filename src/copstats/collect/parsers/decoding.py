"""Text of a data file as UTF-8: strictly in the encoding that is declared, never in one that is guessed."""

from __future__ import annotations

import codecs
import threading

from copstats.collect.parsers.common import Input, ReadProblem, is_record

CANDIDATES = (
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp1257",
    "cp1258",
    "cp874",
    "gb18030",
    "big5",
    "shift_jis",
    "euc_kr",
    "utf-16-le",
    "utf-16-be",
)
"""Encodings of which a preview is shown; a manifest may name any other."""
_AHEAD = 2**20
_NAMES_SHOWN = 3
_LETTERS_SHOWN = 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Decoded:
    """A file of bytes in UTF-8 that Arrow can read; what cannot be decoded stops it.

    Attributes:
        problem: what stopped it.
        quotes: number of quotation marks so far.
    """

    closed = False

    def __init__(self, source: Input, encoding: str | None) -> None:
        """Read the first bytes and settle the encoding.

        Raises:
            ReadProblem: they are not of the encoding that is declared, or of none that declares itself.
        """
        self.problem: ReadProblem | None = None
        self.quotes = 0
        self._source = source
        self._declared = encoding
        self._lines = 0
        self._ended = False
        self._lock = threading.Lock()  # Arrow reads ahead in a thread of its own.
        self._head = source.read(_AHEAD)
        self._encoding = _encoding(self._head, encoding)
        self._decoder = codecs.getincrementaldecoder(self._encoding)("strict")
        self._ready = self._decoded(self._head).removeprefix(codecs.BOM_UTF8)
        self._last = self._ready[-1:]

    def ahead(self) -> str:
        """Return the beginning of the text, which is still to be read."""
        return self._ready.decode("utf-8", "ignore")

    def read(self, size: int = _AHEAD) -> bytes:
        """Return the next bytes, at most ``size``; the last line ends with a line end in any case.

        Raises:
            ReadProblem: bytes are not of the encoding.
        """
        with self._lock:
            while len(self._ready) < size and not self._ended:
                block = self._source.read(size - len(self._ready))
                text = self._decoded(block)
                self._ended = not block
                self._last = text[-1:] or self._last
                self._ready += b"\n" if self._ended and self._last not in (b"\n", b"\r") else text
            part, self._ready = self._ready[:size], self._ready[size:]
            return part

    def drain(self) -> None:
        """Read what is left, so that a wrong encoding or an open quotation mark is told before all else.

        Raises:
            ReadProblem: bytes are not of the encoding, or the number of quotation marks is odd.
        """
        while self.problem is None and self.read():
            pass
        if self.problem is not None:
            raise self.problem
        if self.quotes % 2:
            raise ReadProblem("S151")

    def _decoded(self, block: bytes) -> bytes:
        try:
            text = self._as_utf8(block)
        except UnicodeError as error:
            self.problem = self._unreadable(block, error)
            raise self.problem from None
        if b"\0" in text:
            self.problem = self._unreadable(block, None, text[: text.index(b"\0")].count(b"\n"))
            raise self.problem
        self._lines += text.count(b"\n")
        self.quotes += text.count(b'"')
        return text

    def _as_utf8(self, block: bytes) -> bytes:
        if self._encoding != "utf-8":
            return self._decoder.decode(block, final=not block).encode("utf-8")
        if not block.isascii() or not block or self._decoder.getstate()[0]:
            self._decoder.decode(block, final=not block)
        return block

    def _unreadable(self, block: bytes, error: UnicodeError | None, lines: int = 0) -> ReadProblem:
        if isinstance(error, UnicodeDecodeError):
            before = bytes(error.object)[: error.start].decode(self._encoding, "replace")
            lines = before.count("\n")
        line = self._lines + lines + 1
        if self._declared is None and self._encoding == "utf-8":
            return ReadProblem("S150", line=line, preview=_preview(self._head, block))
        return ReadProblem("S142", line=line, encoding=self._declared or self._encoding.upper())


def _encoding(head: bytes, declared: str | None) -> str:
    """Return the encoding that the manifest or a byte order mark declares, else UTF-8."""
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if declared is None:
        return marked or "utf-8"
    name = codecs.lookup(declared).name
    if marked is None or name.startswith(marked):
        return name if name != "utf-8-sig" else "utf-8"
    raise ReadProblem("S156", marked=marked.upper(), encoding=declared)


def _preview(head: bytes, block: bytes) -> str:
    """Return how names of columns would look in each encoding that the bytes fit; nothing of a record."""
    later = b"" if block is head else block[block.find(b"\n") + 1 :]
    shown = []
    for encoding in CANDIDATES:
        try:
            text, rest = _cut(head, encoding), _cut(later, encoding)
        except UnicodeError:
            continue
        names = _telling_names(text)
        if names is not None and "\0" not in text + rest and encoding.startswith("utf") == (b"\0" in head):
            shown.append(f"{encoding}: {', '.join(names) or '-'}")
    return "; ".join(shown) or "-"


def _cut(block: bytes, encoding: str) -> str:
    """Decode a block that may end within a character."""
    return codecs.getincrementaldecoder(encoding)("strict").decode(block)


def _telling_names(text: str) -> list[str] | None:
    """Return some names of the header with letters beyond ASCII; None if they are not letters at all.

    Nothing of a line that is no header is shown.
    """
    lines = text.lstrip("\ufeff\r\n").splitlines()
    cells = lines[0].replace('"', "").replace("\t", ",").replace(";", ",").split(",") if lines else []
    if any(not letter.isprintable() for name in cells for letter in name):
        return None
    if is_record(cells):
        return []
    return [name.strip()[:_LETTERS_SHOWN] for name in cells if not name.isascii()][:_NAMES_SHOWN]
