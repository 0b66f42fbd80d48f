"""The audit's check that a training leaves a spec.json."""

from __future__ import annotations

import ast

from progtrain.script.audit_calls import ARTIFACT_DIR, calls_of, strings, unmended
from progtrain.script.audit_types import Checked, Issue
from progtrain.script.structure import Edit, ParsedScript, argument

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
    fits = [node for node in ast.walk(script.tree) if isinstance(node, ast.Expr) and _is_fit(script, node.value)]
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
