"""``pixelqueue user``: accounts, from the machine's own console."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.commands import _common
from appliance.errors import StoreLocked
from appliance.records import User
from appliance.settings import Settings

__all__ = ["COMMAND"]

_password = click.option(
    "--password", prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for if left out."
)


@click.group("user")
def user() -> None:
    """Add, list and change accounts of a data directory; all but `reset` need it not to be served."""


@user.command()
@click.argument("email")
@click.option("--name", default=None, help="Shown to others. [default: the part before @]")
@click.option("--role", type=click.Choice(["admin", "operator", "member"]), default="member", show_default=True)
@_password
@_common.data_option
@_common.json_option
def add(email: str, name: str | None, role: str, password: str, data: Path | None, json_: bool) -> None:
    """Add an account."""
    from appliance.store import users

    settings = _common.settings_for(data)
    with _common.opened(settings, create=True) as store:
        hashed = _hashed(settings, password, email)
        name = name or email.partition("@")[0]
        made = store.write(
            lambda tx: users.create(tx, email=email, name=name, role=role, password_hash=hashed)  # type: ignore[arg-type]
        )
    _tell(made, json_)


@user.command("list")
@_common.data_option
@_common.json_option
def list_(data: Path | None, json_: bool) -> None:
    """List the accounts."""
    from appliance.store import users

    with _common.opened(_common.settings_for(data)) as store:
        after: int | None = 0
        while after is not None:
            page = store.read(lambda reading, after=after: users.listed(reading, after=after))
            for one in page.items:
                _tell(one, json_)
            after = page.next


@user.command()
@click.argument("email")
@_password
@_common.data_option
@_common.json_option
def password(email: str, password: str, data: Path | None, json_: bool) -> None:
    """Set a forgotten password; all sessions of the account end."""
    from appliance.store import users

    settings = _common.settings_for(data)
    with _common.opened(settings) as store:
        found = _common.user_of(store, email)
        hashed = _hashed(settings, password, email)
        changed = store.write(lambda tx: users.change(tx, found.id, password_hash=hashed))
    _tell(changed, json_)


@user.command()
@click.argument("email")
@_common.data_option
@_common.json_option
def reset(email: str, data: Path | None, json_: bool) -> None:
    """Make a one-time code with which a forgotten password is set in the browser, within an hour.

    The box may be served meanwhile: then it is asked to make the code.
    """
    from appliance.web import console

    settings, wanted = _common.settings_for(data), console.NewReset(email)
    try:
        with _common.opened(settings) as store:
            made = console.issue(store, wanted)
    except StoreLocked:
        made = console.ask(Path(settings.data), wanted)
    if json_:
        _common.as_json(made)
        return
    _common.say(f"Open /reset of the box in a browser, and enter {made.email} with this code:")
    click.echo(made.code)


def _switch(verb: str, disabled: bool, words: str) -> None:
    @user.command(verb, help=words)
    @click.argument("email")
    @_common.data_option
    @_common.json_option
    def command(email: str, data: Path | None, json_: bool) -> None:
        from appliance.store import users

        with _common.opened(_common.settings_for(data)) as store:
            found = _common.user_of(store, email)
            _tell(store.write(lambda tx: users.change(tx, found.id, disabled=disabled)), json_)


_switch("disable", True, "Shut an account out; its work stays.")
_switch("enable", False, "Let an account in again.")


def _hashed(settings: Settings, password: str, email: str) -> str:
    from appliance.store import passwords

    passwords.check(password, email=email)
    return _common.password_hash(settings, password)


def _tell(one: User, json_: bool) -> None:
    if json_:
        _common.as_json(one)
    else:
        click.echo(f"{one.id:>4}  {one.email:<32} {one.role:<10}{'disabled' if one.disabled else ''}".rstrip())


COMMAND = user
