"""Writes the data files of the official samples: the same every time, from a fixed seed.

Run as ``python sample_data/official/generate.py``. Manifests are written by hand.
"""

from __future__ import annotations

import csv
import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
SEED = 2026
QUARTERS = [f"2025-Q{number}" for number in range(1, 5)]
SEXES, AGES = ("F", "M", "_U"), ("Y0T11", "Y12T14", "Y15T17")
CHANNELS = ("phone", "chat", "app", "email", "text", "_U")
RISKS = ("content", "contact", "conduct", "contract", "_U")
COUNTED = ("variable", "period", "sex", "age", "category", "value", "status", "deviation")
ANSWERED = ("item", "answer", "in_force", "body", "evidence")

Row = dict[str, Any]


def write(path: Path, names: tuple[str, ...], rows: list[Row]) -> None:
    """Write a CSV file; what a row does not say stays empty."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        table = csv.DictWriter(lines, names, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def helpline() -> Iterator[Row]:
    """A helpline of some 9,000 contacts a quarter; online violence is a small part of them."""
    chance = random.Random(SEED)
    for quarter in QUARTERS:
        cells = list(itertools.product(SEXES, AGES))
        counselling = {
            cell: chance.randint(2, 25) if "_U" in cell else chance.randint(60, 420) for cell in cells
        }
        online = {cell: int(count * chance.uniform(0.1, 0.3)) for cell, count in counselling.items()}
        bullying = {cell: int(count * chance.uniform(0.2, 0.5)) for cell, count in online.items()}
        abuse = {cell: int(count * chance.uniform(0.0, 0.25)) for cell, count in online.items()}
        answered = sum(counselling.values()) * 3
        channels = [0.55, 0.25, 0.08, 0.04, 0.06]
        by_channel = [int(answered * share) for share in channels]
        for variable, total in (("hl_attempts_total", int(answered * 1.37)), ("hl_contacts_total", answered)):
            yield {"variable": variable, "period": quarter, "value": total}
        for channel, count in zip(CHANNELS, [*by_channel, answered - sum(by_channel)], strict=True):
            yield {"variable": "hl_contacts_total", "period": quarter, "category": channel, "value": count}
        for variable, inner in (
            ("hl_counselling", counselling),
            ("hl_online_violence", online),
            ("hl_cyberbully", bullying),
            ("hl_ocsea", abuse),
        ):
            yield from crossed(variable, quarter, inner)
        shares = [0.2, 0.15, 0.5, 0.1]
        total = sum(online.values())
        by_risk = [int(total * share) for share in shares]
        for risk, count in zip(RISKS, [*by_risk, total - sum(by_risk)], strict=True):
            yield {"variable": "hl_online_violence", "period": quarter, "category": risk, "value": count}
    yield {"variable": "hl_hours", "period": "2025", "value": 1}
    for channel in CHANNELS[:-1]:
        value = int(channel not in ("app", "email"))
        yield {"variable": "hl_channels", "period": "2025", "category": channel, "value": value}


def crossed(variable: str, quarter: str, inner: dict[tuple[str, str], int]) -> Iterator[Row]:
    """Return all cells of sex by age with their totals."""
    for sex, age in itertools.product((*SEXES, "_T"), (*AGES, "_T")):
        cells = (count for (s, a), count in inner.items() if sex in (s, "_T") and age in (a, "_T"))
        yield {"variable": variable, "period": quarter, "sex": sex, "age": age, "value": sum(cells)}


def policy() -> Iterator[Row]:
    """Answers to all items but the last."""
    chance = random.Random(SEED)
    for number in range(1, 34):
        answer = chance.choices(("yes", "partial", "no", "not_applicable"), (50, 22, 25, 3))[0]
        row = {"item": f"Q{number:02d}", "answer": answer}
        if answer in ("yes", "partial"):
            row["in_force"] = str(chance.randint(2012, 2025))
            row["body"] = chance.choice(
                ("Ministry of Children", "Ministry of Justice", "Regulator", "Police")
            )
            row["evidence"] = f"https://policy.example/belmora/q{number:02d}"
        yield row


def main() -> None:
    """Write both files."""
    final = [{"status": "final", **row} for row in helpline()]
    write(FOLDER / "XAA_2025_HELPLINE_v01" / "counts.csv", COUNTED, final)
    write(FOLDER / "XBB_2025_POLICY_v01" / "answers.csv", ANSWERED, list(policy()))


if __name__ == "__main__":
    main()
