"""The validation set as it is measured: every sample once, in the data set's own order, inputs apart from targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Tensor
from torch.utils.data import (
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
)

from progtrain.errors import EvaluationError

_TARGET_KEYS: Final = ("target", "targets", "label", "labels", "y")
_ID_KEYS: Final = ("sample_id", "sample_ids", "id", "ids", "index", "idx")
#: For loaders with a batch sampler of their own, which have no batch size to take over.
_BATCH_SIZE: Final = 64


@dataclass(frozen=True)
class Batch:
    """One batch, taken apart.

    Args:
        inputs: what the model is called with: a tensor, or a tuple, list or mapping of tensors.
        targets: `[B, ...]`.
    """

    inputs: Any
    targets: Tensor

    def row(self, index: int) -> Batch:
        """One sample as a batch of one."""
        return Batch(_map(self.inputs, lambda t: t[index : index + 1]), self.targets[index : index + 1])

    def to(self, device: torch.device) -> Batch:
        """The batch on `device`."""
        return Batch(_map(self.inputs, lambda t: t.to(device)), self.targets.to(device))


def split(batch: Any) -> Batch:
    """Take a loader's batch apart: a pair or tuple ends with the targets, a mapping names them.

    Raises:
        EvaluationError: the batch has another shape.
    """
    if isinstance(batch, Mapping):
        key = next((key for key in _TARGET_KEYS if key in batch), None)
        if key is not None and isinstance(batch[key], Tensor):
            left = {name: value for name, value in batch.items() if name != key and name not in _ID_KEYS}
            return Batch(left, batch[key])
        found = f"a mapping with the keys {sorted(map(str, batch))}"
    elif isinstance(batch, Sequence) and len(batch) >= 2 and isinstance(batch[-1], Tensor):
        return Batch(batch[0] if len(batch) == 2 else tuple(batch[:-1]), batch[-1])
    else:
        found = f"a {type(batch).__name__}" + (f" of {len(batch)}" if isinstance(batch, Sequence) else "")
    raise EvaluationError(
        f"Expected validation batches of (inputs, ..., targets), or mappings with one of {_TARGET_KEYS}; got {found}. "
        "Make the validation loader yield one of these."
    )


class ValidationSet:
    """The samples of a validation loader, unshuffled, each once.

    Args:
        loader: as the script made it.
    """

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._collate = loader.collate_fn
        self._dataset = _in_order(loader)
        self._indexed = not isinstance(self._dataset, IterableDataset) and not _yields_batches(loader)
        self.batch_size = None if _yields_batches(loader) else loader.batch_size or _BATCH_SIZE

    def __iter__(self) -> Iterator[Batch]:
        """Every batch in order."""
        return self._read(self._dataset, self.batch_size)

    def rows(self, indices: Sequence[int]) -> list[Batch]:
        """The samples at ascending positions, each as a batch of one."""
        if self._indexed:
            return list(self._read(Subset(self._dataset, indices), batch_size=1))
        wanted, start = set(indices), 0
        found: list[Batch] = []
        for batch in self:
            count = len(batch.targets)
            found.extend(batch.row(i - start) for i in range(start, start + count) if i in wanted)
            start += count
        return found

    def _read(self, dataset: Any, batch_size: int | None) -> Iterator[Batch]:
        loader: DataLoader[Any] = DataLoader(dataset, batch_size=batch_size, collate_fn=self._collate)
        return (split(batch) for batch in loader)


def _yields_batches(loader: DataLoader[Any]) -> bool:
    return loader.batch_size is None and loader.batch_sampler is None


def _in_order(loader: DataLoader[Any]) -> Any:
    """The data set, narrowed to what a sampler of the script's own draws from."""
    dataset, sampler = loader.dataset, loader.sampler
    if isinstance(dataset, IterableDataset) or isinstance(sampler, SequentialSampler | RandomSampler):
        return dataset
    return Subset(dataset, sorted(set(sampler)))


def _map(data: Any, function: Any) -> Any:
    return apply_to_collection(data, Tensor, function)
