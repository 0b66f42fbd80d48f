"""In a process of its own: capture and train one script, then the child of every action that fits it."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from progtrain.actions import Action, Situation, action_named
from progtrain.errors import CaptureError, EditError
from progtrain.records import Proposal, Refusal, Snapshot
from progtrain.script.capturing.capture import CapturedFit, capture_fit
from progtrain.script.capturing.interception import as_main
from progtrain.script.settings.knob_values import differing
from tests.corpus import situations
from tests.corpus.trials import ITSELF, Trial, write_trials

TAKE_BACK: Final = "take_back"
ANY: Final = ""


class Broken(Exception):
    """A promise of the catalogue that was not kept."""


@dataclass(frozen=True)
class Child:
    """What an action made of a script."""

    source: str
    snapshot: Snapshot
    proposal: Proposal


def exercised(name: str, script: Path, actions: list[str]) -> Iterator[Trial]:
    """The script itself, then each action on it."""
    source = script.read_text(encoding="utf-8")
    stop_after_one_step(source)
    try:
        fit = capture_fit(script)
        check_first_loss(fit.snapshot)
        if differing(fit.snapshot, capture_fit(script).snapshot):
            raise Broken("a second capture gave another Snapshot")
        asked = situations_by_action(source, fit)
        train(script)
    except (Broken, CaptureError) as error:
        yield Trial(name, ITSELF, "failed", str(error))
        return
    yield Trial(name, ITSELF, "applied")
    first: Child | None = None
    for action in sorted(actions, key=TAKE_BACK.__eq__):  # it takes the first of the others back
        situation = asked.get(action, asked[ANY])
        if action == TAKE_BACK and first is not None:
            situation = situations.regressed(source, first.source, first.snapshot, first.proposal)
        try:
            offer = action_named(action).propose(situation)
            if isinstance(offer, Refusal):
                yield Trial(name, action, "refused", offer.reason)
                continue
            child = check_child(script, situation, action_named(action), offer)
            if action == TAKE_BACK and child.source != source:
                raise Broken("what it took back is not the script from before")
            first = first or child
            yield Trial(name, action, "applied")
        except (Broken, CaptureError, EditError) as error:
            yield Trial(name, action, "failed", f"{type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001 - whatever an action raises is what this is here to find
            yield Trial(name, action, "failed", f"propose or apply raised {type(error).__name__}: {error}")


def situations_by_action(source: str, fit: CapturedFit) -> dict[str, Situation]:
    """The situation that each action is asked in which wants more than a script; the others' is under ANY."""
    found = situations.diagnosed(source, fit)
    return {
        ANY: situations.undiagnosed(source, fit.snapshot),
        "extend_range": situations.paid(source, fit.snapshot),
        "log_target": found,
        "output_bias": found,
        "standardize_target": found,
        "usual_weight_decay": found,
    }


def check_child(script: Path, situation: Situation, action: Action, proposal: Proposal) -> Child:
    """Hold a child against its proposal, and train it for one step.

    Raises:
        Broken: it is not what was proposed, or does not train.
        CaptureError: it does not reach fit.
        EditError: the action cannot make it.
    """
    source = action.apply(situation.anatomy.source, proposal.parameters)
    if source != action.apply(situation.anatomy.source, proposal.parameters):
        raise Broken("applied twice, it gave two different scripts")
    child = script.with_name(f"{script.stem}_{action.name}.py")
    child.write_text(source, encoding="utf-8")
    compile(source, child.name, "exec")
    before, after = situation.snapshot, capture_fit(child).snapshot
    different, declared = differing(before, after), set(proposal.touches)
    if not different:
        raise Broken("nothing of what is about to be trained changed")
    if different - declared:
        raise Broken(f"changed {sorted(different - declared)} beside {sorted(declared)}")
    if before.measured != after.measured:
        raise Broken(f"validation measures by {after.measured}, and not by {before.measured} as before")
    if fingerprint(before) != fingerprint(after):
        raise Broken("the validation set is another one")
    check_first_loss(after)
    train(child)
    return Child(source, after, proposal)


def fingerprint(snapshot: Snapshot) -> str | None:
    """Of the validation set."""
    return snapshot.valid and snapshot.valid.fingerprint


def check_first_loss(snapshot: Snapshot) -> None:
    """A step that is taken by hand is not taken by the capture.

    Raises:
        Broken: there is none, or it is not finite.
    """
    if snapshot.automatic_optimization and (snapshot.first_loss is None or abs(snapshot.first_loss) > 1e6):
        raise Broken(f"the first loss is {snapshot.first_loss}: {'; '.join(snapshot.notes)}")


def stop_after_one_step(source: str) -> None:
    """From now on a fit ends after its first optimizer step and one validation."""
    for package in {"lightning.pytorch", *(["pytorch_lightning"] if "pytorch_lightning" in source else [])}:
        library: Any = importlib.import_module(package)
        _replace_fit(library.Trainer, library.callbacks.Callback)


def _replace_fit(trainer_class: Any, callback_class: Any) -> None:
    class OneStep(callback_class):  # type: ignore[misc]
        def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, *rest: Any) -> None:
            loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
            if loss is not None and not torch.isfinite(loss):
                raise Broken(f"the loss of a training step is {loss}")
            trainer.should_stop = trainer.global_step > 0

    whole_fit = trainer_class.fit

    def fit(trainer: Any, *args: Any, **kwargs: Any) -> None:
        trainer.callbacks.append(OneStep())
        whole_fit(trainer, *args, **kwargs)
        if trainer.global_step == 0:
            raise Broken("it took no optimizer step")

    trainer_class.fit = fit


def train(script: Path) -> None:
    """Run a script to its end, as `python SCRIPT` would, apart from the length of its training.

    Raises:
        Broken: it raised, or ended with an exit code.
    """
    file = os.path.abspath(script)
    try:
        with as_main(file, [str(script)]) as main:
            exec(compile(Path(file).read_bytes(), file, "exec", dont_inherit=True), main.__dict__)
    except SystemExit as end:
        if end.code:
            raise Broken(f"it exited with {end.code!r}") from end
    except Broken:
        raise
    except Exception as error:
        raise Broken(f"training raised {type(error).__name__}: {error}") from error


def main() -> None:
    """`python -m tests.corpus.exercise SCRIPT ...`, in the folder to run in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("script", type=Path)
    parser.add_argument("--script-name", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--actions", nargs="*", default=[])
    options = parser.parse_args()
    write_trials(exercised(options.script_name, options.script, options.actions), options.output)


if __name__ == "__main__":
    sys.exit(main())
