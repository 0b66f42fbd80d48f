"""The command line: one verb a step, no logic; heavy parts are imported only by the verb that needs them."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import Exit

from progtrain import __version__
from progtrain.errors import FAILED, ProgtrainError, shortened

if TYPE_CHECKING:
    from progtrain.inspection import Inspection

EXAMPLE = Path("workspaces/mnist1d")
WORKSPACE = click.argument("workspace", type=click.Path(path_type=Path), default=".")
VERSION = click.option("--version", "version", metavar="V###", help="Which version; the newest if not given.")
LONGEST_MESSAGE = 4000


class _Verbs(click.Group):
    """Ends every verb with one message and its exit status: docs/rules.md has the table."""

    def invoke(self, ctx: click.Context) -> Any:
        """Do what the command line asks for; what a user can mend is told without a traceback."""
        try:
            return super().invoke(ctx)
        except ProgtrainError as error:
            message, status = str(error), error.exit_status
        except BrokenPipeError:
            raise  # whoever read the output has seen enough
        except OSError as error:
            message = f"{error}. See that the place can be read and written and the disk is not full, and run again."
            status = FAILED
        except KeyboardInterrupt as end:
            by = signal.Signals(end.args[0] if end.args else signal.SIGINT)
            message, status = f"Ended by {by.name}. The same command goes on from what is done.", 128 + by
        click.echo(f"progtrain: {shortened(message, LONGEST_MESSAGE)}", err=True)
        raise Exit(status)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="progtrain")
def cli() -> None:
    """Train, measure, explain, change one thing: versions of a Lightning script, with a record to trust."""


def main() -> None:
    """Run the command line under one name, also as `python -m progtrain`."""
    cli(prog_name="progtrain")


@cli.command()
@click.argument("example")
@click.argument("folder", type=click.Path(path_type=Path))
def new(example: str, folder: Path) -> None:
    """Make a workspace in FOLDER from an EXAMPLE (mnist1d, …)."""
    from progtrain.examples import create

    create(example, folder)
    click.echo(f"{folder} is ready: progtrain run {folder}")


@cli.command()
@click.argument("workspace", type=click.Path(path_type=Path), default=EXAMPLE)
@click.option("--dataset-id", default="", help="Data set below dataset/prepdata/; outranks the rules.")
@click.option(
    "--max-versions",
    type=click.IntRange(0, 999),
    default=0,
    help="Stop earlier than the rules say; 0 leaves it to them.",
)
@click.option("--retrain", is_flag=True, help="Train the newest version anew.")
def run(workspace: Path, dataset_id: str, max_versions: int, retrain: bool) -> None:
    """Run the loop in WORKSPACE, or go on where it stopped."""
    from progtrain.loop import opened, run_loop

    if workspace == EXAMPLE and not workspace.exists():
        from progtrain.examples import create

        create("mnist1d", workspace)
    with opened(workspace, max_versions or None) as context:
        run_loop(context, dataset_id or None, retrain)


@cli.command()
@WORKSPACE
def status(workspace: Path) -> None:
    """Which versions there are, how they did, and what comes next."""
    from progtrain.status import describe
    from progtrain.workspace import Workspace

    click.echo(describe(Workspace(workspace)))


@cli.command()
@click.argument("script", type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def inspect(script: Path, as_json: bool) -> None:
    """What SCRIPT (of a workspace: its newest) is about to train, its knobs, and the actions that apply."""
    found = _inspected(script)
    click.echo(found.model_dump_json(indent=2) if as_json else found.describe())


def _inspected(path: Path) -> Inspection:
    from progtrain.inspection import inspect_script, newest_script
    from progtrain.workspace import Workspace

    script = path if path.is_file() else newest_script(Workspace(path))
    if sys.stderr.isatty():
        click.echo(f"running {script.name} up to Trainer.fit …", err=True)
    return inspect_script(script)


@cli.command()
@click.option("--workspace", "-w", type=click.Path(path_type=Path), help="Say of each whether it applies there now.")
def actions(workspace: Path | None) -> None:
    """The catalogue: every change that progtrain can make."""
    if workspace is not None:
        found = _inspected(workspace)
        click.echo(f"{found.script}\n\n{found.describe_actions()}")
        return
    from progtrain.actions import catalogue
    from progtrain.reporting.actions_page import render_actions_page

    click.echo(render_actions_page(catalogue().values()), nl=False)


@cli.command()
def repairs() -> None:
    """What is mended where a script fails."""
    from progtrain.repairs import repairs as known
    from progtrain.reporting.repairs_page import render_repairs_page

    click.echo(render_repairs_page(known()), nl=False)


@cli.command()
@click.argument("action")
@click.argument("script", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--set", "overrides", multiple=True, metavar="KEY=JSON", help="A parameter's value, instead of its own.")
@click.option("--diff", "only_diff", is_flag=True, help="Leave the script as it is.")
def apply(action: str, script: Path, overrides: tuple[str, ...], only_diff: bool) -> None:
    """Apply ACTION to SCRIPT in place, if the rules of its folder let it, and say what changed."""
    from progtrain.by_hand import apply_action

    click.echo(apply_action(action, script, overrides, write=not only_diff), nl=False)


def _by_hand(name: str) -> click.Command:
    @click.command(name, help=f"Do the step '{name}' for one version by hand.")
    @WORKSPACE
    @VERSION
    def command(workspace: Path, version: str | None) -> None:
        from progtrain.loop import opened, run_step

        with opened(workspace) as context:
            run_step(context, name, version)

    return command


for _name in ("train", "evaluate", "analyze", "choose", "author"):
    cli.add_command(_by_hand(_name))


@cli.command()
@WORKSPACE
def report(workspace: Path) -> None:
    """Rank all versions, write the final report, promote the best (Step 7)."""
    from progtrain.loop import opened, run_report

    with opened(workspace) as context:
        run_report(context)


@cli.command()
@click.argument("before", metavar="V1")
@click.argument("after", metavar="V2")
@click.option("--workspace", "-w", type=click.Path(path_type=Path), default=".", help="The workspace's folder.")
def diff(before: str, after: str, workspace: Path) -> None:
    """What differs between the scripts of two versions."""
    from progtrain.status import difference
    from progtrain.workspace import Workspace

    click.echo(difference(Workspace(workspace), before, after), nl=False)


@cli.command()
@click.argument("source", default=".")
def memory(source: str) -> None:
    """What earlier loops learned: SOURCE is a workspace, or the URI of an MLflow store."""
    from progtrain.memory import describe_memory

    click.echo(describe_memory(source))


@cli.command()
@WORKSPACE
@click.option(
    "--port", type=click.IntRange(1, 65535), default=5000, show_default=True, help="Where the MLflow UI listens."
)
def ui(workspace: Path, port: int) -> None:
    """Open the MLflow UI on this workspace's store."""
    from progtrain.tracking.ui import serve_ui
    from progtrain.workspace import Workspace

    serve_ui(Workspace(workspace), port)
