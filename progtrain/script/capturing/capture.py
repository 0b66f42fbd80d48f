"""Running a training script up to `Trainer.fit`, to take what it was about to train."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from progtrain.errors import CaptureError
from progtrain.records import Snapshot
from progtrain.script.capturing.attaching import FitArguments, attach
from progtrain.script.capturing.leaving import SEED_VARIABLE, leave_at_fit
from progtrain.script.capturing.limits import limits_of
from progtrain.script.capturing.observe import observe, seed_since
from progtrain.script.capturing.observe_data import Loaders, first_loader
from progtrain.script.capturing.rate_by_hand import rate_by_hand
from progtrain.script.capturing.restoring import restore_weights
from progtrain.script.capturing.schedule_rehearsal import rehearse
from progtrain.script.capturing.tuning import found_by_callbacks
from progtrain.script.capturing.watching import watched_loader
from progtrain.workspace import write_atomic


@dataclass(frozen=True)
class CapturedFit:
    """What a script handed to `Trainer.fit`; the objects are live, and not trained.

    Attributes:
        model: the LightningModule.
        trainer: the Trainer, with model and data attached.
        train_loader: the first training loader.
        valid_loader: the validation loader that is measured, or None.
        datamodule: the DataModule, or None.
        ckpt_path: of a checkpoint that training was to go on from.
        snapshot: the same, described.
    """

    model: Any
    trainer: Any
    train_loader: Any
    valid_loader: Any
    datamodule: Any
    ckpt_path: str | None
    snapshot: Snapshot


def capture_fit(script: Path, arguments: Sequence[str] = ()) -> CapturedFit:
    """Run a script as `__main__` in this process until it calls `Trainer.fit`.

    The working directory is the caller's business; the script may write files before it calls fit
    (`progtrain.script.capturing.sandbox.scratch_view` gives it a place for that).

    Args:
        script: path of the script.
        arguments: its command line.

    Raises:
        CaptureError: it raised, or ended without calling fit; the cause is the script's own exception.
    """
    captured: list[CapturedFit] = []
    seed_before = torch.seed()

    def take(original: Callable[..., None], trainer: Any, *args: Any, **kwargs: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Lightning's advice on loaders is for those who train
            captured.append(_take(trainer, FitArguments.of(*args, **kwargs), seed_before))

    left = leave_at_fit(script, arguments, take)
    (taken,) = captured
    seen = taken.snapshot
    told = {
        "notes": (*left.notes, *seen.notes),
        "overwritten": (*left.overwritten, *seen.overwritten),
        "rate_by_hand": rate_by_hand(taken.trainer),
    }
    return replace(taken, snapshot=seen.model_copy(update=told))


def _take(trainer: Any, given: FitArguments, seed_before: int) -> CapturedFit:
    seed = seed_since(seed_before, os.environ.get(SEED_VARIABLE))
    attach(trainer, given)
    source = given.datamodule or given.model
    train = source.train_dataloader() if given.train is None else given.train
    # With loaders as arguments, no validation loader means no validation.
    asks = given.valid is None and given.train is None and _has(trainer, source, "val_dataloader")
    valid = source.val_dataloader() if asks else given.valid
    overwritten = (*found_by_callbacks(trainer), *restore_weights(trainer, given))
    watched = watched_loader(trainer, given.model, valid)
    notes = (*([watched.why] if watched.why else ()), *limits_of(trainer))
    snapshot = observe(trainer, given.model, Loaders(train, watched.loader, watched.index), seed, overwritten, notes)
    return CapturedFit(
        given.model, trainer, first_loader(train), watched.loader, given.datamodule, given.ckpt_path, snapshot
    )


def _has(trainer: Any, source: Any, hook: str) -> bool:
    """Whether a hook is the script's own: Lightning's raises."""
    package = type(trainer.state).__module__.partition(".trainer")[0]
    return not getattr(type(source), hook).__module__.startswith(package)


def main() -> None:
    """`python -m progtrain.script.capturing.capture SCRIPT --output snapshot.json`."""
    parser = argparse.ArgumentParser(description="Write what a script is about to train, without training.")
    parser.add_argument("script", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    try:
        fit = capture_fit(options.script)
    except CaptureError as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        sys.stdout.flush()  # what the script was printing comes before it
        print(f"\n{error}", file=sys.stderr)  # a paragraph of its own, which the loop passes on whole
        sys.exit(1)
    rehearsed = rehearse(fit.trainer, resumed=fit.ckpt_path is not None)
    found = {"breakdown": rehearsed.breakdown, "idle_schedulers": rehearsed.idle}
    snapshot = fit.snapshot.model_copy(update=found)
    write_atomic(options.output, snapshot.model_dump_json(indent=2) + "\n")


if __name__ == "__main__":
    main()
