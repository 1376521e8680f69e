"""``pixelqueue child``: the inside of a child process, for builds that have no Python of their own."""

from __future__ import annotations

import sys

import click

__all__ = ["COMMAND"]


@click.command("child", hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1)
def child(arguments: tuple[str, ...]) -> None:
    """Serve one task over standard input and output."""
    from appliance.jobs.child import main

    sys.exit(main(list(arguments)))


COMMAND = child
