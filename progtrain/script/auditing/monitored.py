"""What a script logs that the best checkpoint can be chosen by, and in which direction."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from progtrain.records import Snapshot
from progtrain.script.auditing.calls import strings
from progtrain.script.auditing.issues import Checked, Issue
from progtrain.script.reading.structure import ParsedScript

_VALID_LOSSES: Final = (
    re.compile(r"(val|valid|validation)[_/.-](\w+[_/.-])?loss|loss[_/.-](val|valid|validation)"),
    re.compile(r"(val|valid|validation)[_/.-](nll|mse|bce|ce)|(nll|mse|bce|ce)[_/.-](val|valid|validation)"),
)
_SPLITS: Final = ("val", "valid", "validation")
_BEST: Final = {
    "max": re.compile(r"acc|accuracy|f1|auroc|auc|precision|recall|iou|miou|dice|psnr|ssim|r2|map|kappa|mcc|top[15]"),
    "min": re.compile(r"loss|error|mae|mse|rmse|nll|perplexity|ppl|wer|cer"),
}
"""Direction of what is better -> words of the names of figures that have it."""


def check_directions(snapshot: Snapshot) -> Checked:
    """A checkpoint that keeps the lowest accuracy, as ModelCheckpoint does by default, or the highest loss, is told."""
    issues = []
    for checkpoint in snapshot.checkpoints:
        words = re.findall(r"[a-z]+\d?", (checkpoint.monitor or "").lower())
        better = {mode for mode, known in _BEST.items() if any(map(known.fullmatch, words))}
        if better and checkpoint.mode not in better:
            kept = {"min": "lowest", "max": "highest"}[checkpoint.mode]
            keeper = f"the ModelCheckpoint of {checkpoint.filename}" if checkpoint.filename else "a ModelCheckpoint"
            message = (
                f"{keeper} keeps the {kept} {checkpoint.monitor}; write mode={better.pop()!r} if the other is better"
            )
            remedy = "not patched: which end is the better one is the script's to say"
            issues.append(Issue(message, None, remedy, patched=False))
    return Checked(tuple(issues))


def valid_loss(script: ParsedScript) -> str | None:
    """The validation loss by the name it is logged under: written out, or as `f"{stage}_loss"` with its stages."""
    names = [*strings(script), *_composed(script)]
    return next((text for form in _VALID_LOSSES for text in names if form.fullmatch(text.lower())), None)


def _composed(script: ParsedScript) -> Iterator[str]:
    splits = [text for text in strings(script) if text in _SPLITS]
    for node in ast.walk(script.tree):
        if not (isinstance(node, ast.JoinedStr) and isinstance(script.parent(node), ast.Call)):
            continue
        for split in splits:
            parts = (part.value if isinstance(part, ast.Constant) else split for part in node.values)
            yield "".join(str(part) for part in parts)
