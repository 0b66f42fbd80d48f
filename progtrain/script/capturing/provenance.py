"""Which part of a batch the tensors of a training step are made of, and which its loss compares answers with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import torch

INPUTS: Final = "inputs"
TARGETS: Final = "targets"


class Provenance:
    """Follows the two parts of a batch, a pair of inputs and targets, through the calls of a training step.

    Attributes:
        compared: what the step's loss compares answers with, INPUTS or TARGETS or both or neither, or what is made of
            them; None where it is not known, as of a batch that is no pair.
    """

    def __init__(self) -> None:
        self.compared: tuple[str, ...] | None = None
        self._sources: dict[int, frozenset[str]] = {}
        self._kept: list[torch.Tensor] = []  # so that no id is given twice
        self._lost = True

    def begin(self, batch: Any) -> None:
        """Look at a batch, before it is used."""
        if isinstance(batch, list | tuple) and len(batch) == 2:
            self._lost = False
            for source, part in zip((INPUTS, TARGETS), batch, strict=True):
                self._mark(part, frozenset({source}))

    def follows(self, given: Any, made: Any) -> None:
        """Note that one thing was made of another."""
        if not self._lost and (sources := self._sources_of(given)):
            self._mark(made, sources)

    def compares(self, given: Any) -> None:
        """Note what a loss function is given: what no gradient leads to is what answers are compared with."""
        if not self._lost:
            targets = [each for each in tensors_in(given) if not each.requires_grad]
            self.compared = tuple(sorted({*(self.compared or ()), *self._sources_of(targets)}))

    def end(self, loss: Any) -> None:
        """Look at the step's own loss, which compares by other means where no loss function was called."""
        if not self._lost and self.compared is None:
            sources = self._sources_of(loss)
            self.compared = (TARGETS,) if TARGETS in sources else tuple(sources)

    def _mark(self, made: Any, sources: frozenset[str]) -> None:
        for each in tensors_in(made):
            self._sources[id(each)] = self._sources.get(id(each), frozenset()) | sources
            self._kept.append(each)

    def _sources_of(self, given: Any) -> frozenset[str]:
        return frozenset().union(*(self._sources.get(id(each), frozenset()) for each in tensors_in(given)))


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """The tensors in something nested."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from tensors_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from tensors_in(each)
