"""The job that observes a script's validation: `python -m progtrain.evaluation.writing.observe v001 --output FILE`."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, Final

import lightning.pytorch as pl
from torch.utils.data import BatchSampler, DataLoader

from progtrain.errors import EvaluationError, ProgtrainError
from progtrain.evaluation.asking.copies import tell_copies_apart
from progtrain.evaluation.asking.validation import watched_dataloader
from progtrain.evaluation.writing.observation import Observation
from progtrain.evaluation.writing.observing import SIZES, candidates_of, observe_validation
from progtrain.evaluation.writing.statements import NEEDS_BATCH
from progtrain.evaluation.yardstick.batches import some_batches
from progtrain.rules import read_rules
from progtrain.script.capturing.inside_fit import Fit, inside_fit
from progtrain.script.capturing.sandbox import scratch_view
from progtrain.step_records import LoopRecord
from progtrain.tasks import Task, has_values, task_of
from progtrain.workspace import Workspace, write_atomic

_STAGE: Final = re.compile(
    r"^(val|valid|validation|dev|eval)[_/.\- ]+|[_/.\- ]+(val|valid|validation|dev|eval)$", re.IGNORECASE
)
_LOADER: Final = re.compile(r"/dataloader_idx_\d+$")
#: Names of figures that are the same however samples are counted -> metric, of classes and of values.
_NAMED: Final[dict[Task, dict[str, str]]] = {
    "classification": {"acc": "accuracy", "accuracy": "accuracy"},
    "transcription": {"loss": "loss", "cer": "cer", "wer": "wer"},
}
_OF_VALUES: Final = {
    **{"mae": "mae", "mean_absolute_error": "mae", "rmse": "rmse", "root_mean_squared_error": "rmse"},
    **{"mse": "mean_squared_error", "mean_squared_error": "mean_squared_error"},
}


def observe_version(workspace: Workspace, version: str, task: Task) -> Observation:
    """Observe the validation of a version's script, untrained, in a view of the workspace.

    Raises:
        ProgtrainError: the script does not come to fit, or has no validation loader.
    """
    source, script = workspace.read_script(version), workspace.script(version).name
    found: list[Observation] = []
    with scratch_view(workspace, version, source) as view, contextlib.chdir(view):
        inside_fit(
            view / script, lambda fit: found.append(_observed(fit, script, task, read_rules(workspace.root).seed))
        )
    return found[0]


def _observed(fit: Fit, script: str, task: Task, seed: int) -> Observation:
    pl.seed_everything(seed, verbose=False)
    fit.begin_validation()
    tell_copies_apart(fit.model)
    loader, index, which = watched_dataloader(fit, script)
    batches = [fit.prepared(batch, index) for batch in _some_batches(loader, script)]
    watched = frozenset(_LOADER.sub("", str(each.monitor)) for each in fit.checkpoints if each.monitor)
    observation = observe_validation(fit, batches, task, watched, index)
    if observation.lacking:  # a step may be made for batches of one size
        own = [fit.prepared(batch, index) for batch in islice(loader, len(SIZES))]
        again = observe_validation(fit, own, task, watched, index)
        observation = observation if again.lacking else again
    logged = _logged(fit, task, observation.logged, index if which else None)
    observation = observation.model_copy(update={"logged": logged, "which": which})
    return observation if logged else _unproved(observation, candidates_of(batches))


def _some_batches(loader: DataLoader[Any], script: str) -> list[Any]:
    try:
        return list(some_batches(loader, SIZES))
    except Exception as error:
        own = type(loader.batch_sampler)
        if own in (BatchSampler, type(None)):
            raise
        raise EvaluationError(
            f"Expected validation samples that go into a batch in the data set's order, {script} batches them by its "
            f"own {own.__name__}; otherwise its collate_fn raises {type(error).__name__}: {error}. Give the validation "
            "loader a batch_size, and a collate_fn that pads."
        ) from error


def _unproved(observation: Observation, candidates: tuple[str, ...]) -> Observation:
    """Where the loss needs another part of the batch, that may say which targets count, and no figure tells: lacking.

    A mask, the other half of a pair or an event that was not seen decide what a metric means, too.
    """
    if not observation.loss_reason.startswith(NEEDS_BATCH):
        return observation
    why = f"{observation.used}; the loss cannot be stated ({observation.loss_reason}), and nothing logged tells more"
    return observation.model_copy(update={"lacking": {"split": why, "predict": why}, "candidates": candidates})


def _logged(fit: Fit, task: Task, loss: dict[str, str], position: int | None) -> dict[str, str]:
    """What the script logs of its validation set by a name that says which metric it is, beside its loss.

    Args:
        fit: set up, and observed.
        task: what the targets are.
        loss: its name, as the step gives it.
        position: of the loader that is measured, by which Lightning extends names; None where it is the only one.
    """
    known = _OF_VALUES if has_values(task) else _NAMED.get(task, {})
    if not known and position is None:
        return loss
    fit.trainer.limit_val_batches = 1
    try:
        names = frozenset(fit.validate())
    except Exception:  # noqa: BLE001 - it may need more than one batch; the whole is run before v001 is trained
        return loss
    suffix = f"/dataloader_idx_{position}"
    own = [name for name in names if name.endswith(suffix) or not _LOADER.search(name)]
    plain = loss | _recognised((name.removesuffix(suffix) for name in own), known)
    return {metric: _extended(name, suffix, names) for metric, name in plain.items()}


def _extended(name: str, suffix: str, names: frozenset[str]) -> str:
    return next((each for each in (f"{name}_epoch{suffix}", name + suffix) if each in names), name)


def _recognised(names: Iterable[str], known: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in sorted(names, key=lambda each: (_STAGE.search(each) is None, each)):
        metric = known.get(_STAGE.sub("", name).removesuffix("_epoch").lower())
        if metric is not None:
            found.setdefault(metric, name)
    return found


def main() -> None:
    """Observe in the workspace that is the working directory."""
    parser = argparse.ArgumentParser(prog="python -m progtrain.evaluation.writing.observe")
    parser.add_argument("version", help="for instance v001")
    parser.add_argument("--output", type=Path, required=True, help="file for the Observation")
    options = parser.parse_args()
    workspace = Workspace(Path.cwd())
    loop = workspace.read_record(LoopRecord, "loop")
    assert loop is not None, "Step 0 has fixed the task before it asks for this"
    try:
        observation = observe_version(workspace, options.version, task_of(loop.task_type))
    except ProgtrainError as error:
        sys.exit(f"\n{error}")  # a paragraph of its own, which the loop passes on whole
    write_atomic(options.output, observation.model_dump_json(indent=2))


if __name__ == "__main__":
    main()
