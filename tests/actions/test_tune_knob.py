"""One number of the script at a time, searched where nothing diagnosed asks for anything."""

import subprocess
import sys

import pytest

from progtrain.actions import Situation, action_named
from progtrain.records import Call, LoaderSettings, OptimizerSettings, Proposal, Refusal, SchedulerSettings
from progtrain.script.reading.anatomy import read_anatomy
from progtrain.script.settings.knob_values import knob_values
from progtrain.step_records import Attempt

SCRIPT = """\
import lightning as L
from torch import nn, optim
from torch.utils.data import DataLoader

LR = 0.01  # found by hand
net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.Linear(8, 2))

def configure_optimizers(self):
    return optim.SGD(self.parameters(), lr=LR, momentum=0.9, weight_decay=1e-3)

loader = DataLoader(data, batch_size=64, shuffle=True)
trainer = L.Trainer(gradient_clip_val=1.0)
trainer.fit(net, loader)
"""
PLAIN = SCRIPT.replace(", weight_decay=1e-3", "")
SMOOTHED = SCRIPT.replace("trainer.fit", "loss = nn.CrossEntropyLoss(label_smoothing=0.1)\ntrainer.fit")
TABLE = {
    "lr": (SCRIPT, 0.0234, SCRIPT.replace("0.01 ", "0.0234 ")),
    "weight_decay": (SCRIPT, 2.5e-5, SCRIPT.replace("1e-3", "2.5e-5")),
    "weight_decay where there is none": (PLAIN, 0.002, PLAIN.replace("=0.9", "=0.9, weight_decay=0.002")),
    "dropout": (SCRIPT, 0.283, SCRIPT.replace("0.1)", "0.283)")),
    "batch_size": (SCRIPT, 32, SCRIPT.replace("=64", "=32")),
    "label_smoothing": (SMOOTHED, 0.0512, SMOOTHED.replace("smoothing=0.1", "smoothing=0.0512")),
    "momentum": (SCRIPT, 0.95, SCRIPT.replace("0.9,", "0.95,")),
    "gradient_clip": (SCRIPT, 0.5, SCRIPT.replace("1.0", "0.5")),
}


@pytest.mark.parametrize("name", TABLE)
def test_becomes(becomes, name):
    before, value, after = TABLE[name]
    becomes("tune_knob", before, after, knob=name.partition(" ")[0], value=value)


@pytest.mark.parametrize(
    ("knob", "source", "value", "match"),
    [
        ("lr", SCRIPT, 0.01, "the values that are there already"),
        ("dropout", SCRIPT.replace("nn.Dropout(0.1)", "nn.ReLU()"), 0.2, "takes dropout"),
        ("batch_size", SCRIPT.replace("=64", "=read()"), 32, "line 11"),
        ("dropout", SCRIPT.replace("nn.Linear(8", "nn.Dropout(0.3), nn.Linear(8"), 0.2, "Expected one value"),
    ],
)
def test_cannot(cannot, knob, source, value, match):
    cannot("tune_knob", source, match, knob=knob, value=value)


LIVE = {"lr": 0.01, "momentum": 0.9, "weight_decay": 1e-3, "dampening": 0, "nesterov": False, "parameters": 58}
LOCK = "constraints.lock: lr"


@pytest.fixture
def parent(snapshot_with):
    """`parent(**fields)`: what SCRIPT trained, some fields changed; `lr=0.1` and so on of the optimizer."""

    def make(**fields):
        group = {key: fields.pop(key, value) for key, value in LIVE.items()}
        live = {
            "optimizers": (OptimizerSettings(type="SGD", groups=(group,)),),
            "calls": (Call(function="dropout", arguments={"p": 0.1, "training": True}),),
            "gradient_clip_val": 1.0,
        }
        return snapshot_with(**{**live, **fields})

    return make


@pytest.fixture
def offered(parent):
    """`offered(history=(), locks=(), source=SCRIPT, **fields)`: the action's answer where nothing asks."""

    def offer(history=(), locks=(), source=SCRIPT, higher_is_better=True, seed=42, **fields):
        situation = Situation(
            anatomy=read_anatomy(source),
            snapshot=parent(**fields),
            findings=(),
            history=tuple(history),
            locks={knob: f"constraints.lock: {knob}" for knob in locks},
            higher_is_better=higher_is_better,
            seed=seed,
        )
        return action_named("tune_knob").propose(situation)

    return offer


@pytest.fixture
def attempt(parent):
    """`attempt(touches, verdict, primary, **fields)`: a version before, with what it trained."""

    def make(touches=(), verdict="within noise", primary=0.5, action="tune_knob", **fields):
        knobs = knob_values(parent(**fields))
        return Attempt(
            version="v002",
            parent="v001",
            action=action,
            parameters={},
            touches=touches,
            verdict=verdict,
            primary=primary,
            knobs=knobs,
        )

    return make


ORDER = ["lr", "weight_decay", "dropout", "batch_size", "momentum", "gradient_clip"]


def test_the_most_important_knob_comes_first_and_then_the_next(offered, attempt):
    history, knobs = [attempt(action="by hand", verdict="first")], []
    for _ in ORDER:
        proposal = offered(history)
        assert isinstance(proposal, Proposal)
        assert proposal.answers == "nothing-asks"
        knobs += proposal.touches
        history.append(attempt(proposal.touches, "regressed", 0.4, lr=0.02))
        history.append(attempt(proposal.touches, action="take_back"))  # is no search
    assert knobs == ORDER


def test_a_knob_that_another_action_moved_has_been_tried(offered, attempt):
    assert offered([attempt(("lr",), action="raise_learning_rate")]).touches == ("weight_decay",)


def test_stays_once_with_a_knob_that_paid(offered, attempt):
    paid = attempt(("weight_decay",), "improved", weight_decay=0.002)

    assert offered([paid]).touches == ("weight_decay",)
    assert offered([paid, attempt(("lr",))]).touches == ("dropout",)
    assert offered([paid, paid]).touches == ("lr",)
    assert offered([attempt(("weight_decay",), "improved", action="add_weight_decay")]).touches == ("lr",)


@pytest.mark.parametrize("locked", [("lr",), ("lr", "weight_decay"), ORDER[:-1]])
def test_what_is_locked_is_not_searched(offered, locked):
    proposal = offered(locks=locked)

    assert proposal.touches == (ORDER[len(locked)],)
    assert proposal.parameters["knob"] == ORDER[len(locked)]


def test_where_all_is_locked_the_rules_are_named(offered):
    refusal = offered(locks=ORDER)

    assert isinstance(refusal, Refusal)
    assert refusal.by_rule
    assert all(f"{knob} (constraints.lock: {knob})" in refusal.reason for knob in ORDER)


NOTHING = {"momentum": 0, "gradient_clip_val": None, "calls": (), "train": None}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"automatic_optimization": False}, "optimizes by hand"),
        ({"lr": None, "weight_decay": None, **NOTHING}, "no knob is left to search"),
        ({"lr": 0.2, "weight_decay": None, **NOTHING}, "lr: line 5 sets lr to 0.01, but it trained with [0.2]"),
        ({"source": "net = 1\n", "locks": ORDER[1:]}, "lr: Expected one call that takes lr"),
    ],
)
def test_refuses(offered, fields, reason):
    refusal = offered(**fields)

    assert isinstance(refusal, Refusal)
    assert not refusal.by_rule
    assert reason in refusal.reason


def test_a_knob_that_cannot_be_set_leaves_the_turn_to_the_next(offered):
    assert offered(lr=0.2).touches == ("weight_decay",)


def test_a_cyclic_schedule_moves_momentum_itself(offered):
    schedule = SchedulerSettings(type="OneCycleLR", arguments={"max_lr": 0.01})
    fixed = [knob for knob in ORDER if knob != "momentum"]

    assert offered(locks=fixed).touches == ("momentum",)
    assert offered(locks=fixed, schedulers=(schedule,)).by_rule


@pytest.mark.parametrize(("size", "sizes"), [(3200, {16, 32, 128, 256}), (100, {16, 32})])
def test_batches_are_halved_and_doubled_within_the_data(offered, size, sizes):
    loader = LoaderSettings(
        size=size, batch_size=64, shuffle=True, sampler="RandomSampler", workers=0, fingerprint=None
    )
    locks = [knob for knob in ORDER if knob != "batch_size"]
    drawn = {offered(locks=locks, seed=seed, train=loader).parameters["value"] for seed in range(20)}

    assert drawn == sizes


def test_what_was_trained_before_is_not_proposed_again(offered, attempt, parent):
    loader = parent().train
    tried = [attempt(train=loader.model_copy(update={"batch_size": size})) for size in (16, 32, 128)]
    locks = [knob for knob in ORDER if knob != "batch_size"]

    assert offered(tried, locks=locks).parameters["value"] == 256
    # Under other settings it is another training.
    assert offered([*tried, attempt(train=loader.model_copy(update={"batch_size": 256}))], locks=locks).reason == (
        "no knob is left to search; batch_size: every value that was drawn has been tried"
    )
    elsewhere = attempt(train=loader.model_copy(update={"batch_size": 256}), lr=0.5)
    assert offered([*tried, elsewhere], locks=locks).parameters["value"] == 256


def test_the_value_follows_from_history_and_seed_alone(offered, attempt):
    history = [attempt(lr=0.01, primary=0.5), attempt(lr=0.02, primary=0.7), attempt(lr=0.005, primary=0.3)]
    first = offered(history)

    assert first == offered(history)
    assert first.parameters != offered(history, seed=7).parameters
    assert first.change == f"lr from 0.01 to {first.parameters['value']:g}, as Optuna proposes"


def test_the_search_goes_where_it_was_better(offered, attempt):
    better_above = [attempt(lr=rate, primary=rate) for rate in (0.005, 0.007, 0.01, 0.02, 0.03)]
    up, down = (offered(better_above, higher_is_better=higher).parameters["value"] for higher in (True, False))

    assert up > 0.01 > down


def test_optuna_is_not_imported_with_the_catalogue():
    code = "import sys, progtrain.actions as a; a.catalogue(); sys.exit('optuna' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
