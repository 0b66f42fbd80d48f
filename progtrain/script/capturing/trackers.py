"""A script's own trackers (MLflow, Weights & Biases, …): where it does not train, they write nothing that stays."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from progtrain.script.capturing.interception import Replace, patched

_FOLDER: Final = ".trackers"
_TRACKING: Final = "mlflow.tracking._tracking_service.registry"
_MODELS: Final = "mlflow.tracking._model_registry.registry"
_BUILD: Final = "_get_store_with_resolved_uri"
#: Where MLflow keeps, beside its store, what a script has set.
_VARIABLES: Final = ("MLFLOW_REGISTRY_URI", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID")
_GLOBALS: Final = (
    ("mlflow.tracking._tracking_service.utils", "_tracking_uri"),
    ("mlflow.tracking._model_registry.utils", "_registry_uri"),
    ("mlflow.tracking.fluent", "_active_experiment_id"),
)


def throw_away(folder: Path) -> dict[str, str]:
    """Variables under which trackers write into a folder, or not at all, unless the script names another place.

    Args:
        folder: that is going to be removed.
    """
    return {
        "MLFLOW_TRACKING_URI": (folder.resolve() / _FOLDER).as_uri(),
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "WANDB_MODE": "disabled",
        "NEPTUNE_MODE": "debug",
        "CLEARML_OFFLINE_MODE": "1",
    }


@contextmanager
def trackers_apart(folder: Path) -> Iterator[None]:
    """Have trackers write into a folder, or not at all, whatever place the script names; what it opened is closed.

    Models and runs that a script reads are still read where they are.

    Args:
        folder: that is going to be removed.
    """
    variables = throw_away(folder)
    kept = {name: os.environ.get(name) for name in (*variables, *_VARIABLES)}
    held = {(module, name): getattr(sys.modules.get(module), name, None) for module, name in _GLOBALS}
    uri = variables["MLFLOW_TRACKING_URI"]
    os.environ.update(variables)
    try:
        with patched({_TRACKING: _tracking_to(uri), _MODELS: _models_to(uri), "wandb": _disable_wandb}):
            try:
                yield
            finally:
                _end_runs()
    finally:
        for variable, value in kept.items():
            os.environ.pop(variable, None)
            if value is not None:
                os.environ[variable] = value
        for (module, name), value in held.items():
            if module in sys.modules:
                setattr(sys.modules[module], name, value)


def _tracking_to(uri: str) -> Callable[[Any, Replace], None]:
    def patch(module: Any, replace: Replace) -> None:
        registry = module.TrackingStoreRegistry
        build = getattr(registry, _BUILD)

        def redirected(self: Any, resolved: str, artifacts: str | None = None) -> Any:
            store = build(self, uri, None)
            _read_also_from(store, ("get_run", "get_logged_model"), lambda: build(self, resolved, artifacts))
            return store

        replace(registry, _BUILD, redirected)

    return patch


def _models_to(uri: str) -> Callable[[Any, Replace], None]:
    def patch(module: Any, replace: Replace) -> None:
        registry = module.ModelRegistryStoreRegistry
        build = getattr(registry, _BUILD)

        def redirected(self: Any, resolved: str, tracking: str) -> Any:
            store = build(self, uri, uri)
            reads = [name for name in dir(store) if name.startswith(("get_", "search_"))]
            _read_also_from(store, reads, lambda: build(self, resolved, tracking))
            return store

        replace(registry, _BUILD, redirected)

    return patch


def _read_also_from(store: Any, names: Any, real: Callable[[], Any]) -> None:
    """What a store does not have is looked for in the real one."""
    for name in names:
        setattr(store, name, _reading(getattr(type(store), name).__get__(store), name, real))


def _reading(own: Callable[..., Any], name: str, real: Callable[[], Any]) -> Callable[..., Any]:
    def read(*args: Any, **kwargs: Any) -> Any:
        try:
            found = own(*args, **kwargs)
        except Exception:  # noqa: BLE001 - whatever it is, the real store's word is the one that the script would get
            found = None
        return found or getattr(real(), name)(*args, **kwargs)

    return read


def _disable_wandb(module: Any, replace: Replace) -> None:
    begin = module.init
    replace(module, "init", lambda *args, **kwargs: begin(*args, **{**kwargs, "mode": "disabled"}))


def _end_runs() -> None:
    mlflow = sys.modules.get("mlflow.tracking.fluent")
    while mlflow is not None and mlflow.active_run() is not None:
        mlflow.end_run()
