"""Changes entries of a YAML text and leaves all the rest, comments and layout included, as it stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import yaml


class YamlText:
    """A YAML mapping as text, and the edits to be made to it.

    Nothing changes before :meth:`edited` is called. Anchors, aliases and tags are not expected: documents
    that hold them are refused when they are read.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._edits: list[tuple[int, int, str]] = []
        self._end = ""
        self.root: Any = yaml.compose(text, Loader=yaml.CSafeLoader)

    def edited(self) -> str:
        """Return the text with all edits made."""
        out = self._text
        for start, stop, new in sorted(self._edits, reverse=True):
            out = out[:start] + new + out[stop:]
        if self._end and not out.endswith("\n"):
            out += "\n"
        return out + self._end

    def source(self, node: Any) -> str:
        """Return the text of a node."""
        return self._text[_start(node) : _stop(node)]

    def replace(self, node: Any, new: str) -> None:
        """Write another text in the place of a node."""
        line_end = "\n" if self.source(node).endswith("\n") else ""
        self._edits.append((_start(node), _stop(node), new + line_end))

    def replace_entry(self, key: Any, value: Any, new: str) -> None:
        """Write another text in the place of a key and its value."""
        self._edits.append((_start(key), _stop(value), new))

    def insert_first(self, mapping: Any, added: Sequence[str]) -> None:
        """Write entries, each on one line, before the first one of a mapping. Call it once for a mapping."""
        if not added:
            return
        start = _start(mapping)
        if mapping.flow_style:
            text = ", ".join(added) + (", " if mapping.value else "")
            self._edits.append((start + 1, start + 1, text))
        else:
            indent = "\n" + " " * mapping.start_mark.column
            self._edits.append((start, start, "".join(entry + indent for entry in added)))

    def append(self, lines: str) -> None:
        """Write lines at the end of the text."""
        self._end += lines

    def retire(self, key: Any, mapping: Any, names: Collection[str], remark: str, *, filled: bool) -> None:
        """Turn entries of a mapping into comments.

        In a block they stay where they are; out of ``{...}`` they go to the end of the text.

        Args:
            key: the node of the mapping's own key.
            mapping: the mapping.
            names: keys of the entries.
            remark: the comment's first line.
            filled: other entries are inserted, so that the mapping is not left without any.
        """
        pairs = mapping.value
        gone = [number for number, (entry, _) in enumerate(pairs) if entry.value in names]
        if mapping.flow_style:
            self._cut(mapping, gone)
            for number in gone:
                text = self._text[_start(pairs[number][0]) : _stop(pairs[number][1])]
                self._end += "".join(f"# {line}\n" for line in [remark, *text.split("\n")])
            return
        for number in gone:
            self._comment_out(pairs[number][0], pairs[number][1], remark)
        if len(gone) == len(pairs) and not filled:
            # With comments alone in it, the mapping would be empty text.
            colon = self._text.index(":", _stop(key)) + 1
            self._edits.append((colon, colon, " {}"))

    def _comment_out(self, key: Any, value: Any, remark: str) -> None:
        start, column = _start(key), key.start_mark.column
        text = self._text[start : _stop(value)].rstrip("\n")
        lines = [line[column:] if line[:column].isspace() else line for line in text.split("\n")]
        commented = f"\n{' ' * column}".join(f"# {line}" for line in [remark, *lines])
        self._edits.append((start, start + len(text), commented))

    def _cut(self, mapping: Any, gone: list[int]) -> None:
        """Take entries out of ``{...}``, each with one of its commas."""
        pairs = mapping.value
        kept = [number for number in range(len(pairs)) if number not in gone]
        if gone and not kept:
            self._edits.append((_start(mapping) + 1, _stop(mapping) - 1, ""))
            return
        last = kept[-1]
        for number in gone:
            if number < last:
                self._edits.append((_start(pairs[number][0]), _start(pairs[number + 1][0]), ""))
        if gone and gone[-1] > last:
            self._edits.append((_stop(pairs[last][1]), _stop(pairs[-1][1]), ""))


def entries(mapping: Any) -> dict[str, tuple[Any, Any]]:
    """Return key -> nodes of key and value; empty where the node is no mapping."""
    if not isinstance(mapping, yaml.MappingNode):
        return {}
    return {key.value: (key, value) for key, value in mapping.value}


def value_of(mapping: Any, key: str) -> Any:
    """Return the node of an entry, or None."""
    found = entries(mapping).get(key)
    return found[1] if found is not None else None


def flow(mapping: Mapping[Any, Any]) -> str:
    """Return numbers and names as a mapping on one line."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in mapping.items()) + "}"


def _start(node: Any) -> int:
    return int(node.start_mark.index)


def _stop(node: Any) -> int:
    """Return where the text of a node ends; a block's own mark stands after the comments that follow it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _stop(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _stop(node.value[-1])
    return int(node.end_mark.index)
