"""How far one text is from another, and by which characters: the edit distance (Levenshtein, 1966)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Symbols = Sequence[str]

#: Cells of the tables that are filled side by side; more would only cost memory.
_CELLS: Final = 1_000_000


@dataclass(frozen=True)
class Edit:
    """One step from what is true to what was answered: `truth` is empty for an insertion, `answer` for a loss."""

    truth: str
    answer: str


def distances(answers: Sequence[Symbols], truths: Sequence[Symbols]) -> Counts:
    """`[N]` the least number of insertions, losses and confusions between each answer and its truth.

    Args:
        answers: texts, or lists of words.
        truths: as many of the same kind.
    """
    found = np.zeros(len(truths), dtype=np.int64)
    different = [row for row, (answer, truth) in enumerate(zip(answers, truths, strict=True)) if answer != truth]
    codes: dict[str, int] = {}
    widest = max((len(truths[row]) for row in different), default=0)
    size = max(1, _CELLS // (widest + 1))
    for start in range(0, len(different), size):
        rows = different[start : start + size]
        left, right = ([_encoded(texts[row], codes) for row in rows] for texts in (answers, truths))
        found[rows] = _batch(left, right)
    return found


def edits(answer: str, truth: str) -> tuple[Edit, ...]:
    """The steps of a shortest way from `truth` to `answer`, in the order of the text."""
    codes: dict[str, int] = {}
    left, right = _encoded(answer, codes), _encoded(truth, codes)
    table = [np.arange(len(right) + 1)]
    for place, symbol in enumerate(left, start=1):
        table.append(_next_row(table[-1][None], (right != symbol)[None], place)[0])
    row, column = len(left), len(right)
    steps = []
    while row or column:
        here = table[row][column]
        if row and column and here == table[row - 1][column - 1] + (left[row - 1] != right[column - 1]):
            row, column = row - 1, column - 1
            if left[row] != right[column]:
                steps.append(Edit(truth[column], answer[row]))
        elif column and here == table[row][column - 1] + 1:
            column -= 1
            steps.append(Edit(truth[column], ""))
        else:
            row -= 1
            steps.append(Edit("", answer[row]))
    return tuple(reversed(steps))


def _encoded(text: Symbols, codes: dict[str, int]) -> Counts:
    return np.array([codes.setdefault(symbol, len(codes)) for symbol in text], dtype=np.int64)


def _batch(answers: Sequence[Counts], truths: Sequence[Counts]) -> Counts:
    """The distances of some pairs, one row of all their tables at a time."""
    lengths, widths = (np.array([len(text) for text in texts]) for texts in (answers, truths))
    left, right = _padded(answers, int(lengths.max()), -1), _padded(truths, int(widths.max()), -2)
    row = np.tile(np.arange(right.shape[1] + 1), (len(truths), 1))
    found = widths.copy()
    for place in range(1, left.shape[1] + 1):
        row = _next_row(row, left[:, place - 1, None] != right, place)
        ended = np.flatnonzero(lengths == place)
        found[ended] = row[ended, widths[ended]]
    return found


def _next_row(before: Counts, differs: NDArray[np.bool_], place: int) -> Counts:
    """`[B, W + 1]` the tables' next row: insertions run along it, which a running minimum of the offsets does."""
    offsets = np.arange(before.shape[1])
    row = np.empty_like(before)
    row[:, 0] = place
    row[:, 1:] = np.minimum(before[:, :-1] + differs, before[:, 1:] + 1)
    least: Counts = np.minimum.accumulate(row - offsets, axis=1) + offsets
    return least


def _padded(texts: Sequence[Counts], width: int, fill: int) -> Counts:
    table = np.full((len(texts), width), fill, dtype=np.int64)
    for row, text in enumerate(texts):
        table[row, : len(text)] = text
    return table
