"""A trained script as an MLflow model from code: this file is copied beside the script and stands without progtrain."""

from __future__ import annotations

import inspect
import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

FACTS_FILE = "served.json"


def load_module(folder: Path) -> torch.nn.Module:
    """Build the module from its script and give it its weights.

    Args:
        folder: the `artifacts` folder of a model from code: served.json, the script, and best.ckpt.
    """
    facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    names = runpy.run_path(str(folder / facts["script"]), run_name="served_script")
    checkpoint = torch.load(folder / facts["checkpoint"], map_location="cpu", weights_only=True)
    kind = names[facts["class"]]
    accepted = inspect.signature(kind).parameters
    given = {name: value for name, value in checkpoint.get("hyper_parameters", {}).items() if name in accepted}
    module: torch.nn.Module = kind(**given)
    module.load_state_dict(checkpoint["state_dict"])
    return module.eval()


class ServedScript(PythonModel):
    """What MLflow loads and calls."""

    def load_context(self, context: Any) -> None:
        """Build the module; MLflow asks for exactly this signature."""
        self._module = load_module(Path(context.artifacts["facts"]).parent)

    def predict(self, context: Any, model_input: np.ndarray, params: dict[str, Any] | None = None) -> np.ndarray:
        """Answer one batch of arrays."""
        with torch.no_grad():
            answers: np.ndarray = self._module(torch.from_numpy(np.asarray(model_input))).numpy()
        return answers


set_model(ServedScript())
