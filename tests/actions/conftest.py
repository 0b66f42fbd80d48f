"""Tables of actions: a script before, the script after, and refusals; situations built from a small perceptron."""

from __future__ import annotations

import json
from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest

from progtrain.actions import Situation, action_named
from progtrain.errors import EditError
from progtrain.records import Call, Finding, Layer, LoaderSettings, OptimizerSettings, Proposal, Refusal, Snapshot
from progtrain.script.reading.anatomy import read_anatomy


@pytest.fixture(scope="session")
def becomes() -> Callable[..., None]:
    """`becomes(action, before, after, **parameters)`: replayed from JSON, compiled, and refused a second time."""

    def check(action: str, before: str, after: str, **parameters: Any) -> None:
        replayed = json.loads(json.dumps(parameters))
        child = action_named(action).apply(dedent(before), replayed)
        assert child == dedent(after)
        compile(child, "after", "exec")
        with pytest.raises(EditError):
            action_named(action).apply(child, replayed)

    return check


@pytest.fixture(scope="session")
def cannot() -> Callable[..., None]:
    """`cannot(action, source, match, **parameters)`: the edit is refused, with words that match."""

    def check(action: str, source: str, match: str, **parameters: Any) -> None:
        with pytest.raises(EditError, match=match):
            action_named(action).apply(dedent(source), parameters)

    return check


SGD = {"lr": 0.01, "momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": False, "parameters": 7434}


@pytest.fixture(scope="session")
def snapshot_with() -> Callable[..., Snapshot]:
    """`snapshot_with(**fields)`: that of a perceptron 40-64-64-10 under plain SGD, some fields changed."""

    def make(**fields: Any) -> Snapshot:
        loader = LoaderSettings(
            size=3200, batch_size=64, shuffle=True, sampler="RandomSampler", workers=0, fingerprint=None
        )
        snapshot = Snapshot(
            optimizers=(OptimizerSettings(type="SGD", groups=(SGD,)),),
            schedulers=(),
            max_epochs=20,
            max_steps=-1,
            gradient_clip_val=None,
            gradient_clip_algorithm=None,
            accumulate_grad_batches=1,
            precision="32-true",
            seed=42,
            train=loader,
            valid=loader.model_copy(update={"size": 800, "shuffle": False}),
            callbacks=(),
            checkpoints=(),
            loggers=(),
            layers=(
                Layer(path="net.0", type="Linear", arguments={"in_features": 40, "out_features": 64}, parameters=2624),
                Layer(path="net.1", type="ReLU", arguments={}),
                Layer(path="net.2", type="Linear", arguments={"in_features": 64, "out_features": 10}, parameters=650),
            ),
            calls=(
                Call(function="linear", arguments={}, shapes=((64, 40), (64, 40), (64,))),
                Call(function="relu", arguments={}, shapes=((64, 64),)),
                Call(function="linear", arguments={}, shapes=((64, 64), (10, 64), (10,))),
            ),
            parameters=7434,
            first_loss=2.3,
            batch=[{"shape": [64, 40]}],
        )
        return snapshot.model_copy(update=fields)

    return make


@pytest.fixture(scope="session")
def proposed(snapshot_with: Callable[..., Snapshot]) -> Callable[..., Proposal | Refusal]:
    """`proposed(action, source, finding, locks={}, **fields)`: what the action offers; fields are the Snapshot's."""

    def propose(
        action: str,
        source: str,
        finding: str,
        locks: dict[str, Any] | None = None,
        suggested_rate: float | None = None,
        suggested_peak: float | None = None,
        **fields: Any,
    ) -> Proposal | Refusal:
        return action_named(action).propose(
            Situation(
                anatomy=read_anatomy(dedent(source)),
                snapshot=snapshot_with(**fields),
                findings=(Finding(name=finding, numbers={}, severity=0.5, message=finding),),
                history=(),
                locks=locks or {},
                suggested_rate=suggested_rate,
                suggested_peak=suggested_peak,
            )
        )

    return propose


TRAINING_STEPS = {
    "unpacked": "        x, y = batch\n        return F.cross_entropy(self(x), y)  # nats\n",
    "by index": "        return F.cross_entropy(self(batch[0]), batch[1])\n",
    "documented": '        """One step."""\n\n        return self.shared(batch, "train")\n',
}
MODEL = """\
import torch
import torch.nn.functional as F

SEED = 1


@final
class Net:
    # the step
    def training_step(self, batch, index):
{step}
    def validation_step(self, batch, index):
        return self.shared(batch, "valid")
"""


@pytest.fixture(scope="session")
def training_scripts() -> tuple[str, ...]:
    """Scripts that differ in how their training step takes the batch apart."""
    return tuple(MODEL.format(step=step) for step in TRAINING_STEPS.values())


@pytest.fixture(scope="session")
def augments(becomes: Callable[..., None], training_scripts: tuple[str, ...]) -> Callable[..., Callable[..., Any]]:
    """`augments(action, name, **parameters)`: `batch = name(*batch)` comes first in every way of writing a step.

    Returns the function `name`, to be called with inputs and targets.
    """

    def check(action: str, name: str, **parameters: Any) -> Callable[..., Any]:
        for script in training_scripts:
            child = action_named(action).apply(script, parameters)
            definition = child[child.index(f"def {name}(") : child.index("@final")]
            begin = script.index("        return", script.index("training_step"))
            begin = min(begin, script.index("        x, y", 1) if "x, y" in script else begin)
            called = script[:begin] + f"        batch = {name}(*batch)\n" + script[begin:]
            becomes(action, script, called.replace("@final", definition + "@final"), **parameters)
        scope: dict[str, Any] = {}
        exec(f"import torch\nimport torch.nn.functional as F\n{definition}", scope)
        function: Callable[..., Any] = scope[name]
        return function

    return check


STEPLESS = "class Net:\n    pass\n"
TAKING_NOTHING = "import torch\n\nclass Net:\n    def training_step(self):\n        return 0\n"
ONE_LINE = "import torch\n\nclass Net:\n    def training_step(self, batch, index): return self.loss(batch)\n"


@pytest.fixture(scope="session")
def augments_no_other(cannot: Callable[..., None]) -> Callable[..., None]:
    """`augments_no_other(action, **parameters)`: scripts without a training step that it could vary are refused."""

    def check(action: str, **parameters: Any) -> None:
        cannot(action, STEPLESS, "found 0", **parameters)
        cannot(action, TAKING_NOTHING, "expected training_step\\(self, batch", **parameters)
        cannot(action, ONE_LINE, "lines of their own", **parameters)
        cannot(action, ONE_LINE + ONE_LINE.partition("\n\n")[2], "found 2", **parameters)

    return check


SIGNALS = {"shape": [64, 40], "dtype": "float32"}
CLASSES = {"shape": [64], "dtype": "int64"}
SCORED = Call(function="cross_entropy", arguments={}, shapes=((64, 10), (64,)))
CONVOLVED = Call(function="conv1d", arguments={}, shapes=((64, 1, 40), (32, 1, 5)))


@pytest.fixture(scope="session")
def signals() -> dict[str, Any]:
    """Fields of a Snapshot: convolutions classify batches of 64 signals of 40 values."""
    return {"batch": [SIGNALS, CLASSES], "calls": (CONVOLVED, SCORED)}


@pytest.fixture(scope="session")
def table() -> dict[str, Any]:
    """Fields of a Snapshot: dense layers classify rows of 8 values."""
    return {"batch": [{"shape": [64, 8], "dtype": "float32"}, CLASSES], "calls": (SCORED,)}


@pytest.fixture(scope="session")
def regression() -> dict[str, Any]:
    """Fields of a Snapshot: convolutions estimate one number from signals of 40 values."""
    squared = Call(function="mse_loss", arguments={}, shapes=((64, 1), (64, 1)))
    return {"batch": [SIGNALS, {"shape": [64, 1], "dtype": "float32"}], "calls": (CONVOLVED, squared)}
