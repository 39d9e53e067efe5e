"""Words that explain how a chart is read."""

from __future__ import annotations

from copstats.language import Translations


def reading_aid(words: Translations, *, weak: bool = False, broken: bool = False) -> str:
    """Say what points, lines and hollow points mean, for the caption below a chart.

    Args:
        words: texts of the reader's language.
        weak: whether hollow points are to be explained.
        broken: whether gaps in a line are to be explained.
    """
    sentences = [words.text("A point is the estimate, the line through it its 95 % confidence interval.")]
    if weak:
        sentences.append(words.text("A hollow point has a low reliability."))
    if broken:
        sentences.append(words.text("Where no line joins two years, their values are not comparable."))
    return ("" if words.language == "zh" else " ").join(sentences)
