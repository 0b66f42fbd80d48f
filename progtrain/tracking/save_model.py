"""The job that writes a version's best checkpoint as an MLflow model: `python -m progtrain.tracking.save_model`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

import torch

from progtrain.errors import TrackingError
from progtrain.script.capture import CapturedFit, capture_fit
from progtrain.script.sandbox import scratch_view
from progtrain.tracking.model_folder import Trained, write_model
from progtrain.workspace import Workspace


def _trained(workspace: Workspace, version: str, captured: CapturedFit) -> Trained:
    checkpoint = workspace.artifacts(version) / "best.ckpt"
    weights = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    captured.model.load_state_dict(weights)
    module = captured.model.cpu().eval()
    loader = captured.train_loader if captured.valid_loader is None else captured.valid_loader
    return Trained(module, workspace.script(version), checkpoint, _two_samples(loader))


def _two_samples(loader: Iterable[object]) -> torch.Tensor:
    """The inputs of two samples: torch.export takes a batch of one for a constant."""
    batch = next(iter(loader))
    inputs = batch[0] if isinstance(batch, (tuple, list)) and len(batch) == 2 else batch
    if not isinstance(inputs, torch.Tensor):
        raise TrackingError(
            f"Expected batches (inputs, targets) with one tensor of inputs, got {type(inputs).__name__}. "
            "Such a model is not registered; its checkpoint is among the run's artifacts."
        )
    return torch.cat([inputs, inputs])[:2].detach().cpu()


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
        captured = capture_fit(view / workspace.script(arguments.version).name)
        write_model(_trained(workspace, arguments.version, captured), arguments.folder.absolute())
        os.chdir(workspace.root)


if __name__ == "__main__":
    main()
