"""Parses one data file in a process of its own, started by `copstats.collect.reader_channel`.

Parsers of binary formats can be crashed by a hostile file, and worse. This process gets the bytes on standard
input and nothing else, limits itself before it loads a parser, and writes to standard output: one line of
JSON with an error code, or with what the file says of its columns; the table as an Arrow stream, chunk by
chunk; one more line with an error code, or with the sha256 of what was read and the traces that the file
carries beside its table. Its standard error is never shown, because messages of parsers quote data.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any, BinaryIO

OPEN_FILES = 64
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_FRAMES = ("narwhals", "narwhals.stable", "narwhals.stable.v2", "narwhals.typing")
"""Take a third of the time that the parser of SPSS and Stata files takes to load."""


def main() -> None:
    """Read the request, limit this process, parse, answer."""
    asked = json.loads(sys.argv[1])
    die_with_parent()
    limit(asked.pop("memory"), asked.pop("cpu_seconds"))
    gc.disable()  # A process this short makes no garbage worth a search.
    answer = sys.stdout.buffer
    with _told(answer):
        _answer(sys.stdin.buffer, asked, answer)


def limit(memory: int, cpu_seconds: int) -> None:
    """Limit memory, processor time, open files; forbid writing files and core dumps, where the system can.

    Args:
        memory: address space in bytes.
        cpu_seconds: processor time.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limits.
        return
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, memory),
    ):
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))


def die_with_parent() -> None:
    """Let the system end this process as soon as its parent has ended, where it can."""
    if sys.platform != "linux":  # Elsewhere it ends when it writes to the closed pipe.
        return
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


@contextmanager
def _told(answer: BinaryIO) -> Iterator[None]:
    """Write what went wrong as a line; a code of the catalogue and nothing that a parser says."""
    from copstats.collect.parsers.common import ReadProblem

    try:
        yield
    except ReadProblem as problem:
        _say(answer, {"code": problem.code, "params": problem.params})
    except MemoryError:
        _say(answer, {"code": "S141", "params": {}})
    except BrokenPipeError:
        sys.exit(1)
    except Exception:
        # Whatever else a parser says may quote data, so it stays here.
        _say(answer, {"code": "S140", "params": {}})


def _answer(stream: BinaryIO, asked: dict[str, Any], answer: BinaryIO) -> None:
    from dataclasses import asdict

    from copstats.collect.parsers.common import Input, ReadProblem

    source = Input(stream)
    parsed = _parse(source, asked)
    first = next((chunk for chunk in parsed.chunks if chunk.num_rows), None)
    if first is None:
        raise ReadProblem("S147")
    columns = [asdict(column) for column in parsed.columns]
    _say(answer, {"columns": columns, "sheet": parsed.sheet, "header_rows": parsed.header_rows})
    _send(answer, first, parsed.chunks)
    traces = [asdict(trace) for trace in parsed.traces]
    _say(answer, {"sha256": source.sha256(), "traces": traces})


def _parse(source: Any, asked: dict[str, Any]) -> Any:
    from copstats.collect.parsers.common import Request

    request = Request(**asked)
    if request.format in ("SPSS", "Stata"):
        for name in _FRAMES:
            sys.modules[name] = _Unused(name)
    else:
        # Arrow would load NumPy, which takes as long as all the rest and is not used.
        sys.modules["numpy"] = None  # type: ignore[assignment]
    match request.format:
        case "CSV":
            from copstats.collect.parsers.delimited import parse
        case "Excel":
            from copstats.collect.parsers.workbook import parse
        case "Parquet":
            from copstats.collect.parsers.columnar import parse
        case _:
            from copstats.collect.parsers.statistical import parse
    return parse(source, request)


class _Unused(ModuleType):
    """Stands for a module that a parser loads for what is not asked of it: data frames."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


def _say(answer: BinaryIO, line: dict[str, Any]) -> None:
    answer.write(json.dumps(line).encode() + b"\n")
    answer.flush()


def _send(answer: BinaryIO, first: Any, others: Iterator[Any]) -> None:
    """Write the chunks as an Arrow stream, which is closed in any case: a line follows it."""
    import pyarrow as pa

    with pa.ipc.new_stream(answer, first.schema) as stream:
        stream.write_table(first)
        for chunk in others:
            stream.write_table(chunk)


if __name__ == "__main__":
    main()
