"""train_retry_report.md: what was tried when a training failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TrainAttempt:
    """One run of a training script; `error` is None where it succeeded.

    Args:
        number: counted from 1.
        error: in one line.
        code_change: what the script has otherwise than before.
        action: the change that progtrain made of the parent; None where the script is the user's.
        cause: of the failure, where a repair knows it.
    """

    number: int
    error: str | None
    code_change: str
    action: str | None = None
    cause: str = ""


def render_retry_report(version: str, attempts: Sequence[TrainAttempt]) -> str:
    """The report with the five fields of the written rules, an attempt a section."""
    sections = [f"# Training attempts of {version}"]
    for attempt in attempts:
        status = "PASS" if attempt.error is None else "FAIL"
        sections.append(
            f"## attempt {attempt.number}\n\n"
            f"- attempt: {attempt.number}\n"
            f"- error_summary: {attempt.error or 'none'}\n"
            f"- root_cause_hypothesis: {_hypothesis(attempt)}\n"
            f"- code_change_summary: {attempt.code_change}\n"
            f"- status: {status}"
        )
    return "\n\n".join(sections) + "\n"


def _hypothesis(attempt: TrainAttempt) -> str:
    causes = {
        "time limit": "the training is longer than train_time_limit_minutes allows",
        "exit code -9": "the process was killed from outside, most often for want of memory",
        "MemoryError": "the machine ran out of memory",
        "FileNotFoundError": "a path in the script is not there",
        "left no": "the script does not write what the contract asks for",
        "must not write": "the script evaluates itself",
    }
    if attempt.error is None:
        return "none"
    if attempt.cause:
        return attempt.cause
    known = [cause for sign, cause in causes.items() if sign in attempt.error]
    if attempt.action is not None:
        known.append(f"the script does not bear {attempt.action}: without that change it was trained")
    return "; ".join(known) or "see the exception and its line"
