"""Models of every documented form, asked in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from progtrain.errors import EvaluationError, ProtocolChangedError
from progtrain.evaluation.external.inputs import INDEX, inputs_folder, write_inputs
from progtrain.evaluation.external.measure import measure_external
from progtrain.predictions import Predictions

from .conftest import classified

TARGETS = [0, 2, 1, 1, 2, 0]
#: Which the model below takes for 0, 2, 1, 1, 2 and 2.
INPUTS = [[9, 1, 0], [0, 1, 5], [1, 4, 2], [0, 3, 1], [2, 0, 7], [1, 0, 8]]
METRICS = {"accuracy": True, "auroc": True, "loss": False}

WAYS = {
    "load_model and predict": """
        import json
        from pathlib import Path

        def load_model(model_dir):
            return json.loads((Path(model_dir) / "weights.json").read_text())

        def predict(model, inputs):
            return [max(range(3), key=lambda k: row[k] * model[k]) for row in inputs]
        """,
    "infer": """
        import numpy as np

        def infer(inputs):
            return np.array(inputs).argmax(axis=1)
        """,
    "predict, one input at a time": """
        def load_model():
            raise RuntimeError("predict does not take a model, so this is not called")

        def predict(row, temperature=1.0):
            assert isinstance(row[0], int)
            return ["cat", "dog", "eel"][row.index(max(row))]
        """,
    "python inference_sample.py --input FILE": """
        import argparse, json

        parser = argparse.ArgumentParser()
        parser.add_argument("--input", required=True)
        row = json.load(open(parser.parse_args().input))
        print("loaded the model")
        print(row.index(max(row)))
        """,
}


@pytest.fixture
def workspace(make_workspace):
    names = {"classes": ["cat", "dog", "eel"]}
    return make_workspace(classified(TARGETS), INPUTS, "classification", METRICS, **names)


def add(workspace, source, name="other"):
    folder = workspace.external / name
    folder.mkdir(parents=True)
    (folder / "inference_sample.py").write_text(textwrap.dedent(source))
    (folder / "weights.json").write_text("[1, 1, 1]")
    return folder


def value(measured, name):
    return measured.score.metric(name).value


@pytest.mark.parametrize("way", WAYS)
def test_every_documented_way_is_found_and_scored_alike(workspace, way):
    folder = add(workspace, WAYS[way])
    before = sorted(path.name for path in folder.iterdir())
    measured = measure_external(workspace, "other")
    assert measured.way == way
    assert measured.score.num_samples == 6
    assert measured.score.dataset_id == "v1"
    assert [metric.name for metric in measured.score.metrics] == list(METRICS)
    assert value(measured, "accuracy") == pytest.approx(5 / 6)
    assert value(measured, "loss") is None
    assert value(measured, "auroc") is None, "classes alone cannot be ranked"
    assert measured.score.latency_ms > 0
    assert measured.threads >= 1
    assert sorted(path.name for path in folder.iterdir()) == before, "the folder is the user's"


def test_probabilities_have_a_loss_and_an_auroc(workspace):
    add(workspace, "def run(inputs):\n    return [[v / sum(row) for v in row] for row in inputs]\n")
    measured = measure_external(workspace, "other")
    rows = np.array(INPUTS) / np.sum(INPUTS, axis=1, keepdims=True)
    expected = -np.log(np.clip(rows[np.arange(6), TARGETS], 1e-7, None)).mean()
    assert value(measured, "loss") == pytest.approx(expected, rel=1e-4)
    assert 0.5 < value(measured, "auroc") < 1


def test_texts_are_measured_as_texts(make_workspace):
    texts = np.array(["one", "two", "three"])
    zeros = np.zeros(3, np.float32)
    locked = Predictions(np.array(["a", "b", "c"]), texts, np.zeros((3, 0), np.float32), texts, zeros)
    workspace = make_workspace(locked, ["ONE", "TWO", "TREE"], "ocr", {"cer": False})
    add(workspace, "def predict(text):\n    return text.lower()\n")
    assert value(measure_external(workspace, "other"), "cer") == pytest.approx(1 / 11)


def test_files_are_handed_over_by_their_path(make_workspace):
    targets = np.array([3.0, 1.0], np.float32)
    workspace = make_workspace(
        Predictions(np.array(["a", "b"]), targets, targets, targets, targets),
        ["a.bin", "b.bin"],
        "regression",
        {"mae": False},
        loss="mse_loss",
    )
    folder = workspace.prepdata("v1") / "valid"
    (folder / "a.bin").write_bytes(b"123")
    (folder / "b.bin").write_bytes(b"12")
    write_inputs(workspace)
    add(workspace, "import os\n\ndef predict(inputs):\n    return [os.path.getsize(path) for path in inputs]\n")
    assert value(measure_external(workspace, "other"), "mae") == pytest.approx(0.5)


def test_the_model_s_own_interpreter_is_used(workspace, tmp_path):
    folder = add(workspace, "import sys\n\ndef predict(inputs):\n    return [int(sys.flags.isolated)] * len(inputs)\n")
    assert value(measure_external(workspace, "other"), "accuracy") == pytest.approx(2 / 6)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -I "$@"\n')
    python.chmod(0o755)
    (folder / "interpreter.txt").write_text(f"{python}\n")
    (folder / "inference_sample.py").write_text(
        "def predict(inputs):\n    import sys\n\n    return [sys.flags.isolated + 1] * len(inputs)\n"
    )
    assert value(measure_external(workspace, "other"), "accuracy") == pytest.approx(2 / 6)
    (folder / "interpreter.txt").write_text("no/such/python\n")
    with pytest.raises(EvaluationError, match=r"interpreter\.txt, got 'no/such/python'"):
        measure_external(workspace, "other")


def test_an_mlflow_model_is_asked_without_a_script(workspace):
    """In a process of its own, as writing a model warns of much."""
    folder = workspace.external / "logged"
    script = f"""
import mlflow
import numpy as np

class Highest(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return np.asarray(model_input).argmax(axis=1)

mlflow.pyfunc.save_model({str(folder)!r}, python_model=Highest(), pip_requirements=[])
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, capture_output=True)
    measured = measure_external(workspace, "logged")
    assert measured.way == "MLflow model"
    assert value(measured, "accuracy") == pytest.approx(5 / 6)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def predict(inputs):\n    raise FileNotFoundError('weights.bin')\n", "FileNotFoundError: weights.bin"),
        ("import no_such_package\n\ndef predict(inputs): ...\n", "ModuleNotFoundError: No module named"),
        ("WEIGHTS = 3\n", "Expected one of the documented ways to ask a model"),
        (
            "def predict(inputs):\n    return inputs[:2] if len(inputs) == 2 else [0]\n",
            "Expected 6 answers of predict, got 1",
        ),
        ("import sys  # takes --input\n\nsys.exit(3)\n", "inference_sample.py ended with 3: it said nothing"),
    ],
)
def test_a_model_that_fails_says_why(workspace, source, said):
    add(workspace, source)
    with pytest.raises(EvaluationError, match=said):
        measure_external(workspace, "other")


def test_no_model_is_measured_by_another_yardstick(workspace):
    add(workspace, WAYS["infer"])
    workspace.eval_script.write_text(workspace.eval_script.read_text() + "# changed\n")
    with pytest.raises(ProtocolChangedError, match=r"Expected 03_eval\.py as"):
        measure_external(workspace, "other")


def test_what_the_model_does_to_its_process_stays_there(workspace):
    add(
        workspace,
        """
        import builtins
        import json

        builtins.float = lambda text: 1.0
        del json.loads

        def predict(inputs):
            return [0] * len(inputs)
        """,
    )
    assert value(measure_external(workspace, "other"), "accuracy") == pytest.approx(2 / 6)


def test_inputs_are_listed_in_the_locked_order(workspace):
    entries = json.loads((inputs_folder(workspace) / INDEX).read_text())
    assert [json.loads(Path(entry["path"]).read_text()) for entry in entries] == INPUTS
