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
        batch_size: the smoke test's optimal batch size; None where there is no such test.
        rules: the user's.
    """

    dataset_id: str
    batch_size: int | None
    rules: Rules


@dataclass(frozen=True)
class Issue:
    """One place where the script does not follow the contract.

    Args:
        message: what was expected and what was found.
        line: of the script before the patch, from 1; None where it concerns no single line.
        remedy: what the patch did about it, or why nothing was done.
        patched: whether it is mended.
    """

    message: str
    line: int | None
    remedy: str
    patched: bool = True


@dataclass(frozen=True)
class Checked:
    """What one check found, the edits that mend it, and the modules and dotted names that they need imported."""

    issues: tuple[Issue, ...] = ()
    edits: tuple[Edit, ...] = ()
    imports: tuple[str, ...] = ()
