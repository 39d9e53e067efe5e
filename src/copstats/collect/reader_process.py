"""Parses one data file in a process of its own: ``python -m copstats.collect.reader_process REQUEST``.

Parsers of binary formats can be crashed by a hostile file, and worse. This process gets the bytes on standard
input and nothing else, limits itself before it loads a parser, and writes one line of JSON to standard
output: an error code, or the sha256 of what it read, followed by the table as an Arrow stream. Its standard
error is never shown, because messages of parsers quote data. The parent is `copstats.collect.readers`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import suppress
from typing import Any, BinaryIO

CPU_SECONDS = 300
OPEN_FILES = 64


def main() -> None:
    """Read the request, limit this process, parse, answer."""
    asked = json.loads(sys.argv[1])
    limit(asked.pop("memory"))
    content = sys.stdin.buffer.read()
    answer = sys.stdout.buffer
    from copstats.collect.parsers.common import ReadProblem

    try:
        parsed = _parse(content, asked)
    except ReadProblem as problem:
        _say(answer, {"code": problem.code, "params": problem.params})
    except MemoryError:
        _say(answer, {"code": "S141", "params": {}})
    except Exception:
        # Whatever else a parser says may quote data, so it stays here.
        _say(answer, {"code": "S140", "params": {}})
    else:
        _say(answer, {"sha256": hashlib.sha256(content).hexdigest()})
        _send(answer, parsed)


def limit(memory: int) -> None:
    """Limit memory, processor time, open files; forbid writing files and core dumps, where the system can.

    Args:
        memory: address space in bytes.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limits.
        return
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, memory),
    ):
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))


def _parse(content: bytes, asked: dict[str, Any]) -> Any:
    from copstats.collect.parsers.common import Request

    request = Request(**asked)
    match request.format:
        case "CSV":
            from copstats.collect.parsers.delimited import parse
        case "Excel":
            from copstats.collect.parsers.workbook import parse
        case "Parquet":
            from copstats.collect.parsers.columnar import parse
        case _:
            from copstats.collect.parsers.statistical import parse
    return parse(content, request)


def _say(answer: BinaryIO, line: dict[str, Any]) -> None:
    answer.write(json.dumps(line).encode() + b"\n")
    answer.flush()


def _send(answer: BinaryIO, parsed: Any) -> None:
    from dataclasses import asdict

    import pyarrow as pa

    columns = json.dumps([asdict(column) for column in parsed.columns])
    table = parsed.table.replace_schema_metadata({"columns": columns})
    with pa.ipc.new_stream(answer, table.schema) as stream:
        stream.write_table(table)
    answer.flush()


if __name__ == "__main__":
    main()
