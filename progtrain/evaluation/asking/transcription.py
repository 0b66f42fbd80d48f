"""Tasks that are answered with texts: batches with texts or symbol classes, and decoding of CTC's frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from progtrain.errors import EvaluationError
from progtrain.evaluation.yardstick.batches import Texts, named_parts
from progtrain.evaluation.yardstick.vocabulary import spell

_TEXT_KEYS: Final = (
    "text",
    "texts",
    "transcript",
    "transcripts",
    "transcription",
    "targets",
    "target",
    "labels",
    "label",
)
_LENGTH_KEYS: Final = ("target_lengths", "label_lengths", "text_lengths", "target_length", "lengths", "length")
_ID_KEYS: Final = ("sample_id", "sample_ids", "id", "ids", "index", "idx")


def texts_by_convention(batch: Any, vocabulary: Sequence[str], blank: int = 0) -> tuple[Any, Texts]:
    """Take a batch apart whose targets are texts or classes of symbols, as `torch.nn.CTCLoss` takes them.

    Args:
        batch: `(inputs, texts)`, `(inputs, classes, lengths)` with classes padded `[B, S]` or one after another `[S]`,
            with input lengths before the lengths or without; or a mapping or dataclass that names these.
        vocabulary: the symbol of every class.
        blank: CTC's class for "no symbol", which also pads where there are no lengths.

    Returns:
        The inputs and the targets.

    Raises:
        EvaluationError: the batch has another shape.
    """
    named = named_parts(batch)
    if named is not None:
        return _from_names(named, vocabulary, blank)
    if isinstance(batch, Sequence) and len(batch) >= 2:
        lengths = batch[-1] if len(batch) > 2 else None
        return batch[0], _texts(batch[1], lengths, vocabulary, blank)
    raise _strange(type(batch).__name__)


def ctc_greedy(frames: Tensor, vocabulary: Sequence[str], blank: int = 0) -> tuple[str, ...]:
    """The best symbol of every frame, repetitions merged and blanks dropped (Graves et al., 2006).

    Args:
        frames: `[B, T, C]` scores.
        vocabulary: the symbol of every class.
        blank: CTC's class for "no symbol".

    Raises:
        EvaluationError: the vocabulary has not one symbol a class.
    """
    if len(vocabulary) != frames.shape[-1]:
        raise EvaluationError(
            f"Expected a symbol for each of {frames.shape[-1]} classes, got {len(vocabulary)}. "
            "Write them as a list into common/vocabulary.json of the prepared data, or state VOCABULARY in 03_eval.py."
        )
    rows = (torch.unique_consecutive(row).tolist() for row in frames.argmax(dim=-1))
    return tuple(spell([index for index in row if index != blank], vocabulary) for row in rows)


def ctc_loss(frames: Tensor, targets: Texts, blank: int = 0, zero_infinity: bool = False) -> Tensor:
    """`torch.nn.functional.ctc_loss` over whole rows of frames, averaged as it does by default.

    Args:
        frames: `[B, T, C]` scores, normalised or not: to normalise twice changes nothing.
        targets: with the classes of their symbols.
        blank: CTC's class for "no symbol".
        zero_infinity: whether a text too long for its frames counts as 0.

    Raises:
        NotImplementedError: the batches hold texts alone, without their symbols' classes.
    """
    if targets.ids is None or targets.lengths is None:
        raise NotImplementedError("the batches hold no classes of symbols")
    scores = frames.float().log_softmax(dim=-1).transpose(0, 1)
    steps = torch.full((len(frames),), frames.shape[1])
    return F.ctc_loss(scores, targets.ids, steps, targets.lengths, blank=blank, zero_infinity=zero_infinity)


def _from_names(named: Mapping[str, Any], vocabulary: Sequence[str], blank: int) -> tuple[Any, Texts]:
    key = next((key for key in _TEXT_KEYS if key in named), None)
    if key is None:
        raise _strange(f"names {sorted(named)}")
    length_key = next((key for key in _LENGTH_KEYS if key in named), None)
    rest = {
        name: value
        for name, value in named.items()
        if name not in (*_TEXT_KEYS, *_ID_KEYS, length_key) and isinstance(value, Tensor)
    }
    ids = next((named[name] for name in _TEXT_KEYS[::-1] if isinstance(named.get(name), Tensor)), None)
    texts = _texts(named[key] if ids is None else ids, named.get(length_key or ""), vocabulary, blank)
    said = named[key]
    return rest, texts if isinstance(said, Tensor) else texts._replace(texts=tuple(said))


def _texts(said: Any, lengths: Tensor | None, vocabulary: Sequence[str], blank: int) -> Texts:
    if isinstance(said, list | tuple) and all(isinstance(text, str) for text in said):
        return _encoded(tuple(said), vocabulary)
    if not isinstance(said, Tensor):
        raise _strange(f"targets that are a {type(said).__name__}")
    if said.ndim == 1 and lengths is not None:
        said = pad_sequence(list(torch.split(said, lengths.tolist())), batch_first=True, padding_value=blank)
    if lengths is None:
        lengths = ((said != blank) & (said >= 0)).sum(dim=1)
    if not vocabulary:
        raise EvaluationError(
            "Expected the symbols of the targets' classes, got none. "
            "Write them as a list into common/vocabulary.json of the prepared data, or state VOCABULARY in 03_eval.py."
        )
    spelt = (spell(row[:length].tolist(), vocabulary) for row, length in zip(said, lengths.tolist(), strict=True))
    return Texts(tuple(spelt), said, lengths)


def _encoded(texts: tuple[str, ...], vocabulary: Sequence[str]) -> Texts:
    """Texts with the classes of their characters, where each has one."""
    classes = {symbol: index for index, symbol in enumerate(vocabulary)}
    if not classes or any(character not in classes for text in texts for character in text):
        return Texts(texts)
    rows = [torch.tensor([classes[character] for character in text], dtype=torch.long) for text in texts]
    return Texts(texts, pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows]))


def _strange(found: str) -> EvaluationError:
    return EvaluationError(
        f"Expected validation batches of (inputs, texts) or (inputs, classes, lengths), or with one of the names "
        f"{_TEXT_KEYS}; got {found}. Say in split() of 03_eval.py how a batch comes apart."
    )
