"""Trainings of the first version with other seeds: how much of a difference is the seed's doing."""

from __future__ import annotations

import statistics

from progtrain.errors import EditError, EvaluationError, ScriptError, TrainingFailedError
from progtrain.records import EvalScore, TrainingNoise
from progtrain.script.editing.edit import set_or_add
from progtrain.step_records import RepeatRecord, repeat_name
from progtrain.steps.capturing import capture_source, captured
from progtrain.steps.context import Context
from progtrain.steps.lineage import primary_of
from progtrain.steps.scratch_training import score_in_scratch
from progtrain.workspace import now


def training_noise(context: Context) -> TrainingNoise | None:
    """The spread of the primary metric over seeds; trains what is missing of `loop_config.noise_repeats`.

    A repeat is the first version's script with another seed. It is no version: the rule that no version changes the
    seed holds as before, nothing is built on a repeat, and none is ranked.

    Returns:
        None where no repeats are asked for, or fewer than two trainings have a value.

    Raises:
        ScriptError: the script's seed cannot be set.
        TrainingFailedError: a repeat could not be trained.
        EvaluationError: a repeat could not be measured.
    """
    wanted = context.rules.loop_config.noise_repeats
    if not wanted:
        return None
    first = context.workspace.versions()[0]
    own = primary_of(context, first)
    repeats = [_repeat(context, first, number) for number in range(1, wanted + 1)]
    metrics = [own, *(repeat.score.metric(context.rules.eval_config.primary) for repeat in repeats)]
    values = [metric.value for metric in metrics if metric is not None and metric.value is not None]
    if len(values) < 2:
        return None
    return TrainingNoise(deviation=statistics.stdev(values), repeats=len(values) - 1)


def _repeat(context: Context, version: str, number: int) -> RepeatRecord:
    workspace, name = context.workspace, repeat_name(number)
    done = workspace.read_record(RepeatRecord, name, version)
    if done is not None and done.script_sha256 == workspace.script_sha256(version):
        return done
    started_at = now()
    seed, source = _reseeded(context, version, number)
    context.say(f"{version}: repeat {number} of {context.rules.loop_config.noise_repeats}, seed {seed}")
    score = _train_and_measure(context, version, name, source)
    record = RepeatRecord(
        started_at=started_at,
        finished_at=now(),
        script_sha256=workspace.script_sha256(version),
        number=number,
        seed=seed,
        score=score,
    )
    workspace.write_record(record, name, version)
    context.tracker.version_finished(version)
    return record


def _reseeded(context: Context, version: str, number: int) -> tuple[int, str]:
    """Another seed and the script that trains with it; a script without a seed is another one each time."""
    source = context.workspace.read_script(version)
    own = captured(context, version).seed
    if own is None:
        return context.rules.seed + number, source
    try:
        reseeded = set_or_add(source, "seed", own + number)
        live = capture_source(context.workspace, context.executor, version, reseeded).seed
    except EditError as error:
        raise _not_seeded(context, version, str(error)) from error
    if live != own + number:
        raise _not_seeded(context, version, f"set to {own + number}, it still trains with {live}")
    return own + number, reseeded


def _not_seeded(context: Context, version: str, reason: str) -> ScriptError:
    return ScriptError(
        f"loop_config.noise_repeats asks for {version} with other seeds, but its seed cannot be set: {reason}. "
        f"Name the seed once in {context.workspace.script(version).name}, or set noise_repeats to 0."
    )


def _train_and_measure(context: Context, version: str, name: str, source: str) -> EvalScore:
    score = score_in_scratch(context, version, name, version, source)
    if isinstance(score, EvalScore):
        return score
    if score.could_not_be == "trained":
        raise TrainingFailedError(
            f"{name} of {version} could not be trained: {score.reason}. The log is {score.log}; "
            "run again to try it again, or lower loop_config.noise_repeats."
        )
    raise EvaluationError(
        f"{name} of {version} could not be measured: {score.reason}. The log is {score.log}. Where the seed "
        "also chooses the validation samples, give that choice a seed of its own, or set noise_repeats to 0."
    )
