"""The job that writes a version's best checkpoint as an MLflow model: `python -m progtrain.tracking.save_model`."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from progtrain.errors import ProgtrainError, TrackingError
from progtrain.script.capturing.checkpoints import restore_weights
from progtrain.script.capturing.constructing import constructions
from progtrain.script.capturing.inside_fit import Fit, inside_fit
from progtrain.script.capturing.sandbox import scratch_view
from progtrain.serving import read_example
from progtrain.tracking.model_folder import Trained, write_model
from progtrain.workspace import Workspace


def _trained(workspace: Workspace, version: str, fit: Fit, built: Mapping[int, Mapping[str, Any]]) -> Trained:
    kept = read_example(workspace, version)
    if kept is None:
        raise TrackingError(
            f"Expected the evaluation of {version} to leave an example of inputs as tensors, got none. Such a model is "
            "not registered; its checkpoint is among the run's artifacts."
        )
    checkpoint = workspace.artifacts(version) / "best.ckpt"
    restore_weights(fit.model, checkpoint, fit.datamodule)
    arguments, precision = built.get(id(fit.model), {}), str(fit.trainer.precision)
    return Trained(fit.model.cpu(), workspace.script(version), checkpoint, *kept, arguments, precision)


def main() -> None:
    """Write the model folder of one version; the working directory is the workspace."""
    parser = argparse.ArgumentParser(prog="python -m progtrain.tracking.save_model")
    parser.add_argument("version", help="for instance v003")
    parser.add_argument("folder", type=Path, help="where the model is written")
    arguments = parser.parse_args()
    # The next version is being trained on the same cores.
    os.nice(10)
    torch.set_num_threads(1)
    workspace = Workspace(Path.cwd())
    try:
        _write(workspace, arguments.version, arguments.folder.absolute())
    except ProgtrainError as error:
        traceback.print_exc()
        sys.exit(f"\n{error}")  # a line of its own, which the loop passes on


def _write(workspace: Workspace, version: str, folder: Path) -> None:
    source = workspace.read_script(version)
    with scratch_view(workspace, version, source) as view, contextlib.chdir(view), constructions() as built:
        script = view / workspace.script(version).name
        inside_fit(script, lambda fit: write_model(_trained(workspace, version, fit, built), folder))


if __name__ == "__main__":
    main()
