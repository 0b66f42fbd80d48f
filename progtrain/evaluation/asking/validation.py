"""The validation set of a fit: which of its loaders is watched, and how the script itself goes through it."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any

from torch.utils.data import DataLoader, IterableDataset, SequentialSampler

from progtrain.errors import EvaluationError
from progtrain.evaluation.yardstick.batches import Split, ValidationSet
from progtrain.script.capturing.inside_fit import Fit
from progtrain.script.capturing.watching import watched_loader


@dataclass(frozen=True)
class Validation:
    """The samples that are measured.

    Args:
        samples: all of them, in the data set's order, as `validation_step` gets them.
        shuffled: whether the script's own validation takes them in another order.
        validated: how many of them it takes (`limit_val_batches`, `drop_last`); None where that is not known.
    """

    samples: ValidationSet
    shuffled: bool
    validated: int | None


def validation_of(fit: Fit, script: str, split: Split, batch_size: int | None) -> Validation:
    """The validation set that the checkpoint watches.

    Args:
        fit: set up.
        script: its name, for messages.
        split: how a batch comes apart.
        batch_size: that is locked; None for the loader's own.

    Raises:
        EvaluationError: the script gives no DataLoader for validation.
    """
    loader, index, _ = watched_dataloader(fit, script)
    samples = ValidationSet(loader, split, lambda batch: fit.prepared(batch, index), batch_size)
    in_order = isinstance(loader.dataset, IterableDataset) or isinstance(loader.sampler, SequentialSampler)
    return Validation(samples, not in_order, _validated(fit, loader))


def watched_dataloader(fit: Fit, script: str) -> tuple[DataLoader[Any], int, str]:
    """The loader that is measured, its position among several, and why it is that one.

    Raises:
        EvaluationError: it is no DataLoader.
    """
    with fit.checkpoints_attached():
        watched = watched_loader(fit.trainer, fit.model, fit.validation_loaders())
    if isinstance(watched.loader, DataLoader):
        return watched.loader, watched.index, watched.why
    found = "none" if watched.loader is None else f"a {type(watched.loader).__name__}"
    raise EvaluationError(
        f"Expected one validation DataLoader in {script}, got {found}. Give it to Trainer.fit or to the DataModule."
    )


def _validated(fit: Fit, loader: DataLoader[Any]) -> int | None:
    sampler = loader.sampler
    if isinstance(loader.dataset, IterableDataset) or loader.batch_size is None or not isinstance(sampler, Sized):
        return None
    size, limit = len(sampler), fit.trainer.limit_val_batches
    batches = len(loader)
    allowed = int(limit * batches) if isinstance(limit, float) else int(limit)
    whole = size - size % loader.batch_size if loader.drop_last else size
    return min(whole, min(allowed, batches) * loader.batch_size)
