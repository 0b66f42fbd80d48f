"""Running a training script up to `Trainer.fit`, to take what it was about to train."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from progtrain.errors import CaptureError
from progtrain.records import Snapshot
from progtrain.script.capturing.interception import as_main, fit_replaced, from_script
from progtrain.script.capturing.observe import observe, seed_since
from progtrain.script.capturing.observe_data import Loaders, first_loader
from progtrain.workspace import write_atomic

_SEED_VARIABLE: Final = "PL_GLOBAL_SEED"


@dataclass(frozen=True)
class CapturedFit:
    """What a script handed to `Trainer.fit`; the objects are live, and not trained.

    Attributes:
        model: the LightningModule.
        trainer: the Trainer, with model and data attached.
        train_loader: the first training loader.
        valid_loader: the first validation loader, or None.
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


class _Reached(BaseException):
    """Leaves the script from inside `Trainer.fit`; no `except Exception` of the script holds it up."""


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

    leave_at_fit(script, arguments, take)
    return captured[0]


def leave_at_fit(script: Path, arguments: Sequence[str], at_fit: Callable[..., None]) -> None:
    """Run a script as `__main__` in this process until it calls `Trainer.fit`, and leave it there.

    Args:
        script: path of the script.
        arguments: its command line.
        at_fit: called in place of the method, with the method itself, the trainer, and the method's own arguments.

    Raises:
        CaptureError: the script, or `at_fit`, raised, or it ended without calling fit; the cause is that exception.
    """
    file, end, reached = os.path.abspath(script), "it ended", False
    os.environ.pop(_SEED_VARIABLE, None)

    def fit(*args: Any, **kwargs: Any) -> None:
        nonlocal reached
        at_fit(*args, **kwargs)
        reached = True
        raise _Reached

    try:
        with fit_replaced(fit), as_main(file, [str(script), *arguments]) as main:
            exec(compile(Path(file).read_bytes(), file, "exec", dont_inherit=True), main.__dict__)
    except _Reached:
        pass
    except SystemExit as error:
        end = f"it exited with {error.code!r}"
    except Exception as error:  # noqa: BLE001 - a user's script may raise anything, and it is passed on
        own = error.with_traceback(from_script(error.__traceback__, file))
        raise CaptureError(f"{script.name} raised {_where(own, file)}, before Trainer.fit.{_hint(own)}") from own
    if not reached:
        raise CaptureError(
            f"Expected {script.name} to call Trainer.fit; {end} without doing so. "
            "A training script trains with Lightning's Trainer when it is run without arguments."
        )


@dataclass(frozen=True)
class FitArguments:
    """What `Trainer.fit` was called with."""

    model: Any
    train: Any
    valid: Any
    datamodule: Any
    ckpt_path: str | None

    @classmethod
    def of(
        cls,
        model: Any,
        train_dataloaders: Any = None,
        val_dataloaders: Any = None,
        datamodule: Any = None,
        ckpt_path: Any = None,
        **options: Any,
    ) -> FitArguments:
        """As `Trainer.fit` takes them: a DataModule may stand in the place of the training loaders."""
        if datamodule is None and hasattr(train_dataloaders, "train_dataloader"):
            train_dataloaders, datamodule = None, train_dataloaders
        model = getattr(model, "_orig_mod", model)  # of torch.compile; Lightning unwraps it likewise
        return cls(model, train_dataloaders, val_dataloaders, datamodule, ckpt_path and str(ckpt_path))


def _take(trainer: Any, given: FitArguments, seed_before: int) -> CapturedFit:
    seed = seed_since(seed_before, os.environ.get(_SEED_VARIABLE))
    _attach(trainer, given)
    source = given.datamodule or given.model
    train = source.train_dataloader() if given.train is None else given.train
    # With loaders as arguments, no validation loader means no validation.
    asks = given.valid is None and given.train is None and _has(trainer, source, "val_dataloader")
    valid = source.val_dataloader() if asks else given.valid
    several = isinstance(valid, list | tuple) and len(valid) > 1
    notes = ("Of several validation loaders the first is used.",) if several else ()
    loaders = Loaders(first_loader(train), first_loader(valid), notes)
    snapshot = observe(trainer, given.model, loaders, seed)
    return CapturedFit(given.model, trainer, loaders.train, loaders.valid, given.datamodule, given.ckpt_path, snapshot)


def _attach(trainer: Any, given: FitArguments) -> None:
    """Link model and data to the trainer as its fit does, without loggers or checkpoints being made on disk."""
    states = sys.modules[type(trainer.state).__module__]
    trainer.state.fn = states.TrainerFn.FITTING
    trainer.state.status = states.TrainerStatus.RUNNING
    trainer.strategy.connect(given.model)
    trainer._data_connector.attach_data(
        given.model, train_dataloaders=given.train, val_dataloaders=given.valid, datamodule=given.datamodule
    )
    trainer._callback_connector._attach_model_callbacks()
    for part in (given.datamodule, given.model):
        if part is not None:
            part.prepare_data()
    for part in (given.datamodule, given.model):
        if part is not None:
            part.setup("fit")
    given.model.configure_model()


def _has(trainer: Any, source: Any, hook: str) -> bool:
    """Whether a hook is the script's own: Lightning's raises."""
    package = type(trainer.state).__module__.partition(".trainer")[0]
    return not getattr(type(source), hook).__module__.startswith(package)


def _where(error: Exception, file: str) -> str:
    if isinstance(error, SyntaxError) and error.filename == file:
        return f"SyntaxError: {error.msg} in line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    place = f" in line {lines[-1]}" if lines else ""
    return f"{type(error).__name__}: {error}{place}"


def _hint(error: Exception) -> str:
    if not isinstance(error, FileNotFoundError):
        return ""
    return " Give the script of a workspace that has its data; `progtrain new` makes those of the examples."


def main() -> None:
    """`python -m progtrain.script.capturing.capture SCRIPT --output snapshot.json`."""
    parser = argparse.ArgumentParser(description="Write what a script is about to train, without training.")
    parser.add_argument("script", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    try:
        snapshot = capture_fit(options.script).snapshot
    except CaptureError as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        print(error, file=sys.stderr)
        sys.exit(1)
    write_atomic(options.output, snapshot.model_dump_json(indent=2) + "\n")


if __name__ == "__main__":
    main()
