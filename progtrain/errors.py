"""Every error a user can meet; each message says what was expected, what was found, and what to do next."""

from __future__ import annotations

from typing import ClassVar, Final

FAILED: Final = 1
"""Exit status: something was tried and failed."""
WRITTEN_WRONGLY: Final = 2
"""Exit status: what the user wrote or named cannot be meant; nothing was tried."""
LONGEST_QUOTE: Final = 500
"""Characters of a script's own text that enter a message, a record, a tag or a page."""


class ProgtrainError(Exception):
    """Base class: the command line prints its message alone, without a traceback, and ends with `exit_status`."""

    exit_status: ClassVar[int] = FAILED


class ArgumentError(ProgtrainError):
    """The command line, or the environment, names something that there is not."""

    exit_status = WRITTEN_WRONGLY


class RulesError(ProgtrainError):
    """`user_defined_rules.json` cannot be read or says something that has no meaning here."""

    exit_status = WRITTEN_WRONGLY


class WorkspaceError(ProgtrainError):
    """The workspace lacks something the loop needs, or a path would leave it."""

    exit_status = WRITTEN_WRONGLY


class WorkspaceBusyError(ProgtrainError):
    """Another loop holds the workspace's lock."""


class ScriptError(ProgtrainError):
    """A training script cannot be read, or does not do what the contract asks of it."""

    exit_status = WRITTEN_WRONGLY


class EditError(ProgtrainError):
    """A codemod cannot be applied to this source, or would change nothing."""


class CaptureError(ProgtrainError):
    """A script ended, failed or ran out of time before it called `Trainer.fit`."""


class TrainingFailedError(ProgtrainError):
    """A version could not be trained.

    Args:
        message: for the person.
        failures: why each attempt failed.
    """

    def __init__(self, message: str, failures: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.failures = failures


class EvaluationError(ProgtrainError):
    """A version cannot be measured."""


class UnknownNameError(EvaluationError):
    """The rules name a metric, or stats.json a task, that there is none of."""

    exit_status = WRITTEN_WRONGLY


class ProtocolChangedError(EvaluationError):
    """Something the measuring depends on is no longer what was locked."""


class ReportError(ProgtrainError):
    """The final report cannot be made."""


class TrackingError(ProgtrainError):
    """MLflow refused something, or cannot be reached."""


def shortened(text: str, longest: int = LONGEST_QUOTE) -> str:
    """A text of a script's own as it may be quoted: its beginning and its end where it is long.

    Args:
        text: of any length.
        longest: characters that are kept.
    """
    if len(text) <= longest:
        return text
    tail = longest // 4
    return f"{text[: longest - tail]} … [{len(text) - longest:,} characters cut] … {text[-tail:]}"
