"""What the loops in an MLflow store learned: counts of tries and improvements, read from the tags of their versions."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from progtrain.errors import ArgumentError, TrackingError
from progtrain.records import WITHOUT_EFFECT, Experience, Memory
from progtrain.tracking import tags
from progtrain.tracking.ledger import RECORD, Ledger, LoopTracking
from progtrain.tracking.store import keep_quiet_and_short, resolve_uri
from progtrain.workspace import Workspace, now

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

READ_SECONDS: Final = 60.0
"""How long a loop waits at its start for a store that is slow, or out of reach."""
_PAGE: Final = 1000
#: Late in a loop most changes are within noise, be they worth something elsewhere or not.
_SAYING_NOTHING: Final = ("within noise", WITHOUT_EFFECT)
_SQLITE: Final = "sqlite:///"


def recall(workspace: Workspace, task: str) -> Memory:
    """What a loop that begins can know of earlier ones; of its own versions nothing.

    Args:
        workspace: whose store is read.
        task: that its data set sets.

    Returns:
        A memory without entries, with a remark, where the store could not be read in time.

    Raises:
        TrackingError: MLFLOW_TRACKING_URI cannot be used.
    """
    uri = resolve_uri(workspace)
    if not _may_exist(uri):
        return Memory(store=uri, task=task, loops=0, entries=(), read_at=now())
    found: list[Memory] = []
    problems: list[str] = []
    own = Ledger(workspace).loop().loop

    def read() -> None:
        try:
            found.append(read_store(uri, task, own))
        except TrackingError as error:  # no reason not to train
            problems.append(str(error))

    reader = threading.Thread(target=read, name="progtrain-memory", daemon=True)
    reader.start()
    reader.join(READ_SECONDS)
    if found:
        return found[0]
    remark = problems[0] if problems else f"no answer within {READ_SECONDS:g} s"
    return Memory(store=uri, task=task, loops=0, entries=(), read_at=now(), remark=remark)


def read_store(uri: str, task: str = "", without_loop: str | None = None) -> Memory:
    """Count what is in a store.

    Args:
        uri: MLflow tracking URI.
        task: of the loop that asks.
        without_loop: the id of the loop that asks, whose versions do not count.

    Raises:
        ArgumentError: there is no such database.
        TrackingError: it is out of reach, or refuses.
    """
    if not _may_exist(uri):
        raise ArgumentError(f"Expected an MLflow store at {uri}, found no such file. `progtrain run` makes one.")
    keep_quiet_and_short()
    from mlflow import MlflowClient  # it takes 2 s, which a loop in a new workspace need not wait for

    try:
        return _count(MlflowClient(uri), uri, task, without_loop)
    except Exception as error:  # a database's driver raises what it likes
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise TrackingError(
            f"The MLflow store at {uri} cannot be read: {reason}. Name one that `progtrain run` wrote to."
        ) from error


def _count(client: MlflowClient, uri: str, task: str, without_loop: str | None) -> Memory:
    loops = [*_runs(client, "loop")]
    own = {run.info.run_id for run in loops if without_loop is not None and run.data.tags[tags.LOOP] == without_loop}
    tried: Counter[tuple[str, str, str]] = Counter()
    improved: Counter[tuple[str, str, str]] = Counter()
    counted = set()
    for run in _runs(client, "version"):
        said = run.data.tags
        known = [said.get(name) for name in (tags.ACTION, tags.FINDING, tags.TASK, tags.VERDICT)]
        loop = said.get(tags.PARENT_RUN)
        if loop in own or None in known:
            continue
        counted.add(loop)
        if said[tags.VERDICT] in _SAYING_NOTHING:
            continue
        key = said[tags.ACTION], said[tags.FINDING], said[tags.TASK]
        tried[key] += 1
        improved[key] += said[tags.VERDICT] == "improved"
    entries = (
        Experience(action=action, finding=finding, task=on, tried=count, improved=improved[action, finding, on])
        for (action, finding, on), count in sorted(tried.items())
    )
    return Memory(store=uri, task=task, loops=len(counted), entries=tuple(entries), read_at=now())


def store_of(workspace: Workspace) -> str:
    """The store that a workspace's loop wrote to last, else the one that it would write to."""
    record = workspace.read_record(LoopTracking, RECORD)
    return resolve_uri(workspace) if record is None or record.store is None else record.store


def _runs(client: MlflowClient, kind: str) -> Iterator[Run]:
    experiments = _experiments(client)
    token: str | None = None
    while experiments:
        wanted = f"tags.`{tags.KIND}` = '{kind}'"
        page = client.search_runs(experiments, wanted, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _experiments(client: MlflowClient) -> list[str]:
    found: list[str] = []
    token: str | None = None
    while True:
        page = client.search_experiments(max_results=_PAGE, page_token=token)
        found += [str(experiment.experiment_id) for experiment in page]
        token = page.token
        if not token:
            return found


def _may_exist(uri: str) -> bool:
    """A database in a file that is not there yet would be made by asking it."""
    return not uri.startswith(_SQLITE) or Path(uri.removeprefix(_SQLITE)).is_file()
