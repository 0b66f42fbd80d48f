"""The audit's checks that a training leaves a spec.json and an hparams.yaml."""

from __future__ import annotations

import ast

from progtrain.records import Snapshot
from progtrain.script.auditing.calls import ARTIFACT_DIR, calls_of, strings, unmended
from progtrain.script.auditing.issues import Checked, Issue
from progtrain.script.reading.structure import Edit, ParsedScript, argument

_FUNCTION = """def write_spec(model_class):
    spec = {{
        "dataset_id": DATASET_ID,
        "version": VERSION,
        "model": model_class,
        "additional_assets": "{assets}",
    }}
    with open({folder}, "w", encoding="utf-8") as file:
        json.dump(spec, file, indent=2)


"""


def check_spec(script: ParsedScript) -> Checked:
    """Models/Artifacts/{VERSION}/spec.json is written."""
    if any(text.endswith("spec.json") for text in strings(script)):
        return Checked()
    message = "expected a spec.json in Models/Artifacts/{VERSION}/, found nothing that writes it"
    fits = _fits(script)
    model = _model(fits[0].value) if len(fits) == 1 else None
    if model is None:
        return unmended(message, "there is no one statement trainer.fit(model, ...) to write it after")
    assets = (
        "see additional_assets/" if any("additional_assets" in text for text in strings(script)) else "not_required"
    )
    function = _FUNCTION.format(assets=assets, folder=f'{ARTIFACT_DIR[:-1]}/spec.json"')
    begin = _before_top_level_statement(script, fits[0])
    called = script.new_line_after(fits[0], f"write_spec(type({script.text(model)}).__name__)")
    issue = Issue(message, fits[0].lineno, f"write_spec(...) added and called after fit; additional_assets: {assets}")
    return Checked((issue,), (Edit(begin, begin, function), called), ("json",))


def check_hyperparameters(script: ParsedScript, snapshot: Snapshot) -> Checked:
    """logs/version_#/hparams.yaml is written: Lightning does so only where hyper-parameters are logged."""
    told = ("save_hyperparameters", "log_hyperparams")
    if any(isinstance(node, ast.Attribute) and node.attr in told for node in ast.walk(script.tree)):
        return Checked()
    message = "expected logs/version_#/hparams.yaml, found no hyper-parameters that are logged"
    fits = _fits(script)
    trainer = fits[0].value.func.value if len(fits) == 1 else None  # type: ignore[attr-defined]
    if not isinstance(trainer, ast.Name | ast.Attribute) or not script.begins_line(fits[0]):
        return unmended(message, "there is no one statement trainer.fit(model, ...) to log them before")
    owner, start = script.text(trainer), script.start(fits[0])
    indentation = script.indentation(start)
    logged = 'log_hyperparams({"dataset_id": DATASET_ID, "version": VERSION})'
    lines = [f"{owner}.logger.{logged}"]
    if len(snapshot.loggers) > 1 or not any(each.type.endswith("CSVLogger") for each in snapshot.loggers):
        lines = [f"for each_logger in {owner}.loggers:", f"    each_logger.{logged}"]
    added = "".join(f"{line}\n{indentation}" for line in lines)
    issue = Issue(message, fits[0].lineno, "log_hyperparams(...) called before fit")
    return Checked((issue,), (Edit(start, start, added),))


def _fits(script: ParsedScript) -> list[ast.Expr]:
    """The statements that train."""
    return [node for node in ast.walk(script.tree) if isinstance(node, ast.Expr) and _is_fit(script, node.value)]


def _is_fit(script: ParsedScript, node: ast.expr) -> bool:
    """`trainer.fit(...)`, and not the fit of a scaler."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "fit"):
        return False
    owner = node.func.value
    trainers = calls_of(script, "Trainer")
    assigned = [parent for call in trainers if isinstance(parent := script.parent(call), ast.Assign)]
    names = {script.text(target) for statement in assigned for target in statement.targets}
    return owner in trainers or script.text(owner) in names or script.text(owner).endswith("trainer")


def _model(fit: ast.expr) -> ast.expr | None:
    given = argument(fit, 0, "model") if isinstance(fit, ast.Call) else None
    return given if isinstance(given, ast.Name | ast.Attribute) else None


def _before_top_level_statement(script: ParsedScript, inner: ast.stmt) -> int:
    """Where the line of the top-level statement around `inner` begins, its decorators and comments included."""
    outer = next(each for each in script.tree.body if each.lineno <= inner.lineno <= (each.end_lineno or each.lineno))
    decorators = outer.decorator_list if isinstance(outer, ast.FunctionDef | ast.ClassDef) else []
    lines = script.source.splitlines(keepends=True)
    first = min([outer.lineno, *(each.lineno for each in decorators)]) - 1
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    return len("".join(lines[:first]))
