"""Asks a model from elsewhere; stands alone, because the model's own interpreter runs it: Python 3.9, no packages.

python client.py MODEL_FOLDER INDEX ANSWERS: INDEX lists the inputs, ANSWERS is the JSON file to be written.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, NamedTuple  # noqa: UP035 - as old as the interpreter may be

SCRIPT = "inference_sample.py"
NAMES = ("predict", "infer", "inference", "run")
BATCH = 64
WARM_UP = 5
TIMED = 30
WAYS = (
    "functions load_model(model_dir) and predict(model, inputs); a function predict, infer, inference or run of the "
    "inputs; a command that takes --input FILE; or a folder with an MLmodel file"
)


class Way(NamedTuple):
    """How the model is asked.

    Args:
        name: in words.
        ask: (a list of inputs) -> a list of as many answers.
        batch: how many inputs it is given at once.
    """

    name: str
    ask: Callable[[list[Any]], list[Any]]
    batch: int


def main(folder: Path, index: Path, answers: Path) -> None:
    """Ask for every input, time one answer, and write what came back."""
    entries = json.loads(index.read_text(encoding="utf-8"))
    os.chdir(folder)
    own = str(Path(__file__).resolve().parent)  # its neighbours are not to be imported in the place of packages
    sys.path[:] = [str(folder), *(path for path in sys.path if path != own)]
    way, inputs = find_way(folder, entries)
    found = []
    durations = []
    for start in range(0, len(inputs), way.batch):
        begun = time.perf_counter()
        found.extend(ask(way, inputs[start : start + way.batch]))
        durations.append(time.perf_counter() - begun)
    if way.batch > 1 or len(durations) < WARM_UP + TIMED:
        durations = [timed(way, inputs[:1]) for _ in range(WARM_UP + TIMED)]
    told = {
        "way": way.name,
        "threads": thread_count(),
        "latency_ms": 1000 * statistics.median(durations[WARM_UP:]),
        "answers": found,
    }
    answers.write_text(json.dumps(told), encoding="utf-8")


def ask(way: Way, inputs: list[Any]) -> list[Any]:
    """As many answers as inputs."""
    answers = [plain(answer) for answer in way.ask(inputs)]
    if len(answers) != len(inputs):
        sys.exit(f"Expected {len(inputs)} answers of {way.name}, got {len(answers)}. Return one an input.")
    return answers


def timed(way: Way, inputs: list[Any]) -> float:
    """Seconds for one call."""
    begun = time.perf_counter()
    ask(way, inputs)
    return time.perf_counter() - begun


def find_way(folder: Path, entries: list[dict[str, Any]]) -> tuple[Way, list[Any]]:
    """The first documented way that the folder allows, and the inputs as it takes them."""
    values = [read(entry) for entry in entries]
    script = folder / SCRIPT
    if script.is_file():
        source = script.read_text(encoding="utf-8")
        way = by_functions(folder, source, values)
        if way is not None:
            return way, values
        if "--input" in source:
            return Way(f"python {SCRIPT} --input FILE", by_command, 1), [entry["path"] for entry in entries]
    elif (folder / "MLmodel").is_file():
        return by_mlflow(folder), values
    sys.exit(f"Expected one of the documented ways to ask a model ({WAYS}), found none. Add one.")


def by_functions(folder: Path, source: str, inputs: list[Any]) -> Way | None:
    """The script's functions; a script that defines none of the known names is not run."""
    defined = top_level_names(source)
    if not defined.intersection(NAMES):
        return None
    module = importlib.import_module(SCRIPT[:-3])  # its folder is the first on the path
    if {"load_model", "predict"} <= defined and required(module.predict) == 2:
        load, predict = module.load_model, module.predict
        model = load(str(folder)) if accepts_one(load) else load()
        return settled("load_model and predict", lambda given: predict(model, given), inputs)
    for name in NAMES:
        if name in defined and required(getattr(module, name)) == 1:
            return settled(name, getattr(module, name), inputs)
    return None


def top_level_names(source: str) -> set[str]:
    """What a script defines, imports or assigns at its top level."""
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return names


def positional(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters that can be given by position."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [parameter for parameter in inspect.signature(function).parameters.values() if parameter.kind in kinds]


def required(function: Callable[..., Any]) -> int:
    """How many positions have no default."""
    return sum(parameter.default is inspect.Parameter.empty for parameter in positional(function))


def accepts_one(function: Callable[..., Any]) -> bool:
    """Whether the function takes an argument."""
    return len(positional(function)) > 0


def settled(name: str, function: Callable[[Any], Any], inputs: list[Any]) -> Way:
    """A function that answers a list with as many answers is asked so; any other for one input at a time."""
    probe = inputs[:2]
    try:
        many = listed(function(probe))
    except Exception as error:  # noqa: BLE001 - whatever it raises on a list, it may take one input
        why = f"{type(error).__name__}: {error}"
    else:
        if many is not None and len(many) == len(probe):
            return Way(name, lambda given: listed(function(given)) or [], BATCH)
        why = "it did not return a list of two answers"
    try:
        function(probe[0])
    except Exception:
        print(f"{name} was first called with a list of two inputs: {why}", file=sys.stderr)
        raise
    return Way(f"{name}, one input at a time", lambda given: [function(one) for one in given], 1)


def by_command(paths: list[Any]) -> list[Any]:
    """What the command prints for each file."""
    return [printed([sys.executable, SCRIPT, "--input", path]) for path in paths]


def printed(command: list[str]) -> str:
    """The standard output of a command, which must end well."""
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    sys.stderr.write(ended.stderr)
    if ended.returncode != 0:
        said = (ended.stderr.strip().splitlines() or ["it said nothing"])[-1]
        sys.exit(f"{command[1]} ended with {ended.returncode}: {said}")
    return ended.stdout.rstrip("\n")


def by_mlflow(folder: Path) -> Way:
    """An MLflow model, given arrays, or a table where its signature names columns."""
    # By name, so that nothing but this process imports MLflow here.
    model = importlib.import_module("mlflow.pyfunc").load_model(str(folder))
    schema = model.metadata.get_input_schema()

    def predict(inputs: list[Any]) -> list[Any]:
        return listed(model.predict(as_mlflow_input(inputs, schema))) or []

    return Way("MLflow model", predict, BATCH)


def as_mlflow_input(inputs: list[Any], schema: Any) -> Any:
    """The inputs in the form that a model's signature asks for."""
    numpy = importlib.import_module("numpy")
    if schema is None or schema.is_tensor_spec():
        if isinstance(inputs[0], str):
            return numpy.array(inputs) if schema is not None else inputs
        kind = schema.inputs[0].type if schema is not None else numpy.float32
        return numpy.array(inputs, dtype=kind)
    names = schema.input_names() if schema.has_input_names() else None
    rows = inputs if isinstance(inputs[0], (list, dict)) else [[value] for value in inputs]
    return importlib.import_module("pandas").DataFrame(rows, columns=names)


def read(entry: dict[str, Any]) -> Any:
    """An input as functions are given it: the content of a file written for that, else the path."""
    path = Path(entry["path"])
    if not entry["read"]:
        return str(path)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    return numbers(text) if path.suffix == ".csv" else text[:-1]


def numbers(text: str) -> list[Any]:
    """A table below its header: of one row that row, of one column that column, else a list of rows."""
    rows = [[float(cell) for cell in line.split(",")] for line in text.splitlines()[1:]]
    if len(rows) == 1:
        return rows[0]
    return [row[0] for row in rows] if len(rows[0]) == 1 else rows


def listed(result: Any) -> list[Any] | None:
    """A result that holds one answer an input as a list; None for anything else."""
    if hasattr(result, "to_numpy"):
        result = result.to_numpy()
    result = plain(result)
    return result if isinstance(result, list) else None


def plain(value: Any) -> Any:
    """Tensors, arrays and numbers of any library as JSON has them."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def thread_count() -> int:
    """How many threads the model may compute with: as torch says, else OMP_NUM_THREADS, else the processors."""
    if "torch" in sys.modules:
        return int(sys.modules["torch"].get_num_threads())
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdigit() else os.cpu_count() or 1


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve())
