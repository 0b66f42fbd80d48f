"""What is true of a foreign script's best checkpoint: python -m foreign.own_training NAME [CHECKPOINT]

Runs in the script's workspace, with `benchmarks` on PYTHONPATH. Without a checkpoint the script is trained as it
stands. Nothing of progtrain is used: Lightning trains and validates, torch loads the checkpoint, and the function
`truth` of `truths/NAME.py` does the rest on the batches as the script's own loader gives them. Leaves `truth.json`.
"""

from __future__ import annotations

import importlib
import json
import math
import runpy
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from foreign.figures import Figures
from torch.utils.data import DataLoader

SCRIPT = "02_train_baseline.py"


class NotTrueError(Exception):
    """What `truth` computes is not what the script logged: the truth is wrong, or the script."""


def whole(loader: Any) -> list[Any]:
    """The batches of a loader with those that it drops."""
    if isinstance(loader, DataLoader) and loader.drop_last:
        loader = DataLoader(loader.dataset, loader.batch_size, collate_fn=loader.collate_fn)
    return list(loader)


def watch(lightning: Any, truth: Any) -> None:
    """Let `fit` end with the truth about the best checkpoint: by what the script monitors, else by its loss."""
    fit = lightning.Trainer.fit

    class Log(lightning.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.figures: dict[int, dict[str, float]] = {}

        def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
            kept = self.figures.setdefault(trainer.global_step, {})
            kept.update({key: float(value) for key, value in trainer.callback_metrics.items()})

        on_train_epoch_end = on_validation_end

    def fit_and_tell(self: Any, model: Any, *arguments: Any, **keywords: Any) -> None:
        log = Log()
        best = next((each for each in self.checkpoint_callbacks if each.monitor), None)
        if best is None:
            best = lightning.callbacks.ModelCheckpoint(dirpath="own_checkpoint", monitor=truth.LOSS)
            self.callbacks.append(best)
        self.callbacks.insert(0, log)
        fit(self, model, *arguments, **keywords)
        step = load(model, best.best_model_path)
        tell(truth, self, model, log.figures[step])

    lightning.Trainer.fit = fit_and_tell


def instead(lightning: Any, truth: Any, checkpoint: str) -> None:
    """Let `fit` do nothing but load the checkpoint, validate with it, and tell the truth about it."""

    def validate_and_tell(
        self: Any, model: Any, train: Any = None, valid: Any = None, datamodule: Any = None, **keywords: Any
    ) -> None:
        load(model, checkpoint)
        self.validate(model, keywords.get("val_dataloaders", valid), datamodule=datamodule, verbose=False)
        tell(truth, self, model, {name: float(value) for name, value in self.callback_metrics.items()})
        raise SystemExit

    lightning.Trainer.fit = validate_and_tell


def load(model: Any, checkpoint: str) -> int:
    """Give the module the checkpoint's weights; the step that it was written at."""
    content = torch.load(checkpoint, weights_only=False)
    model.load_state_dict(content["state_dict"])
    return int(content["global_step"])


def drawn(figures_of: Callable[[], Figures], truth: Any) -> Figures:
    """The figures; of a validation that draws random numbers their mean, and how far one draw may lie from it."""
    count = getattr(truth, "DRAWS", 1)
    if count == 1:
        return figures_of()
    each = []
    for seed in range(count):
        torch.manual_seed(seed)
        each.append(figures_of())
    series = {name: [float(figures[name]) for figures in each] for name in each[0]}
    far = 4 * math.sqrt(1 + 1 / count)
    spreads = {f"{name}_spread": far * statistics.stdev(values) for name, values in series.items()}
    return {**{name: statistics.fmean(values) for name, values in series.items()}, **spreads}


def tell(truth: Any, trainer: Any, model: Any, logged: dict[str, float]) -> None:
    model.eval()
    loaders, chosen = trainer.val_dataloaders, getattr(truth, "LOADER", None)
    if loaders is None:  # a module without validation_step
        loaders = trainer.datamodule.val_dataloader()
    with torch.no_grad():
        figures = drawn(lambda: truth.truth(model, whole(loaders if chosen is None else loaders[chosen])), truth)
    comparable = "loss" in figures and getattr(truth, "EXACT", True)
    if comparable and not math.isclose(figures["loss"], logged[truth.LOSS], rel_tol=2e-3):
        raise NotTrueError(f"the loss is {figures['loss']}, the script logged {logged[truth.LOSS]} ({truth.LOSS})")
    Path("truth.json").write_text(json.dumps({"figures": figures, "logged": logged}, indent=1))


def main() -> None:
    truth = importlib.import_module(f"foreign.truths.{sys.argv[1]}")
    old = "import pytorch_lightning" in Path(SCRIPT).read_text(encoding="utf-8")
    lightning = importlib.import_module("pytorch_lightning" if old else "lightning.pytorch")
    if len(sys.argv) > 2:
        instead(lightning, truth, sys.argv[2])
    else:
        watch(lightning, truth)
    sys.argv = [SCRIPT, *getattr(truth, "ARGUMENTS", ())]
    runpy.run_path(SCRIPT, run_name="__main__")


if __name__ == "__main__":
    main()
