"""One probe: a script with fewer epochs, trained and measured in a scratch folder, and kept as a record alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from progtrain.errors import CaptureError, EditError
from progtrain.records import EvalScore, Proposal, Snapshot
from progtrain.script.editing.edit import set_or_add
from progtrain.script.settings.duration import schedule_misfit
from progtrain.script.settings.knob_values import differing
from progtrain.step_records import EvaluateRecord, ProbeRecord, probe_name
from progtrain.steps.at_once import at_once
from progtrain.steps.capturing import capture_source, captured
from progtrain.steps.context import Context
from progtrain.steps.halving import brief_epochs
from progtrain.steps.scratch_training import ScratchFailure, score_in_scratch
from progtrain.workspace import now

#: What fewer epochs may move: a schedule follows them where the script says so.
_FOLLOWS: Final = frozenset({"epochs", "scheduler"})


@dataclass(frozen=True)
class Trial:
    """What is to be trained briefly.

    Args:
        version: whose name the script carries.
        source: the whole script, with all of its epochs.
        snapshot: what that would train.
        proposal: the one change in it; None for the parent itself.
    """

    version: str
    source: str
    snapshot: Snapshot
    proposal: Proposal | None


def unchanged(context: Context, parent: str) -> Trial:
    """The parent itself, which probes are held against."""
    return Trial(parent, context.workspace.read_script(parent), captured(context, parent), None)


def train_briefly(context: Context, parent: str, trials: Sequence[Trial], turn: int) -> Iterator[ProbeRecord]:
    """The records of probes, in order; those that there are none of are made, as many at once as cores allow.

    One that failed is a record too. The parent itself at its own number of epochs is what was measured of that version,
    and is not trained again.

    Args:
        context: the opened workspace.
        parent: the version that the probes belong to.
        trials: the parent itself, or it with one change each.
        turn: the round, from 0; it says how many epochs.

    Raises:
        ProtocolChangedError: one changed files that a training script has no business with.
    """
    known = [*context.workspace.read_numbered(ProbeRecord, probe_name, parent)]
    wanted = [_wanted(context, parent, trial, turn) for trial in trials]
    made = [record if record.score is not None else _same(known, record) for record in wanted]
    places = [place for place, record in enumerate(made) if record is None]

    def work(piece: int, on_tick: Callable[[], None]) -> ProbeRecord:
        place = places[piece]
        numbered = wanted[place].model_copy(update={"number": len(known) + 1 + piece})
        return _trained(context, parent, trials[place], numbered, on_tick)

    trained = at_once(len(places), work)
    for record in made:
        if record is None:
            record = next(trained)
            context.workspace.write_record(record, probe_name(record.number), parent)
            context.tracker.version_finished(parent)
        yield record


def _wanted(context: Context, parent: str, trial: Trial, turn: int) -> ProbeRecord:
    """The record of a probe before it is made, not numbered yet; with its score where that has been measured."""
    full, started_at = trial.snapshot.max_epochs, now()
    epochs = brief_epochs(full, turn) if full is not None and full > 0 else None
    return ProbeRecord(
        started_at=started_at,
        finished_at=started_at,
        script_sha256=context.workspace.script_sha256(parent),
        number=0,
        action=None if trial.proposal is None else trial.proposal.action,
        parameters={} if trial.proposal is None else trial.proposal.parameters,
        epochs=epochs,
        score=_as_measured(context, parent) if trial.proposal is None and epochs == full else None,
    )


def _trained(
    context: Context, parent: str, trial: Trial, wanted: ProbeRecord, on_tick: Callable[[], None]
) -> ProbeRecord:
    started_at = now()
    score, remark = _score(context, parent, trial, wanted, on_tick)
    made = {"started_at": started_at, "finished_at": now(), "score": score, "remark": remark}
    return wanted.model_copy(update=made)


def _same(known: Sequence[ProbeRecord], wanted: ProbeRecord) -> ProbeRecord | None:
    """The same training, made before."""
    for record in known:
        same = (record.script_sha256, record.epochs) == (wanted.script_sha256, wanted.epochs)
        if same and (record.action, record.parameters) == (wanted.action, wanted.parameters):
            return record
    return None


def _as_measured(context: Context, parent: str) -> EvalScore | None:
    evaluated = context.workspace.read_record(EvaluateRecord, "evaluate", parent)
    return None if evaluated is None else evaluated.score


def _score(
    context: Context, parent: str, trial: Trial, wanted: ProbeRecord, on_tick: Callable[[], None]
) -> tuple[EvalScore | None, str]:
    """The score and a remark, or no score and why."""
    try:
        source, remark = shortened(context, trial, wanted.epochs)
    except (EditError, CaptureError) as error:
        return None, str(error)
    score = score_in_scratch(context, parent, probe_name(wanted.number), trial.version, source, on_tick)
    if isinstance(score, ScratchFailure):
        return None, f"it could not be {score.could_not_be}: {score.reason}"
    return score, remark


def shortened(context: Context, trial: Trial, epochs: int | None) -> tuple[str, str]:
    """The script with so many epochs and nothing else changed, and what is to be said of it.

    Raises:
        CaptureError: it does not reach `Trainer.fit`.
        EditError: its length is not given by a number of epochs that can be set by itself.
    """
    full = trial.snapshot
    if epochs is None or full.max_steps > 0:
        raise EditError(
            "Expected a training that ends after a number of epochs, got one that does not. Set max_epochs."
        )
    if epochs == full.max_epochs:
        return trial.source, ""
    source = set_or_add(trial.source, "epochs", epochs)
    brief = capture_source(context.workspace, context.executor, trial.version, source)
    moved = differing(full, brief) - _FOLLOWS
    if brief.max_epochs != epochs or moved:
        also = f" and moves {', '.join(sorted(moved))}" if moved else ""
        raise EditError(f"Set to {epochs} epochs, it still trains for {brief.max_epochs}{also}. Name them once.")
    misfit = schedule_misfit(brief)
    if misfit is None or schedule_misfit(full) is not None:
        return source, ""
    return source, f"{misfit.scheduler} stays as long as in the whole training: its {misfit.argument} is no epochs knob"
