"""The job that writes a version's best checkpoint as an MLflow model: `python -m progtrain.tracking.save_model`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import torch

from progtrain.errors import TrackingError
from progtrain.script.capturing.checkpoints import restore_weights
from progtrain.script.capturing.inside_fit import inside_fit
from progtrain.script.capturing.sandbox import scratch_view
from progtrain.serving import read_example
from progtrain.tracking.model_folder import Trained, write_model
from progtrain.workspace import Workspace


def _trained(workspace: Workspace, version: str, module: Any) -> Trained:
    kept = read_example(workspace, version)
    if kept is None:
        raise TrackingError(
            f"Expected the evaluation of {version} to leave an example of inputs as tensors, got none. Such a model is "
            "not registered; its checkpoint is among the run's artifacts."
        )
    checkpoint = workspace.artifacts(version) / "best.ckpt"
    restore_weights(module, checkpoint)
    halves = any(weight.dtype in (torch.bfloat16, torch.float16) for weight in module.parameters())
    module = module.cpu().float() if halves else module.cpu()  # requests have no numbers of two bytes
    return Trained(module.eval(), workspace.script(version), checkpoint, *kept)


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
    source = workspace.read_script(arguments.version)
    with scratch_view(workspace, arguments.version, source) as view:
        os.chdir(view)
        script, folder = view / workspace.script(arguments.version).name, arguments.folder.absolute()
        inside_fit(script, lambda fit: write_model(_trained(workspace, arguments.version, fit.model), folder))
        os.chdir(workspace.root)


if __name__ == "__main__":
    main()
