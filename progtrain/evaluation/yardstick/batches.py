"""The validation set as it is measured: every sample once, in the data set's own order, inputs apart from targets."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

import torch
from lightning_utilities.core.apply_func import apply_to_collection
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import (
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
)

from progtrain.errors import EvaluationError
from progtrain.predictions import IGNORED

_TARGET_KEYS: Final = ("target", "targets", "label", "labels", "y", "mask", "masks", "text", "texts", "transcript")
_ID_KEYS: Final = ("sample_id", "sample_ids", "id", "ids", "index", "idx")
#: For loaders with a batch sampler of their own, which have no batch size to take over.
_BATCH_SIZE: Final = 64


class Texts(NamedTuple):
    """Targets that are texts.

    Args:
        texts: one a sample.
        ids: `[B, S]` the classes of their symbols, padded; None where the baseline's loss does not need them.
        lengths: `[B]` how many of `ids` count.
    """

    texts: tuple[str, ...]
    ids: Tensor | None = None
    lengths: Tensor | None = None


def as_array(tensor: Tensor) -> NDArray[Any]:
    """A tensor for files and requests, which have no numbers of two bytes."""
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor).numpy()


#: (a batch as `validation_step` gets it) -> its inputs and its targets.
Split = Callable[[Any], tuple[Any, Any]]
#: (a batch as the loader gives it) -> the batch as `validation_step` gets it.
Prepare = Callable[[Any], Any]


@dataclass(frozen=True)
class Batch:
    """One batch, taken apart.

    Args:
        inputs: what the model is called with: a tensor, or a tuple, list or mapping of tensors.
        targets: `[B, ...]`, or texts.
    """

    inputs: Any
    targets: Tensor | Texts

    def __len__(self) -> int:
        return len(self.targets.texts if isinstance(self.targets, Texts) else self.targets)

    def row(self, index: int) -> Batch:
        """One sample as a batch of one."""
        return Batch(_map(self.inputs, lambda t: t[index : index + 1]), row_of(self.targets, index))

    def first(self, count: int) -> Batch:
        """The first samples; every tensor has a row a sample."""
        inputs = _map(self.inputs, lambda tensor: tensor[:count])
        if isinstance(self.targets, Tensor):
            return Batch(inputs, self.targets[:count])
        ids, lengths = (None if part is None else part[:count] for part in (self.targets.ids, self.targets.lengths))
        return Batch(inputs, Texts(self.targets.texts[:count], ids, lengths))

    def to(self, device: torch.device) -> Batch:
        """The batch with its inputs on `device`."""
        return Batch(_map(self.inputs, lambda t: t.to(device)), self.targets)


def row_of(targets: Tensor | Texts, index: int) -> Tensor | Texts:
    """One sample's targets as those of a batch of one."""
    if isinstance(targets, Tensor):
        return targets[index : index + 1]
    ids, lengths = (None if part is None else part[index : index + 1] for part in (targets.ids, targets.lengths))
    return Texts(targets.texts[index : index + 1], ids, lengths)


def by_convention(batch: Any) -> tuple[Any, Any]:
    """Take a loader's batch apart: a pair or tuple ends with the targets; a mapping or a dataclass names them.

    Returns:
        The inputs and the targets.

    Raises:
        EvaluationError: the batch has another shape.
    """
    named = named_parts(batch)
    if named is not None:
        key = next((key for key in _TARGET_KEYS if key in named), None)
        if key is not None and _is_target(named[key]):
            left = {name: value for name, value in named.items() if name != key and name not in _ID_KEYS}
            return left, named[key]
        found = f"a {type(batch).__name__} with the names {sorted(map(str, named))}"
    elif isinstance(batch, Sequence) and len(batch) >= 2 and _is_target(batch[-1]):
        return (batch[0] if len(batch) == 2 else tuple(batch[:-1])), batch[-1]
    else:
        found = f"a {type(batch).__name__}" + (f" of {len(batch)}" if isinstance(batch, Sequence) else "")
    raise EvaluationError(
        f"Expected validation batches of (inputs, ..., targets), or with one of the names {_TARGET_KEYS}; got {found}. "
        "Say in split() of 03_eval.py how a batch comes apart."
    )


def named_parts(batch: Any) -> Mapping[str, Any] | None:
    """The batch's parts by name where it has names; a plain tuple has none."""
    if isinstance(batch, Mapping):
        return batch
    if dataclasses.is_dataclass(batch) and not isinstance(batch, type):
        return {field.name: getattr(batch, field.name) for field in dataclasses.fields(batch)}
    if isinstance(batch, tuple) and hasattr(batch, "_asdict"):
        return {str(name): value for name, value in batch._asdict().items()}
    return None


def without(targets: Tensor, ignored: int) -> Tensor:
    """The targets with those that the loss ignores marked as progtrain marks them."""
    return targets.masked_fill(targets == ignored, IGNORED)


def blanked(batch: Any, name: str) -> Any:
    """The batch with one of its attributes all zero, for a model that takes the whole of it and is not to see that."""
    copied = copy.copy(batch)
    setattr(copied, name, torch.zeros_like(getattr(batch, name)))
    return copied


def _is_target(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(entry, str) for entry in value)
    return isinstance(value, Tensor | Texts)


class ValidationSet:
    """The samples of a validation loader, unshuffled, each once.

    Args:
        loader: as the script made it.
        split: how one of its batches comes apart.
        prepare: what happens to a batch before that.
        batch_size: in place of the loader's own.
    """

    def __init__(
        self,
        loader: DataLoader[Any],
        split: Split = by_convention,
        prepare: Prepare = lambda batch: batch,
        batch_size: int | None = None,
    ) -> None:
        self._split, self._prepare = split, prepare
        self._collate = loader.collate_fn
        self._dataset = _in_order(loader)
        self._indexed = not isinstance(self._dataset, IterableDataset) and not _yields_batches(loader)
        self.batch_size = None if _yields_batches(loader) else batch_size or loader.batch_size or _BATCH_SIZE

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
            count = len(batch)
            found.extend(batch.row(i - start) for i in range(start, start + count) if i in wanted)
            start += count
        return found

    def first(self, count: int) -> Batch:
        """The first samples, at most `count`, as one batch."""
        if self._indexed:
            return next(self._read(Subset(self._dataset, range(min(count, len(self._dataset)))), count))
        return next(iter(self)).first(count)

    def _read(self, dataset: Any, batch_size: int | None) -> Iterator[Batch]:
        loader: DataLoader[Any] = DataLoader(dataset, batch_size=batch_size, collate_fn=self._collate)
        return (_taken_apart(self._split, self._prepare(batch)) for batch in loader)


def some_batches(loader: DataLoader[Any], sizes: Sequence[int]) -> Iterator[Any]:
    """The loader's first samples in batches of these sizes; in its own where it makes its batches itself."""
    dataset, begin = _in_order(loader), 0
    if isinstance(dataset, IterableDataset) or _yields_batches(loader):
        yield from islice(loader, len(sizes))
        return
    for size in sizes:
        indices = range(begin, min(begin + size, len(dataset)))
        begin += size
        if indices:
            yield from DataLoader(Subset(dataset, indices), batch_size=size, collate_fn=loader.collate_fn)


def _taken_apart(split: Split, batch: Any) -> Batch:
    inputs, targets = split(batch)
    if isinstance(targets, list | tuple) and not isinstance(targets, Texts):
        targets = Texts(tuple(targets))
    return Batch(inputs, targets)


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
