"""The situations that a script of the corpus is put into: nothing known, its data diagnosed, or a past behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from progtrain.actions import Situation
from progtrain.curves import Curves
from progtrain.diagnosis import RULES, Evidence
from progtrain.diagnosis.lineage import RANGED_KNOBS
from progtrain.predictions import Predictions
from progtrain.records import Comparison, Finding, Proposal, Snapshot, Verdict
from progtrain.script.capturing.capture import CapturedFit
from progtrain.script.editing.versioning import undo_edits
from progtrain.script.reading.anatomy import read_anatomy
from progtrain.script.settings.knob_values import knob_values
from progtrain.step_records import Attempt

#: Findings that are known before anything is trained.
_AT_ONCE: Final = ("bad-initial-loss", "skewed-target", "unscaled-target", "excessive-decay")


def undiagnosed(source: str, snapshot: Snapshot) -> Situation:
    """Nothing is known but the script and what it is about to train."""
    return Situation(anatomy=read_anatomy(source), snapshot=snapshot, findings=(), history=(), locks={})


def diagnosed(source: str, fit: CapturedFit) -> Situation:
    """What the first step and the validation set's targets tell is found by the rules themselves."""
    targets = _targets(fit.valid_loader)
    evidence = _evidence(fit.snapshot, (), "first", targets)
    return _found(source, evidence, _AT_ONCE)


def paid(source: str, snapshot: Snapshot) -> Situation:
    """The script is v002, which was better than v001 by twice the rate, weight decay or dropout."""
    knobs = knob_values(snapshot)
    knob = next((name for name in RANGED_KNOBS if isinstance(value := knobs[name], int | float) and value), "lr")
    value = knobs[knob]
    before = {**knobs, knob: value / 2 if isinstance(value, int | float) else value}
    history = (
        _attempt("v001", None, "by hand", (), "first", 0.5).model_copy(update={"knobs": before}),
        _attempt("v002", "v001", "by hand", (knob,), "improved", 0.6).model_copy(update={"knobs": knobs}),
    )
    return _found(source, _evidence(snapshot, history, "improved"), ("edge-of-range",))


def regressed(source: str, child: str, snapshot: Snapshot, proposal: Proposal) -> Situation:
    """The child of a script is v002, and was worse than the script.

    Args:
        source: the script.
        child: what `proposal` made of it.
        snapshot: of the child.
        proposal: the change.
    """
    history = (
        _attempt("v001", None, "by hand", (), "first", 0.6),
        _attempt("v002", "v001", proposal.action, proposal.touches, "regressed", 0.5),
    )
    return _found(child, _evidence(snapshot, history, "regressed"), ("regressed",), undo_edits(child, source))


def _found(source: str, evidence: Evidence, names: Sequence[str], undo: tuple[Any, ...] | None = None) -> Situation:
    symptoms = {name: RULES[name](evidence) for name in names}
    return Situation(
        anatomy=read_anatomy(source),
        snapshot=evidence.snapshot,
        findings=tuple(
            Finding(name=name, numbers=found.numbers, severity=found.severity, message=found.message)
            for name, found in symptoms.items()
            if found is not None
        ),
        history=evidence.history,
        locks={},
        undo=undo,
    )


def _evidence(
    snapshot: Snapshot, history: tuple[Attempt, ...], verdict: Verdict, targets: NDArray[Any] | None = None
) -> Evidence:
    difference = {"improved": 0.1, "regressed": -0.1}.get(verdict)
    return Evidence(
        curves=Curves(columns={}),
        snapshot=snapshot,
        predictions=None if targets is None else _answering_zero(targets),
        task_type="regression" if targets is not None and targets.dtype.kind == "f" else "classification",
        comparison=Comparison(metric="accuracy", difference=difference, low=None, high=None, verdict=verdict),
        history=history,
    )


def _attempt(
    version: str, parent: str | None, action: str, touches: tuple[str, ...], verdict: Verdict, primary: float
) -> Attempt:
    return Attempt(
        version=version,
        parent=parent,
        action=action,
        parameters={},
        touches=touches,
        verdict=verdict,
        primary=primary,
        knobs={},
    )


def _targets(loader: Any) -> NDArray[Any] | None:
    """`[N, ...]` of the validation set, where its batches are pairs of inputs and one tensor of targets."""
    batches = list(loader) if loader is not None else []
    if not batches or not all(isinstance(batch, list | tuple) and len(batch) == 2 for batch in batches):
        return None
    targets = [batch[1] for batch in batches]
    return np.concatenate([each.numpy() for each in targets]) if hasattr(targets[0], "numpy") else None


def _answering_zero(targets: NDArray[Any]) -> Predictions:
    """A model that knows nothing; the rules that are asked look at the targets alone."""
    zeros = np.zeros(targets.shape)
    return Predictions(
        sample_ids=np.array([str(index) for index in range(len(targets))]),
        targets=targets,
        outputs=zeros,
        answers=zeros,
        losses=np.zeros(len(targets)),
    )
