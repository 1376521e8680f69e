"""``pixelqueue token``: API tokens, from the machine's own console."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.commands import _common

__all__ = ["COMMAND"]


@click.group("token")
def token() -> None:
    """Make, list and revoke the API tokens of an account."""


@token.command()
@click.argument("email")
@click.option("--name", required=True, help="What it is for.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(["read", "write", "admin"]), default=("read",))
@_common.data_option
@_common.json_option
def add(email: str, name: str, scopes: tuple[str, ...], data: Path | None, json_: bool) -> None:
    """Make a token and print its secret, once."""
    from appliance.store import tokens

    with _common.opened(_common.settings_for(data)) as store:
        user = _common.user_of(store, email)
        made, secret = store.write(
            lambda tx: tokens.create(tx, user.id, name=name, scopes=list(scopes))  # type: ignore[arg-type]
        )
    if json_:
        _common.as_json({"token": made, "secret": secret})
        return
    _common.say(f"Token {made.id} of {email}. Keep the secret, it is not shown again:")
    click.echo(secret)


@token.command("list")
@click.argument("email")
@_common.data_option
@_common.json_option
def list_(email: str, data: Path | None, json_: bool) -> None:
    """List an account's tokens, without their secrets."""
    from appliance.store import tokens

    with _common.opened(_common.settings_for(data)) as store:
        user = _common.user_of(store, email)
        found = store.read(lambda reading: tokens.of_user(reading, user.id))
    for one in found:
        _common.as_json(one) if json_ else click.echo(f"{one.id:>4}  {one.name:<32} {' '.join(one.scopes)}")


@token.command()
@click.argument("email")
@click.argument("token_id", type=int)
@_common.data_option
def revoke(email: str, token_id: int, data: Path | None) -> None:
    """Revoke a token; it stops working at once."""
    from appliance.store import tokens

    with _common.opened(_common.settings_for(data)) as store:
        user = _common.user_of(store, email)
        store.write(lambda tx: tokens.revoke(tx, user.id, token_id))


COMMAND = token
