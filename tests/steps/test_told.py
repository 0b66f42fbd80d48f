"""What is told of a training before it begins."""

from collections.abc import Callable

import pytest

from progtrain.records import LoaderSettings, Overwritten, Snapshot
from progtrain.steps.capturing import told_of

VALID = LoaderSettings(size=40, batch_size=8, shuffle=False, sampler="SequentialSampler", workers=0, fingerprint=None)


@pytest.fixture
def snapshot() -> Callable[..., Snapshot]:
    def make(**fields: object) -> Snapshot:
        plain = {"max_steps": -1, "accumulate_grad_batches": 1, "precision": "32-true", "parameters": 1}
        nothing = dict.fromkeys(name for name, field in Snapshot.model_fields.items() if field.is_required())
        several = ("optimizers", "schedulers", "callbacks", "checkpoints", "loggers", "layers", "calls")
        return Snapshot.model_validate({**nothing, **dict.fromkeys(several, ()), **plain, **fields})

    return make


def test_nothing_is_told_of_an_ordinary_script(snapshot: Callable[..., Snapshot]) -> None:
    assert told_of(snapshot(valid=VALID), 40) == ()
    assert told_of(snapshot(valid=VALID), None) == ()
    assert told_of(snapshot(), 40) == ()


def test_a_count_that_is_not_the_measured_sets_is_told(snapshot: Callable[..., Snapshot]) -> None:
    (told,) = told_of(snapshot(valid=VALID), 240)
    assert told == "stats.json says num_valid 240, the validation loader that is measured has 40 samples"


def test_choices_and_what_no_version_changes_are_told(snapshot: Callable[..., Snapshot]) -> None:
    found = Overwritten(knob="lr", by="Tuner.lr_find in line 7 finds it anew in every training", known=False)
    assert told_of(snapshot(notes=("a choice",), overwritten=(found,)), None) == (
        "a choice",
        "no version changes lr (Tuner.lr_find in line 7 finds it anew in every training)",
    )
