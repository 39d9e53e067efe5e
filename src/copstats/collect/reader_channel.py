"""Starts the subprocess that parses a data file, listens to it, and ends it, whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, BinaryIO

import pyarrow as pa

import copstats
from copstats.collect.package import DataSource
from copstats.errors import CopstatsError, SubmissionError

MEBIBYTE = 2**20
LONGEST_LINE = 256 * MEBIBYTE
LONGEST_READ = 2**31
_COMMAND = ("-S", "-P", "-s", "-X", "utf8", "-c", "from copstats.collect.reader_process import main; main()")
_PARSERS = ("pyarrow", "numpy", "pyreadstat", "narwhals", "python_calamine")
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_CHUNK = MEBIBYTE
_ENDS_BY_ITSELF = 1.0
_SENSELESS = (ValueError, LookupError, TypeError, AttributeError, OSError, MemoryError)


@dataclass(frozen=True)
class Limits:
    """What reading a file may take.

    Attributes:
        memory: address space of the subprocess, in bytes.
        cpu_seconds: processor time of the subprocess.
        seconds: from its start to its end, which includes the work that the caller does between two chunks.
        answer: bytes that it may send.
    """

    memory: int
    cpu_seconds: int
    seconds: float
    answer: int

    @classmethod
    def of(cls, source: DataSource) -> Limits:
        """Return limits generous for size and format of a file, so that only a hostile one meets them."""
        mebibytes = source.size // MEBIBYTE
        held = source.path is None and source.format != "CSV"
        whole = 40 if source.format == "Excel" else 2 if held else 0
        return cls(
            memory=4 * 2**30 + whole * source.size,
            cpu_seconds=300 + 2 * mebibytes,
            seconds=600 + 6 * mebibytes,
            answer=4 * 2**30 + 40 * source.size,
        )


class Channel:
    """The output of the subprocess: lines of JSON and an Arrow stream between them.

    It is read as a file, and no more of it than the limit.
    """

    closed = False

    def __init__(
        self,
        source: DataSource,
        process: subprocess.Popen[bytes],
        stream: IO[bytes],
        most: int,
        expired: threading.Event,
    ) -> None:
        self._source = source
        self._process = process
        self._stream = stream
        self._left = most
        self._expired = expired

    @contextmanager
    def believed(self) -> Iterator[None]:
        """Turn whatever makes no sense in the answer into an error.

        Raises:
            SubmissionError: the subprocess took too much memory or time (S141), or made no sense (S140).
        """
        try:
            yield
        except (*_SENSELESS, pa.ArrowException):
            ended = self._expired.is_set() or _too_much(self._process, self._source)
            raise SubmissionError("S141" if ended else "S140", where=self._source.name) from None

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            ValueError: the subprocess sends more than it may.
        """
        if size > LONGEST_READ or self._left < 0:
            raise ValueError(size)
        block = self._stream.read(size)
        self._left -= len(block)
        return block

    def line(self) -> dict[str, Any]:
        """Return a line of JSON.

        Raises:
            ValueError: it is none.
        """
        told = json.loads(self._stream.readline(LONGEST_LINE))
        if not isinstance(told, dict):
            raise ValueError(type(told))
        return told


@contextmanager
def reading(source: DataSource, request: dict[str, Any], limits: Limits) -> Iterator[Channel]:
    """Start the subprocess for a file and end it when the block is left.

    Args:
        source: the file.
        request: entries of `copstats.collect.parsers.common.Request`.
        limits: of the subprocess.

    Yields:
        The channel to it.
    """
    asked = {**request, "memory": limits.memory, "cpu_seconds": limits.cpu_seconds}
    with source.open() as file:
        pipe = None if source.path is not None else file
        process = subprocess.Popen(
            [sys.executable, *_COMMAND, json.dumps(asked)],
            stdin=subprocess.PIPE if pipe is not None else file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        expired = threading.Event()
        timer = threading.Timer(limits.seconds, _expire, (process, expired))
        feeder = threading.Thread(target=_feed, args=(process.stdin, pipe), daemon=True)
        timer.daemon = True
        try:
            timer.start()
            feeder.start()
            assert process.stdout is not None  # noqa: S101
            yield Channel(source, process, process.stdout, limits.answer, expired)
        finally:
            _end(process, timer, feeder)


def _end(process: subprocess.Popen[bytes], timer: threading.Timer, feeder: threading.Thread) -> None:
    timer.cancel()
    process.kill()
    process.wait()
    feeder.join()
    if process.stdout is not None:
        process.stdout.close()


def _expire(process: subprocess.Popen[bytes], expired: threading.Event) -> None:
    expired.set()
    process.kill()


def _too_much(process: subprocess.Popen[bytes], source: DataSource) -> bool:
    """Whether the system ended the process because it had used up its time, or a parser its memory."""
    try:
        status = process.wait(_ENDS_BY_ITSELF)
    except subprocess.TimeoutExpired:
        return False
    if sys.platform == "win32":
        return False
    no_memory = source.format == "Excel" and status == -signal.SIGABRT
    return no_memory or status in (-signal.SIGXCPU, -signal.SIGKILL)


def _feed(stream: IO[bytes] | None, file: BinaryIO | None) -> None:
    """Write a member of a zip to the process, which may end before it has read everything."""
    if stream is None or file is None:
        return
    try:
        while block := file.read(_CHUNK):
            stream.write(block)
    except (OSError, CopstatsError):  # What the child says of the part that it got tells why.
        pass
    finally:
        with suppress(OSError):
            stream.close()


@cache
def _search_path() -> str:
    """Return the folders of this package and of the parsers: the child looks into no other."""
    folders = [Path(copstats.__file__).parents[1]]
    for name in _PARSERS:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            folders.append(Path(spec.origin).parents[1])
    return os.pathsep.join(dict.fromkeys(map(str, folders)))


def _environment() -> dict[str, str]:
    """Return the little that the child needs to find its modules: no credentials, no settings."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    return {"PYTHONPATH": _search_path(), **_ONE_THREAD, **kept}
