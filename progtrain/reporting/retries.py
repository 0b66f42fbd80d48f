"""train_retry_report.md: what was tried when a training failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TrainAttempt:
    """One run of a training script; `error` is None where it succeeded."""

    number: int
    error: str | None
    code_change: str


def render_retry_report(version: str, attempts: Sequence[TrainAttempt]) -> str:
    """The report with the five fields of the written rules, an attempt a section."""
    sections = [f"# Training attempts of {version}"]
    for attempt in attempts:
        status = "PASS" if attempt.error is None else "FAIL"
        sections.append(
            f"## attempt {attempt.number}\n\n"
            f"- attempt: {attempt.number}\n"
            f"- error_summary: {attempt.error or 'none'}\n"
            f"- root_cause_hypothesis: {_hypothesis(attempt.error)}\n"
            f"- code_change_summary: {attempt.code_change}\n"
            f"- status: {status}"
        )
    return "\n\n".join(sections) + "\n"


def _hypothesis(error: str | None) -> str:
    causes = {
        "time limit": "the training is longer than train_time_limit_minutes allows",
        "exit code -9": "the process was killed from outside, most often for want of memory",
        "MemoryError": "the machine ran out of memory",
        "FileNotFoundError": "a path in the script is not there",
        "left no": "the script does not write what the contract asks for",
        "must not write": "the script evaluates itself",
    }
    if error is None:
        return "none"
    return next((cause for sign, cause in causes.items() if sign in error), "see the exception and its line")
