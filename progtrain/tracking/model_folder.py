"""A trained module as an MLflow model folder: an exported graph where it exports, else code; never a pickle."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path

import mlflow.pyfunc
import mlflow.pytorch
import numpy as np
import torch
from mlflow.models import ModelSignature, infer_signature
from numpy.typing import NDArray

from progtrain.errors import TrackingError
from progtrain.tracking import served

_REQUIRED = ("lightning", "mlflow", "numpy", "torch")


@dataclass(frozen=True)
class Example:
    """Inputs `[2, ...]` that the model answers, and what shapes and types go in and come out."""

    inputs: NDArray[np.generic]
    signature: ModelSignature


@dataclass(frozen=True)
class Trained:
    """A version ready to be written.

    Args:
        module: the live module with the best checkpoint's weights, in evaluation mode.
        script: its training script.
        checkpoint: its best checkpoint.
        inputs: `[2, ...]` as the validation loader collates them.
    """

    module: torch.nn.Module
    script: Path
    checkpoint: Path
    inputs: torch.Tensor


def write_model(trained: Trained, folder: Path) -> None:
    """Write an MLflow model: an exported graph (pt2) where the module exports, else code; never a pickle.

    Args:
        trained: what is written.
        folder: must not exist; it appears whole or not at all.

    Raises:
        TrackingError: neither form gives the module's own answers.
    """
    with torch.no_grad():
        answers = trained.module(trained.inputs)
    example = Example(trained.inputs.numpy(), infer_signature(trained.inputs.numpy(), answers.numpy()))
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        written = Path(scratch) / "pt2"
        try:
            _save_graph(trained.module, written, example)
            _check(torch.export.load(next(written.rglob("*.pt2"))).module(), trained.inputs, answers)
        except Exception as error:  # noqa: BLE001 - torch.export fails in as many ways as there are modules
            print(f"torch.export does not carry this module ({error}); it is saved as code.", file=sys.stderr)
            written = Path(scratch) / "code"
            _save_code(trained, written, example)
            _check(served.load_module(written / "artifacts"), trained.inputs, answers)
        os.replace(written, folder)


def _save_graph(module: torch.nn.Module, folder: Path, example: Example) -> None:
    mlflow.pytorch.save_model(
        module,
        str(folder),
        signature=example.signature,
        input_example=example.inputs,
        pip_requirements=_requirements(),
        serialization_format="pt2",
    )


def _save_code(trained: Trained, folder: Path, example: Example) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        facts = Path(scratch) / served.FACTS_FILE
        names = {"script": trained.script.name, "checkpoint": trained.checkpoint.name}
        facts.write_text(json.dumps({**names, "class": type(trained.module).__name__}), encoding="utf-8")
        mlflow.pyfunc.save_model(
            str(folder),
            python_model=served.__file__,
            artifacts={"facts": str(facts), "script": str(trained.script), "checkpoint": str(trained.checkpoint)},
            signature=example.signature,
            input_example=example.inputs,
            pip_requirements=_requirements(),
        )


def _check(module: torch.nn.Module, inputs: torch.Tensor, answers: torch.Tensor) -> None:
    """What was written answers as the live module does, also to one sample."""
    with torch.no_grad():
        for count in (len(inputs), 1):
            got = module(inputs[:count])
            if not torch.allclose(got, answers[:count], rtol=1e-3, atol=1e-4):
                raise TrackingError(
                    f"Expected the saved model to answer {count} samples as the trained one does; it is off by "
                    f"{(got - answers[:count]).abs().max().item():.3g}. Does forward depend on the rest of the batch?"
                )


def _requirements() -> list[str]:
    return [f"{name}=={installed(name).partition('+')[0]}" for name in _REQUIRED]
