"""What every step is handed: the workspace, the user's rules, and the roles that act on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from progtrain.advisors import Advisor
from progtrain.errors import WorkspaceError
from progtrain.executors import Executor
from progtrain.rules import Rules
from progtrain.step_records import LoopRecord
from progtrain.tracking import Tracker
from progtrain.workspace import Workspace


@dataclass(frozen=True)
class Context:
    """The parts that a loop is made of.

    Args:
        say: prints one line for the person at the terminal.
        progress: shows a line that the next one replaces; an empty line ends it.
    """

    workspace: Workspace
    rules: Rules
    executor: Executor
    tracker: Tracker
    advisor: Advisor
    say: Callable[[str], None]
    progress: Callable[[str], None]

    @property
    def loop(self) -> LoopRecord:
        """What Step 0 fixed.

        Raises:
            WorkspaceError: Step 0 has not been done.
        """
        record = self.workspace.read_record(LoopRecord, "loop")
        if record is None:
            raise WorkspaceError(f"{self.workspace.root} is not initialized. `progtrain run` begins with Step 0.")
        return record
