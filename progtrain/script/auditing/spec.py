"""The audit's checks that a training leaves a spec.json and an hparams.yaml."""

from __future__ import annotations

import ast

from progtrain.records import Snapshot
from progtrain.script.auditing.calls import ARTIFACT_DIR, strings
from progtrain.script.auditing.command_line import why_no_site
from progtrain.script.auditing.issues import Checked, Issue, unmended
from progtrain.script.auditing.sites import MODEL_CLASS, TRAINER, Site
from progtrain.script.reading.structure import ParsedScript

_FUNCTION = """def write_spec(model_class):
    spec = {{
        "dataset_id": DATASET_ID,
        "version": VERSION,
        "model": model_class,
        "additional_assets": "{assets}",
    }}
    with open({folder}, "w", encoding="utf-8") as file:
        json.dump(spec, file, indent=2)"""
_LOGGED = 'log_hyperparams({"dataset_id": DATASET_ID, "version": VERSION})'


def check_spec(script: ParsedScript, sites: tuple[Site, ...]) -> Checked:
    """Models/Artifacts/{VERSION}/spec.json is written."""
    if any(text.endswith("spec.json") for text in strings(script)):
        return Checked()
    message = "expected a spec.json in Models/Artifacts/{VERSION}/, found nothing that writes it"
    if not sites:
        line, how = why_no_site(script)
        keys = 'with the keys dataset_id, version and "additional_assets": "not_required"'
        return unmended(message, f"{how}, or write that file after it, {keys}", line)
    assets = (
        "see additional_assets/" if any("additional_assets" in text for text in strings(script)) else "not_required"
    )
    function = _FUNCTION.format(assets=assets, folder=f'{ARTIFACT_DIR[:-1]}/spec.json"')
    issue = Issue(message, sites[0].line, f"write_spec(...) added and called after fit; additional_assets: {assets}")
    return Checked((issue,), (sites[0].define(function),), ("json",), after=(f"write_spec({MODEL_CLASS})",))


def check_hyperparameters(script: ParsedScript, snapshot: Snapshot, sites: tuple[Site, ...]) -> Checked:
    """logs/version_#/hparams.yaml is written: Lightning does so only where hyper-parameters are logged."""
    if any(_logs_hyperparameters(node) for node in ast.walk(script.tree)):
        return Checked()
    message = "expected logs/version_#/hparams.yaml, found no hyper-parameters that are logged"
    if not sites:
        line, how = why_no_site(script)
        return unmended(message, f"{how}, or call self.save_hyperparameters() in the model's __init__", line)
    lines = [f"{TRAINER}.logger.{_LOGGED}"]
    if len(snapshot.loggers) > 1 or any(not each.type.endswith("CSVLogger") for each in snapshot.loggers):
        lines = [f"for each_logger in {TRAINER}.loggers:", f"    each_logger.{_LOGGED}"]
    issue = Issue(message, sites[0].line, "log_hyperparams(...) called before fit")
    return Checked((issue,), before=tuple(lines))


def _logs_hyperparameters(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="save_hyperparameters"), keywords=keywords):
            silent = (each for each in keywords if each.arg == "logger" and isinstance(each.value, ast.Constant))
            return all(each.value.value for each in silent)  # type: ignore[attr-defined]
        case ast.Attribute(attr="log_hyperparams"):
            return True
    return False
