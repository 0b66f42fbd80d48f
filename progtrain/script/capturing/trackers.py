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
    uri, before = variables["MLFLOW_TRACKING_URI"], kept["MLFLOW_TRACKING_URI"]
    os.environ.update(variables)
    try:
        runs = _redirected("TrackingStoreRegistry", ("get_run", "get_logged_model"), uri, before)
        models = _redirected("ModelRegistryStoreRegistry", ("get_", "search_"), uri, before)
        with patched({_TRACKING: runs, _MODELS: models, "wandb": _disable_wandb}):
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


def _redirected(kind: str, reads: tuple[str, ...], uri: str, before: str | None) -> Callable[[Any, Replace], None]:
    """A patch by which a registry of MLflow's opens one store, whichever is asked for.

    Args:
        kind: of registry: the name of its class.
        reads: how those methods begin that read, and look into the store that was asked for too.
        uri: of the store that is opened.
        before: what the environment named, which is asked for where a script names none.
    """

    def patch(module: Any, replace: Replace) -> None:
        build = getattr(getattr(module, kind), _BUILD)

        def redirected(self: Any, resolved: str, other: str | None = None) -> Any:
            store, real = build(self, uri, uri), before if resolved == uri else resolved
            for name in dir(store) if real is not None else ():
                if name.startswith(reads):
                    own = getattr(type(store), name).__get__(store)
                    setattr(
                        store, name, _reading(own, name, lambda: build(self, real, real if other == uri else other))
                    )
            return store

        replace(getattr(module, kind), _BUILD, redirected)

    return patch


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
