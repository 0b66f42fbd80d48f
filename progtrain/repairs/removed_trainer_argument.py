"""Arguments of the Trainer that older Lightning took: each is written as this one takes it, or left out."""

from __future__ import annotations

import ast
import re
from typing import Final

from progtrain.errors import EditError
from progtrain.repairs.base import Failure, Repair
from progtrain.script.auditing.calls import calls_of, hides_arguments
from progtrain.script.reading.structure import Edit, ParsedScript, rebuild

_NAMED: Final = re.compile(r"Trainer\.__init__\(\) got an unexpected keyword argument '(\w+)'")
#: Name -> the name that takes the same value now.
_RENAMED: Final = {
    "max_nb_epochs": "max_epochs",
    "min_nb_epochs": "min_epochs",
    "checkpoint_callback": "enable_checkpointing",
    "num_processes": "devices",
    "distributed_backend": "strategy",
    "replace_sampler_ddp": "use_distributed_sampler",
    "val_percent_check": "limit_val_batches",
    "train_percent_check": "limit_train_batches",
    "test_percent_check": "limit_test_batches",
    "overfit_pct": "overfit_batches",
    "row_log_interval": "log_every_n_steps",
    "nb_sanity_val_steps": "num_sanity_val_steps",
    "default_save_path": "default_root_dir",
}
_LEFT_OUT: Final = (
    *("auto_lr_find", "auto_scale_batch_size", "auto_select_gpus", "flush_logs_every_n_steps", "amp_backend"),
    *("amp_level", "move_metrics_to_cpu", "track_grad_norm", "log_gpu_memory", "process_position"),
    *("prepare_data_per_node", "multiple_trainloader_mode", "weights_save_path", "log_save_interval"),
)
#: Name -> what says the same now, by whether the value given counts as true.
_SAID: Final = {
    "gpus": ('accelerator="auto"', ""),
    "tpu_cores": ('accelerator="auto"', ""),
    "progress_bar_refresh_rate": ("", "enable_progress_bar=False"),
    "show_progress_bar": ("", "enable_progress_bar=False"),
    "weights_summary": ("", "enable_model_summary=False"),
    "reload_dataloaders_every_epoch": ("reload_dataloaders_every_n_epochs=1", ""),
    "terminate_on_nan": ("detect_anomaly=True", ""),
    **dict.fromkeys(_LEFT_OUT, ("", "")),
}


class RemovedTrainerArgument(Repair):
    """Write what the Trainer of older Lightning took as this one takes it."""

    signs = _NAMED
    cause = "the script is written for an older Lightning, whose Trainer took other arguments"

    def apply(self, source: str, failure: Failure) -> tuple[str, str]:
        """See Repair."""
        script = ParsedScript(source)
        calls = calls_of(script, "Trainer")
        edits, told = [], []
        for call in calls:
            given = {keyword.arg for keyword in call.keywords}
            for keyword in call.keywords:
                if keyword.arg in _RENAMED or keyword.arg in _SAID:
                    said = _now(keyword, script)
                    said = "" if said.partition("=")[0] in given else said
                    given.add(said.partition("=")[0])
                    edits.append(_instead(script, call, keyword, said))
                    told.append(f"{keyword.arg} becomes {said}" if said else f"{keyword.arg} is left out")
        if not edits:
            hidden = " behind a star" if any(map(hides_arguments, calls)) else ""
            raise EditError(f"Expected that argument written out in a call of Trainer, found none{hidden}.")
        return rebuild(source, edits), "; ".join(told)


def _now(keyword: ast.keyword, script: ParsedScript) -> str:
    assert keyword.arg is not None
    if keyword.arg in _RENAMED:
        return f"{_RENAMED[keyword.arg]}={script.text(keyword.value)}"
    true, false = _SAID[keyword.arg]
    given = keyword.value.value if isinstance(keyword.value, ast.Constant) else True
    return true if given else false


def _instead(script: ParsedScript, call: ast.Call, keyword: ast.keyword, said: str) -> Edit:
    """The edit that puts `said` in the keyword's place; without a word the comma beside it goes too."""
    end = script.end(keyword.value)
    start = script.source.rfind(str(keyword.arg), 0, script.start(keyword.value))
    if said:
        return Edit(start, end, said)
    behind = re.match(r"\s*,[ \t]*(\r?\n[ \t]*(?=[\w)]))?", script.source[end:])
    if behind is not None:
        return Edit(start, end + behind.end(), "")
    before = re.search(r",\s*$", script.source[:start])
    return Edit(before.start() if before else start, end, "")
