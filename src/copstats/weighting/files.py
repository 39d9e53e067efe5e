"""The files that a weighing leaves in a folder: the weights, a report and lines for the manifest."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from copstats.disseminate.files import guarded
from copstats.errors import SubmissionError
from copstats.language import Translations
from copstats.store.files import atomic_write
from copstats.weighting.computing import STEPS, Weighing
from copstats.weighting.texts import method

WEIGHTS = "weights.csv"
REPORT = "weighting.html"
MANIFEST_LINES = "manifest-lines.yaml"
FINAL = "final_weight"

_DECIMALS = 4


def write_results(
    weighing: Weighing, words: Translations, folder: Path, read: Sequence[Path] = ()
) -> list[Path]:
    """Write the files and return their paths; the same weighing gives the same bytes.

    Only the owner of the folder can read them.

    Args:
        weighing: what came of a plan.
        words: language of the texts.
        folder: where to write; made if it is not there.
        read: files that were read and must not be overwritten.

    Raises:
        SubmissionError: S193, one of them would be.
    """
    from copstats.weighting.report import page

    contents = {
        WEIGHTS: weights_csv(weighing),
        REPORT: page(weighing, words).encode(),
        MANIFEST_LINES: manifest_lines(weighing, words).encode(),
    }
    taken = {path.resolve() for path in read}
    for name in contents:
        if Path(folder, name).resolve() in taken:
            raise SubmissionError("S193", where=name, file=name)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        atomic_write(folder / name, content)
    return [folder / name for name in contents]


def weights_csv(weighing: Weighing) -> bytes:
    """Return ``weights.csv``: one row a respondent, in the order of the data file.

    Columns: the key columns as text, ``base_weight``, ``nonresponse_factor``, ``trimming_factor`` (if the
    plan trims), ``calibration_factor``, ``final_weight``; the last is the product of the others. A key that a
    spreadsheet would take for a formula has an apostrophe before it (OWASP, CSV injection).
    """
    keys = weighing.respondents.keys
    columns: list[pa.Array | pa.ChunkedArray] = [*guarded(keys).columns, pa.array(weighing.base)]
    names = [*keys.column_names, "base_weight"]
    ones = pa.array([1.0] * len(weighing.base))
    for name in STEPS:
        step = weighing.step(name)
        if step is not None or name != "trimming":
            columns.append(ones if step is None else pa.array(step.factors))
            names.append(f"{name}_factor")
    table = pa.Table.from_arrays([*columns, pa.array(weighing.final)], names=[*names, FINAL])
    out = io.BytesIO()
    pacsv.write_csv(table, out, pacsv.WriteOptions(eol="\r\n"))
    return out.getvalue()


def manifest_lines(weighing: Weighing, words: Translations) -> str:
    """Return the lines that the submission's manifest needs once the weights are merged with its data."""
    return "\n".join([*_lines(weighing, words), ""])


def _lines(weighing: Weighing, words: Translations) -> Iterator[str]:
    yield "# " + words.text("Write these lines into manifest.yaml, each in its place.")
    yield "design:"
    yield f"  weight: {FINAL}"
    yield f"weight_method: {json.dumps(method(weighing, words), ensure_ascii=False)}"
    if weighing.plan.says.respondent is None:
        yield "# " + words.text("The file holds respondents only: it does not show the response rate.")
        return
    earlier = weighing.plan.says.earlier_stages
    stages = {"psu": earlier.psu, "household": earlier.household, "child": weighing.response}
    known = {name: share for name, share in stages.items() if share is not None}
    known = {"overall": math.prod(known.values()), **known}
    listed = ", ".join(f"{name}: {share:.{_DECIMALS}f}" for name, share in known.items())
    yield f"response_rate: {{{listed}}}"
    yield "# " + words.text(
        "overall is the product of the stages: if PSUs or households refused before, write their shares "
        "into earlier_stages of the plan."
    )
    yield "# " + words.text(
        "Response by base weight, for comparison: {share} %.",
        share=words.number(100 * weighing.weighted_response, 1),
    )
