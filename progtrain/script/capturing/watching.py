"""Which of several validation loaders the checkpoint watches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from progtrain.script.capturing.fits import BEST, checkpoints
from progtrain.script.capturing.observe_data import each_loader
from progtrain.script.capturing.validating import validate_first_batch

_POSITION: Final = re.compile(r"/dataloader_idx_(\d+)$")


@dataclass(frozen=True)
class Watched:
    """The validation loader that is measured.

    Attributes:
        index: its position among all, as Lightning counts them.
        loader: None where there is none at all.
        why: in words; empty where it is the only one.
    """

    index: int
    loader: Any
    why: str = ""


def watched_loader(trainer: Any, model: Any, given: Any) -> Watched:
    """The validation loader whose figure decides which checkpoint is the best; else the first, which `why` says.

    Where the figure's name does not tell, the script's own validation step is run on the first batch of every loader,
    untrained, to see of which it logs that figure. Whatever that leaves in the model is put back.

    Args:
        trainer: to which the model is attached.
        model: its LightningModule.
        given: what the script gives for validation: one loader, several in a list or by name, or None.
    """
    loaders = each_loader(given)
    if len(loaders) < 2:
        return Watched(0, loaders[0][1] if loaders else None)
    monitor = _monitor(trainer)
    found, why = (
        (None, "no ModelCheckpoint watches any") if monitor is None else _found(trainer, model, loaders, monitor)
    )
    if found is None:
        told = f"the first{_named(loaders, 0)} is measured, because {why}."
    else:
        told = f"number {found}{_named(loaders, found)} is measured: the ModelCheckpoint watches {monitor!r}, which is "
        told += "logged of that one."
    position = found or 0
    return Watched(position, loaders[position][1], f"Of {len(loaders)} validation loaders {told}")


def _named(loaders: Sequence[tuple[str, Any]], position: int) -> str:
    name = loaders[position][0]
    return "" if name == str(position) else f" ({name})"


def _monitor(trainer: Any) -> str | None:
    watching = [each for each in checkpoints(trainer) if each.monitor]
    best = [each for each in watching if each.filename == BEST]
    return next((str(each.monitor) for each in (*best, *watching)), None)


def _found(trainer: Any, model: Any, loaders: Sequence[tuple[str, Any]], monitor: str) -> tuple[int | None, str]:
    """The position of the loader that a figure is logged of, or why there is no such one."""
    position = _POSITION.search(monitor)
    if position is not None and int(position[1]) < len(loaders):
        return int(position[1]), ""
    try:
        logging = [
            index for index, (_, loader) in enumerate(loaders) if monitor in _logged(trainer, model, loader, index)
        ]
    except Exception as error:  # noqa: BLE001 - a user's step may raise anything, which is what is told
        return (
            None,
            f"the validation step, run to see which one logs {monitor!r}, raises {type(error).__name__}: {error}",
        )
    if len(logging) == 1:
        return logging[0], ""
    of = f"{len(logging)} of them together" if logging else "none by the validation step"
    return None, f"{monitor!r}, which the ModelCheckpoint watches, is logged of {of}"


def _logged(trainer: Any, model: Any, loader: Any, index: int) -> set[str]:
    """The names under which the validation step logs figures of a loader's first batch, as the checkpoint sees them."""
    heard: set[str] = set()
    with _listened(model, heard, index):
        validate_first_batch(trainer, model, loader, index)
    return heard


@contextmanager
def _listened(model: Any, heard: set[str], index: int) -> Iterator[None]:
    def log(name: str, *args: Any, add_dataloader_idx: bool = True, **kwargs: Any) -> None:
        suffix = f"/dataloader_idx_{index}" if add_dataloader_idx else ""
        heard.update((name + suffix, f"{name}_epoch{suffix}"))

    def log_dict(dictionary: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        for name in dictionary.keys():  # noqa: SIM118 - a MetricCollection gives other names when it is iterated
            log(name, **kwargs)

    for name, listener in (("log", log), ("log_dict", log_dict)):
        object.__setattr__(model, name, listener)
    try:
        yield
    finally:
        for name in ("log", "log_dict"):
            object.__delattr__(model, name)
