"""Every error a user can meet; each message says what was expected, what was found, and what to do next."""


class ProgtrainError(Exception):
    """Base class: the command line prints its message alone, without a traceback, and exits 1."""


class RulesError(ProgtrainError):
    """`user_defined_rules.json` cannot be read or says something that has no meaning here."""


class WorkspaceError(ProgtrainError):
    """The workspace lacks something the loop needs, or a path would leave it."""


class WorkspaceBusyError(ProgtrainError):
    """Another loop holds the workspace's lock."""


class ScriptError(ProgtrainError):
    """A training script cannot be read, or does not do what the contract asks of it."""


class EditError(ProgtrainError):
    """A codemod cannot be applied to this source, or would change nothing."""


class CaptureError(ProgtrainError):
    """A script ended, failed or ran out of time before it called `Trainer.fit`."""


class TrainingFailedError(ProgtrainError):
    """A version could not be trained within the allowed attempts."""


class EvaluationError(ProgtrainError):
    """A version cannot be measured."""


class ProtocolChangedError(EvaluationError):
    """Something the measuring depends on is no longer what was locked."""


class ReportError(ProgtrainError):
    """The final report cannot be made."""


class TrackingError(ProgtrainError):
    """MLflow refused something, or cannot be reached."""
