"""Train a foreign script as it stands, and compute what is true of its best checkpoint: python -m foreign.own_training

Runs in the script's workspace, with `benchmarks` on PYTHONPATH and the script's name as argument. Nothing of progtrain
is used: Lightning trains, torch loads the checkpoint, and the function `truth` of `truths/NAME.py` does the rest on the
batches as the script's own loader gives them. Leaves `truth.json`.
"""

from __future__ import annotations

import importlib
import json
import math
import runpy
import sys
from pathlib import Path
from typing import Any

import torch
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
        tell(truth, self, model, best.best_model_path, log.figures)

    lightning.Trainer.fit = fit_and_tell


def tell(truth: Any, trainer: Any, model: Any, checkpoint: str, logged: dict[int, dict[str, float]]) -> None:
    content = torch.load(checkpoint, weights_only=False)
    model.load_state_dict(content["state_dict"])
    model.eval()
    loaders, chosen = trainer.val_dataloaders, getattr(truth, "LOADER", None)
    if loaders is None:  # a module without validation_step
        loaders = trainer.datamodule.val_dataloader()
    loader = loaders if chosen is None else loaders[chosen]
    with torch.no_grad():
        figures = truth.truth(model, whole(loader))
    own = logged[content["global_step"]]
    exact = "loss" in figures and getattr(truth, "EXACT", True)
    if exact and not math.isclose(figures["loss"], own[truth.LOSS], rel_tol=2e-3):
        raise NotTrueError(f"the loss is {figures['loss']}, the script logged {own[truth.LOSS]} ({truth.LOSS})")
    Path("truth.json").write_text(json.dumps({"figures": figures, "logged": own, "epoch": content["epoch"]}, indent=1))


def main() -> None:
    truth = importlib.import_module(f"foreign.truths.{sys.argv[1]}")
    old = "import pytorch_lightning" in Path(SCRIPT).read_text(encoding="utf-8")
    watch(importlib.import_module("pytorch_lightning" if old else "lightning.pytorch"), truth)
    sys.argv = [SCRIPT, *getattr(truth, "ARGUMENTS", ())]
    runpy.run_path(SCRIPT, run_name="__main__")


if __name__ == "__main__":
    main()
