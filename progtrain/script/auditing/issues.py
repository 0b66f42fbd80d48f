"""What the audit of a baseline is told, and what each of its checks hands back."""

from __future__ import annotations

from dataclasses import dataclass

from progtrain.rules import Rules
from progtrain.script.reading.structure import Edit


@dataclass(frozen=True)
class AuditFacts:
    """What the audit knows beside the script and its Snapshot.

    Args:
        dataset_id: the data set that the loop is locked to.
        folder: the one below Models/Artifacts that the captured script is to write to.
        batch_size: the smoke test's optimal batch size; None where there is no such test.
        rules: the user's.
        configurations: names of the workspace's YAML files that LightningCLI may be given.
    """

    dataset_id: str
    folder: str
    batch_size: int | None
    rules: Rules
    configurations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Issue:
    """One place where the script does not follow the contract.

    Args:
        message: what was expected and what was found.
        line: of the script before the patch, from 1; None where it concerns no single line.
        remedy: what the patch did about it, or why nothing was done and what to write.
        patched: whether it is mended.
        needed: whether a training is thrown away without it.
    """

    message: str
    line: int | None
    remedy: str
    patched: bool = True
    needed: bool = False


@dataclass(frozen=True)
class Checked:
    """What one check found, and what mends it.

    Args:
        issues: what was found.
        edits: of the script.
        imports: modules and dotted names that the edits need.
        before: lines to be run before the training; `sites.TRAINER` stands for the Trainer.
        after: lines to be run after it.
    """

    issues: tuple[Issue, ...] = ()
    edits: tuple[Edit, ...] = ()
    imports: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def unmended(message: str, remedy: str, line: int | None = None) -> Checked:
    """Something that a training must leave, that nothing in the script leaves, and that the patch cannot add.

    Args:
        message: what was expected and what was found.
        remedy: what to write, and where.
        line: of the script.
    """
    return Checked((Issue(message, line, f"not patched: {remedy}", patched=False, needed=True),))
