"""The command line, and the one table from errors to exit codes.

0    done
1    an error nobody foresaw; the log has the details
2    wrong usage or wrong input: an option, a file, a model, a picture
3    no such thing
4    it does not fit the present state
5    the data directory cannot be used: locked, too new, damaged
6    the machine cannot do it now: disk full, no runtime, address in use
7    not allowed
8    a child process failed
130  cancelled
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import click

from appliance import __version__, errors
from appliance.registry import discover

__all__ = ["EXIT_CODES", "main"]

EXIT_CODES: dict[type[BaseException], int] = {
    errors.InvalidInput: 2,
    errors.TooLarge: 2,
    errors.NotFound: 3,
    errors.Conflict: 4,
    errors.StoreError: 5,
    errors.Unavailable: 6,
    errors.TooManyRequests: 6,
    errors.Forbidden: 7,
    errors.NotSignedIn: 7,
    errors.ChildFailed: 8,
    errors.JobCancelled: 130,
    errors.PixelQueueError: 1,
}
"""The first class an error is one of decides."""


class _Group(click.Group):
    """Finds its commands in `appliance.commands`, and imports them only when they are asked for."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return [name for name, command in self._all().items() if not command.hidden]

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._all().get(cmd_name)

    def _all(self) -> dict[str, click.Command]:
        return discover("appliance.commands", "COMMAND")


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="pixelqueue")
@click.option("-v", "--verbose", is_flag=True, help="Log more, on standard error.")
def cli(verbose: bool) -> None:
    """PixelQueue labels images on one box without internet.

    \b
    pixelqueue demo                                       look around, with pictures of its own
    pixelqueue serve --data DIR                           the appliance, for a team
    pixelqueue label FOLDER --model M.onnx --output DIR   prelabel a folder, no server

    Exit codes: 0 done, 1 unforeseen, 2 wrong input, 3 not found, 4 conflict, 5 data directory
    unusable, 6 machine cannot now, 7 not allowed, 8 child process failed, 130 cancelled.
    """
    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def main(arguments: list[str] | None = None) -> Any:
    """Run a command line and exit with the table's code."""
    try:
        cli.main(arguments, prog_name="pixelqueue", standalone_mode=False)
    except click.exceptions.Exit as exit_:
        sys.exit(exit_.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("cancelled", err=True)
        sys.exit(130)
    except errors.PixelQueueError as error:
        click.echo(f"pixelqueue: {error.message}", err=True)
        sys.exit(exit_code(error))
    except BrokenPipeError:
        sys.exit(1)


def exit_code(error: BaseException) -> int:
    """Return the table's code for an error."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)


if __name__ == "__main__":
    main()
