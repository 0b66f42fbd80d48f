"""What a data loader yields: its settings, a fingerprint of its samples, the shape of a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
import torch
from lightning.pytorch.utilities import CombinedLoader
from pydantic import JsonValue
from torch.utils.data import DataLoader, IterableDataset, RandomSampler

from progtrain.records import LoaderSettings, SharedSamples

FINGERPRINT_SAMPLES: Final = 2000
_READ_TWICE: Final = 50
"""Samples; enough to see that a data set draws random numbers."""


@dataclass(frozen=True)
class Loaders:
    """The loaders of a fit.

    Attributes:
        train: as the script gives them: one, or several in a list or by name.
        valid: the one that is measured.
        valid_index: its position among all.
    """

    train: Any
    valid: Any
    valid_index: int = 0


def each_loader(given: Any) -> tuple[tuple[str, Any], ...]:
    """The loaders in what a script gives, in Lightning's order, each with its name or position.

    Args:
        given: one loader, several in a list or by name, nested or not, a CombinedLoader of them, or None.
    """
    return tuple(_each("", given))


def _each(name: str, given: Any) -> Iterator[tuple[str, Any]]:
    given = getattr(given, "iterables", given)
    if given is None:
        return
    if not isinstance(given, Mapping | list | tuple):
        yield name, given
        return
    for key, value in given.items() if isinstance(given, Mapping) else enumerate(given):
        yield from _each(f"{name}.{key}" if name else str(key), value)


def first_loader(given: Any) -> Any:
    """The first of what may be a loader, a list or dict of loaders, or a CombinedLoader."""
    return next((loader for _, loader in each_loader(given)), None)


def first_batch(given: Any) -> Any:
    """The first training batch as Lightning makes it: one of every loader, in the form in which they are given.

    Args:
        given: as in `each_loader`.

    Returns:
        None where there is none.
    """
    if isinstance(given, Mapping | list | tuple):
        given = CombinedLoader(given, "max_size_cycle")
    if not hasattr(given, "iterables"):
        return next(iter(given), None)
    return next(iter(given), (None,))[0]


@dataclass(frozen=True)
class Observed:
    """A loader's settings, None where there is no loader, and the digest of every sample that was read."""

    settings: LoaderSettings | None
    digests: tuple[bytes, ...] = ()


def shared_samples(train: Observed, valid: Observed) -> SharedSamples | None:
    """How many of the validation samples that were read are among the training samples that were."""
    if not train.digests or not valid.digests:
        return None
    known = frozenset(train.digests)
    return SharedSamples(shared=sum(digest in known for digest in valid.digests), looked_at=len(valid.digests))


def observe_loader(loader: Any, may_be_random: bool) -> Observed:
    """The settings of a loader and its samples.

    Args:
        loader: a DataLoader, or any other iterable of batches, of which less is known.
        may_be_random: whether samples may be drawn at random (augmentation); there is no fingerprint then.
    """
    if loader is None:
        return Observed(None)
    if not isinstance(loader, DataLoader):
        unknown = LoaderSettings(
            size=None, batch_size=None, shuffle=False, sampler=type(loader).__name__, workers=0, fingerprint=None
        )
        return Observed(unknown)
    sampler = loader.sampler if loader.batch_size is not None else loader.batch_sampler or loader.sampler
    digests: list[bytes] = []
    settings = LoaderSettings(
        size=_size(loader.dataset),
        batch_size=loader.batch_size or getattr(loader.batch_sampler, "batch_size", None),
        shuffle=isinstance(sampler, RandomSampler),
        sampler=type(sampler).__name__,
        workers=loader.num_workers,
        fingerprint=_fingerprint(loader.dataset, may_be_random, digests),
    )
    return Observed(settings, tuple(digests))


def batch_layout(batch: Any) -> JsonValue:
    """Shapes and types of a batch, nested as the batch is."""
    if isinstance(batch, torch.Tensor):
        return {"shape": list(batch.shape), "dtype": str(batch.dtype).removeprefix("torch.")}
    if isinstance(batch, Mapping):
        return {str(key): batch_layout(value) for key, value in batch.items()}
    if isinstance(batch, list | tuple):
        return [batch_layout(each) for each in batch]
    return type(batch).__name__


def _size(dataset: Any) -> int | None:
    try:
        return len(dataset)
    except TypeError:
        return None


def _fingerprint(dataset: Any, may_be_random: bool, digests: list[bytes]) -> str | None:
    """Over all samples read; each one's own digest goes to `digests`."""
    if may_be_random and _digest(_samples(dataset, _READ_TWICE)) != _digest(_samples(dataset, _READ_TWICE)):
        return None
    return _digest(_samples(dataset, FINGERPRINT_SAMPLES), digests)


def _samples(dataset: Any, count: int) -> Iterator[Any]:
    """Up to `count` samples, evenly spaced where the data set has a length, else the first ones."""
    size = _size(dataset)
    if size is None or isinstance(dataset, IterableDataset):
        return islice(iter(dataset), count)
    chosen: Sequence[int] = range(size) if size <= count else [i * size // count for i in range(count)]
    return (dataset[i] for i in chosen)


def _digest(samples: Iterable[Any], each: list[bytes] | None = None) -> str:
    digest = hashlib.sha256()
    for sample in samples:
        own = hashlib.sha256()
        for part in _parts(sample):
            digest.update(part)
            own.update(part)
        if each is not None:
            each.append(own.digest())
    return digest.hexdigest()


def _parts(value: Any) -> Iterator[bytes]:
    """The bytes of a sample, with shapes and types, nested parts in order."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        yield from _parts(value.float().numpy() if value.dtype == torch.bfloat16 else value.numpy())
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype}{value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, Mapping):
        for key in value:
            yield str(key).encode()
            yield from _parts(value[key])
    elif isinstance(value, list | tuple | np.ndarray):
        yield b"["
        for each in value:
            yield from _parts(each)
        yield b"]"
    elif isinstance(value, bytes):
        yield value
    elif value is None or isinstance(value, str | bool | int | float | np.generic):
        yield f"{value!r};".encode()
    else:
        # Pictures and the like give their bytes as arrays; a repr would hold a memory address.
        yield from _parts(_as_array(value))


def _as_array(value: Any) -> Any:
    array = np.asarray(value)
    return type(value).__qualname__ if array.dtype == object else array
