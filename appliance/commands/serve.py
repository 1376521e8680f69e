"""``pixelqueue serve``: the appliance itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

import click

from appliance.commands import _common
from appliance.settings import HELP, Settings, load

if TYPE_CHECKING:
    from appliance.web.server import Server

__all__ = ["COMMAND"]

_DEFAULTS = Settings()


def _setting_options(command: click.Command) -> click.Command:
    """Give the command one option for each setting, with the setting's own help and default."""
    kinds = get_type_hints(Settings)
    for name in reversed(HELP):
        default = getattr(_DEFAULTS, name)
        option = f"--{name.replace('_', '-')}"
        shown = ", ".join(default) if isinstance(default, list) else str(default)
        help_ = f"{HELP[name]} [default: {shown or 'none'}]"
        if kinds[name] is bool:
            command.params.insert(0, click.Option([option], is_flag=True, default=None, help=help_))
        elif isinstance(default, list):
            command.params.insert(0, click.Option([option], multiple=True, default=None, help=help_))
        else:
            kind = click.Choice(get_args(kinds[name])) if get_origin(kinds[name]) is Literal else kinds[name]
            command.params.insert(0, click.Option([option], type=kind, default=None, help=help_))
    return command


@click.command("serve")
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML file of settings.")
@_common.json_option
def serve(config: Path | None, json_: bool, **flags: Any) -> None:
    """Serve the appliance until it is stopped.

    On loopback it speaks plain HTTP, anywhere else TLS with a certificate of its own. The first
    start prints a code with which the first administrator claims the box. Settings come from
    flags, then from PIXELQUEUE_ variables, then from the TOML file.
    """
    from appliance.app import build
    from appliance.web import logs

    settings = load({k: list(v) if isinstance(v, tuple) else v for k, v in flags.items() if v != ()}, config)
    logs.configure(settings.log_level)
    with build(settings) as appliance:
        appliance.serve(lambda server, code: announce(server, code, json_))


def announce(server: Server, code: str | None, json_: bool) -> None:
    """Tell the console where the box listens and, while nobody has claimed it, the code."""
    if json_:
        _common.as_json({"url": server.url, "claim_code": code})
        return
    click.echo(f"PixelQueue is at {server.url}")
    if code is not None:
        click.echo(f"Nobody has claimed this box yet. Open it in a browser and enter this code: {code}")
    if server.tls:
        click.echo("Its certificate is its own: the browser warns until the device trusts it. How to: /trust")
    if server.trust_url:
        click.echo(f"The same without TLS: {server.trust_url}")


COMMAND = _setting_options(serve)
