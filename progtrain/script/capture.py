"""Running a training script up to `Trainer.fit`, to take what it was about to train."""

from __future__ import annotations

import argparse
import importlib
import importlib.machinery
import os
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any, Final

import torch
from lightning.pytorch.trainer import trainer as lightning_trainer

from progtrain.errors import CaptureError
from progtrain.records import Snapshot
from progtrain.script.observe import observe, seed_since
from progtrain.script.observe_data import Loaders, first_loader
from progtrain.workspace import write_atomic

_OTHER_TRAINER: Final = "pytorch_lightning.trainer.trainer"
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
    (`progtrain.script.sandbox.scratch_view` gives it a place for that).

    Args:
        script: path of the script.
        arguments: its command line.

    Raises:
        CaptureError: it raised, or ended without calling fit; the cause is the script's own exception.
    """
    captured: list[CapturedFit] = []
    file = os.path.abspath(script)
    os.environ.pop(_SEED_VARIABLE, None)
    seed_before = torch.seed()

    def fit(trainer: Any, *args: Any, **kwargs: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Lightning's advice on loaders is for those who train
            captured.append(_take(trainer, _FitArguments.of(*args, **kwargs), seed_before))
        raise _Reached

    end = "it ended"
    try:
        with _fit_replaced(fit), _as_main(file, [str(script), *arguments]) as main:
            exec(compile(Path(file).read_bytes(), file, "exec", dont_inherit=True), main.__dict__)
    except _Reached:
        pass
    except SystemExit as error:
        end = f"it exited with {error.code!r}"
    except Exception as error:
        own = error.with_traceback(_from_script(error.__traceback__, file))
        raise CaptureError(f"{script.name} raised {_where(own, file)}, before Trainer.fit.") from own
    if not captured:
        raise CaptureError(
            f"Expected {script.name} to call Trainer.fit; {end} without doing so. "
            "A training script trains with Lightning's Trainer when it is run without arguments."
        )
    return captured[0]


@dataclass(frozen=True)
class _FitArguments:
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
    ) -> _FitArguments:
        """As `Trainer.fit` takes them: a DataModule may stand in the place of the training loaders."""
        if datamodule is None and hasattr(train_dataloaders, "train_dataloader"):
            train_dataloaders, datamodule = None, train_dataloaders
        model = getattr(model, "_orig_mod", model)  # of torch.compile; Lightning unwraps it likewise
        return cls(model, train_dataloaders, val_dataloaders, datamodule, ckpt_path and str(ckpt_path))


def _take(trainer: Any, given: _FitArguments, seed_before: int) -> CapturedFit:
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


def _attach(trainer: Any, given: _FitArguments) -> None:
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


# --- running it ---------------------------------------------------------------------------------


@contextmanager
def _fit_replaced(fit: Callable[..., None]) -> Iterator[None]:
    """Replace `Trainer.fit` in both of Lightning's packages: they are different classes.

    `pytorch_lightning` takes seconds to import, and is replaced when the script does so.
    """
    replaced: list[tuple[Any, Any]] = []

    def replace(module: Any) -> None:
        replaced.append((module.Trainer, module.Trainer.fit))
        module.Trainer.fit = fit

    replace(lightning_trainer)
    finder = _ImportWatch(_OTHER_TRAINER, replace)
    if _OTHER_TRAINER in sys.modules:
        replace(sys.modules[_OTHER_TRAINER])
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for trainer, original in replaced:
            trainer.fit = original


class _ImportWatch(MetaPathFinder):
    """Calls back when one module has been imported."""

    def __init__(self, name: str, then: Callable[[Any], None]) -> None:
        self._name = name
        self._then = then

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: types.ModuleType) -> None:
                run(module)
                self._then(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


@contextmanager
def _as_main(file: str, argv: list[str]) -> Iterator[types.ModuleType]:
    """`__main__`, `sys.argv` and `sys.path` as `python SCRIPT` has them; modules beside the script are let go after."""
    folder = os.path.dirname(os.path.realpath(file))
    main = types.ModuleType("__main__")
    main.__file__ = file
    before = sys.modules["__main__"], sys.argv, list(sys.path)
    imported = set(sys.modules)
    sys.modules["__main__"], sys.argv = main, argv
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield main
    finally:
        sys.modules["__main__"], sys.argv, sys.path[:] = before
        for name in set(sys.modules) - imported:
            origin = str(getattr(sys.modules[name], "__file__", None))
            if origin.startswith(folder + os.sep) and "site-packages" not in origin:
                del sys.modules[name]


def _from_script(trace: types.TracebackType | None, file: str) -> types.TracebackType | None:
    """A traceback as the script's own user would see it, without the frames that ran it."""
    while trace is not None and trace.tb_frame.f_code.co_filename != file:
        trace = trace.tb_next
    return trace


def _where(error: Exception, file: str) -> str:
    if isinstance(error, SyntaxError) and error.filename == file:
        return f"SyntaxError: {error.msg} in line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    place = f" in line {lines[-1]}" if lines else ""
    return f"{type(error).__name__}: {error}{place}"


def main() -> None:
    """`python -m progtrain.script.capture SCRIPT --output snapshot.json`."""
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
