"""A trained version as an MLflow model folder: an exported graph where it exports, else its code; never a pickle."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import torch
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ColSpec, Schema, TensorSpec
from numpy.typing import NDArray
from torch import Tensor, nn

from progtrain.errors import TrackingError, shortened
from progtrain.script.capturing.checkpoints import plain_content, read_checkpoint
from progtrain.serving import Arrays, ServingExample
from progtrain.tracking import served, served_code
from progtrain.tracking.readings import alike, decoding_for
from progtrain.tracking.served import Facts
from progtrain.tracking.sources import copy_sources


@dataclass(frozen=True)
class Trained:
    """A version ready to be written.

    Args:
        module: the live module with the best checkpoint's weights, in evaluation mode.
        script: its training script.
        checkpoint: its best checkpoint.
        example: how it is asked, and what it answered.
        inputs: `[N, ...]` of the example's samples, by name.
        arguments: what the module was built with, by name.
        precision: of its Trainer.
    """

    module: nn.Module
    script: Path
    checkpoint: Path
    example: ServingExample
    inputs: Arrays
    arguments: Mapping[str, Any]
    precision: str = "32-true"

    def tensors(self, count: int | None = None) -> dict[str, Tensor]:
        """The first inputs, by name."""
        return {name: torch.from_numpy(array[:count]) for name, array in self.inputs.items()}


class _ByPosition(nn.Module):
    """A module that takes its inputs by position, as a graph does."""

    def __init__(self, module: nn.Module, example: ServingExample) -> None:
        super().__init__()
        self.module, self.layout, self.names = module, example.layout, example.names

    def forward(self, *inputs: Tensor) -> Any:
        return served.call(self.module, self.layout, dict(zip(self.names, inputs, strict=True)))


def write_model(trained: Trained, folder: Path) -> None:
    """Write an MLflow model that answers as the evaluation saw it: a graph (pt2) where that is possible, else code.

    Args:
        trained: what is written.
        folder: must not exist; it appears whole or not at all.

    Raises:
        TrackingError: neither form gives the evaluation's answers.
    """
    answering = _answering(trained)
    facts = _facts(trained, answering)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        artifacts = Path(scratch) / "artifacts"
        try:
            if facts.decoding.source == "predict_step":
                raise TrackingError("It answers by its own predict_step.")
            _write_graph(trained, answering, facts, artifacts)
            _check(artifacts, trained)
        except Exception as error:  # noqa: BLE001 - torch.export fails in as many ways as there are modules
            print(f"torch.export does not carry this module ({error}); it is saved as code.", file=sys.stderr)
            artifacts = Path(scratch) / "code"
            _write_code(trained, replace(facts, form="code"), artifacts)
        written = Path(scratch) / "model"
        _save(trained, artifacts, written)
        os.replace(written, folder)


def _answering(trained: Trained) -> nn.Module:
    """The module whose `forward` gives what answers are read from, and which computes as its Trainer has it compute."""
    text = trained.example.outputs
    module = served.WithOutputs(trained.module, text).eval() if text else trained.module
    served.keep_precision(module, trained.precision)
    return module


def _facts(trained: Trained, answering: nn.Module) -> Facts:
    example = trained.example
    with torch.inference_mode():
        decoding = decoding_for(answering, example, trained.tensors())
    return Facts(
        form="pt2",
        layout=example.layout,
        names=example.names,
        decoding=decoding,
        classes=example.classes if any("label" in answer for answer in example.answers) else (),
        scores=any("scores" in answer for answer in example.answers),
        script=trained.script.name,
        kind=f"{type(trained.module).__module__}.{type(trained.module).__name__}",
        outputs=trained.example.outputs,
        precision=trained.precision,
    )


def _write_graph(trained: Trained, answering: nn.Module, facts: Facts, artifacts: Path) -> None:
    """Export with a free number of samples: torch.export takes a batch of one for a constant, so it is shown two."""
    artifacts.mkdir()
    two = tuple(torch.cat([tensor, tensor])[:2] for tensor in trained.tensors(2).values())
    varying = trained.example.varying or ((),) * len(two)
    shapes = [dict.fromkeys((0, *axes), torch.export.Dim.AUTO) for axes in varying]
    with torch.no_grad(), torch.compiler.set_stance("force_eager"):
        graph = torch.export.export(
            _ByPosition(answering, trained.example), two, dynamic_shapes=(tuple(shapes),), strict=False
        )
    torch.export.save(graph, artifacts / "model.pt2")
    facts.write(artifacts)


def _write_code(trained: Trained, facts: Facts, artifacts: Path) -> None:
    artifacts.mkdir()
    copy_sources(trained.script, artifacts)
    shutil.copyfile(served_code.__file__, artifacts / served.CODE_FILE)
    facts.write(artifacts)
    # A module that leaves weights out of its own state_dict is not given them by its constructor everywhere.
    weights = nn.Module.state_dict(trained.module)
    kept = {**plain_content(read_checkpoint(trained.checkpoint)), "state_dict": weights, "arguments": trained.arguments}
    try:
        torch.save(kept, artifacts / served_code.WEIGHTS_FILE)
        _check(artifacts, trained)
    except TrackingError:
        raise
    except Exception as error:  # the script is run, and anything may come of it
        raise TrackingError(
            f"torch.export does not carry this module, or it answers by its own predict_step, and from its code it "
            f"cannot be built again without the data set: {shortened(f'{type(error).__name__}: {error}')}"
        ) from error


def _check(artifacts: Path, trained: Trained) -> None:
    """What was written answers as the evaluation did, all samples at once and one alone, without the data at hand."""
    facts = Facts.read(artifacts)
    with tempfile.TemporaryDirectory() as elsewhere, contextlib.chdir(elsewhere), torch.inference_mode():
        module = served.load_module(artifacts)
        for count in (len(trained.example.answers), 1):
            got = served.answers_of(module, facts, trained.tensors(count))
            for answer, expected in zip(got, trained.example.answers, strict=False):
                _hold(answer, expected)


def _hold(answer: dict[str, Any], expected: dict[str, Any]) -> None:
    for key, value in expected.items():
        given = answer.get(key)
        if not alike(given, value):
            raise TrackingError(
                f"Expected the saved model to give {key} {_short(value)} as its evaluation did, got {_short(given)}. "
                "Does forward depend on chance, or on the rest of the batch?"
            )


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 60 else said[:59] + "…"


def _save(trained: Trained, artifacts: Path, folder: Path) -> None:
    """The folder of a model from code, with its signature and an example of its input."""
    two: NDArray[Any] | dict[str, NDArray[Any]] = {name: array[:2] for name, array in trained.inputs.items()}
    if trained.example.layout == "tensor" and isinstance(two, dict):
        two = next(iter(two.values()))
    form = Facts.read(artifacts).form
    mlflow.pyfunc.save_model(
        str(folder),
        python_model=served.__file__,
        artifacts={"facts" if path.name == served.FACTS_FILE else path.name: str(path) for path in artifacts.iterdir()},
        signature=_signature(trained),
        input_example=two,
        pip_requirements=_requirements(("torch", "mlflow", "numpy", *(["lightning"] if form == "code" else []))),
    )


def _signature(trained: Trained) -> ModelSignature:
    """Shapes with a free number of samples, and free axes where samples differ."""
    example = trained.example
    specs: list[ColSpec | TensorSpec] = []
    for (name, array), axes in zip(trained.inputs.items(), example.varying or ((),) * len(example.names), strict=True):
        shape = tuple(-1 if axis in (0, *axes) else size for axis, size in enumerate(array.shape))
        specs.append(TensorSpec(array.dtype, shape, None if example.layout == "tensor" else name))
    outputs = infer_signature(model_output=list(example.answers)).outputs
    return ModelSignature(inputs=Schema(specs), outputs=outputs)


def _requirements(packages: tuple[str, ...]) -> list[str]:
    return [f"{name}=={installed(name).partition('+')[0]}" for name in sorted(packages)]
