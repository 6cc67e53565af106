"""The command `paragone`: finds its commands by entry point, opens the runtime, and turns errors into one clear line."""

from __future__ import annotations

import logging
import os
import sys
from importlib.metadata import entry_points

import click
from rich.console import Console
from rich.logging import RichHandler

from db.engine import DBAPIError, outage_log
from db.errors import ParagoneError
from db.logs import LINE_FORMAT, LogFormat, json_writer, log_json_lines, tell_error, wanted_format
from db.runtime import Runtime
from producer.environment import read_settings
from producer.errors import WrongUse
from workers.backends.errors import BackendError

FAILED, WRONG_USE = 1, 2
#: As a shell tells Ctrl-C.
INTERRUPTED = 130
#: Packages that only the `train` extra installs.
TRAIN_PACKAGES = ("accelerate", "diffusers", "jinja2", "numpy", "safetensors", "sklearn", "tensorboard", "torch", "transformers")

#: The order of `paragone --help`, that of a campaign's life; further commands follow by name.
COMMAND_ORDER = (
    *("demo", "init", "samples", "ingest", "import-results", "enqueue", "work", "status", "failures", "prompts", "requeue"),
    *("pause", "resume", "cancel", "drain", "flower", "metrics", "score", "export", "train", "evaluate", "compare", "similar", "report"),
)


class EntryPointGroup(click.Group):
    """Commands registered under `paragone.commands`, loaded when they are named; importing them loads no torch."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names in the order of `paragone --help`."""
        names = sorted({point.name for point in entry_points(group="paragone.commands")})
        return [name for name in COMMAND_ORDER if name in names] + [name for name in names if name not in COMMAND_ORDER]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """Load one command."""
        for point in entry_points(group="paragone.commands", name=cmd_name):
            command: click.Command = point.load()
            return command
        return None


@click.group(cls=EntryPointGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show tracebacks and debug logs.")
@click.version_option(package_name="paragone")
@click.pass_context
def paragone(context: click.Context, *, debug: bool) -> None:
    """Build image-similarity datasets and models from art collections."""
    _log(debug=debug)
    if context.invoked_subcommand == "doctor":  # reads the settings itself: that they cannot be used is one of its findings
        return
    context.obj = Runtime(read_settings())
    context.call_on_close(context.obj.close)


def main() -> None:
    """Entry point of the console script; exits 0 done, 1 failed, 2 wrong use."""
    debug = "--debug" in sys.argv
    if wanted_format() is LogFormat.JSON:
        log_json_lines("DEBUG" if debug else "WARNING")
    # At import, transformers would list the optional packages it runs without.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    try:
        code = paragone.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except (click.exceptions.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _close_output()
        sys.exit(FAILED)
    except click.ClickException as error:
        error.show() if json_writer() is None else tell_error(error.format_message())
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        if debug or (error.name or "").split(".")[0] not in TRAIN_PACKAGES:
            raise
        tell_error(f"this command needs {error.name}: pip install 'paragone[train]'")
        sys.exit(FAILED)
    except (ParagoneError, BackendError, DBAPIError) as error:
        if debug:
            raise
        tell_error(_line(error))
        sys.exit(WRONG_USE if isinstance(error, WrongUse) else FAILED)


def _line(error: Exception) -> str:
    if isinstance(error, DBAPIError):
        cause = " ".join(str(error.orig).split())
        return f"the database refused it ({cause}): --debug shows where"
    return " ".join(str(error).split())


def _log(*, debug: bool) -> None:
    level = "DEBUG" if debug else "WARNING"
    console = Console(stderr=True)
    if json_writer() is None and console.is_terminal:
        handler = RichHandler(show_path=debug, console=console, rich_tracebacks=False)
        logging.basicConfig(level=level, format="%(message)s", handlers=[handler])
    elif json_writer() is None:
        logging.basicConfig(level=level, format=LINE_FORMAT)  # in a file one record is one line, not folded as for a screen
    outage_log.keep_quiet()  # the command's own last line says it


def _close_output() -> None:
    """Whoever read it is gone, which is no error to talk about; what is still buffered would be one when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
