"""The machine's own console: what a command asks of the box while it is being served.

It speaks over a Unix socket in the data directory. Nobody but the owner of that directory, or root,
is heard: the socket's mode says so, and the kernel is asked who has connected. One line of JSON asks,
one answers.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from pathlib import Path
from typing import Any

import msgspec

from appliance.errors import NotFound, PixelQueueError, StoreLocked, Unavailable, error_from
from appliance.store import Store, Transaction, resets, users

__all__ = ["Console", "Issued", "NewReset", "ask", "issue"]

_log = logging.getLogger(__name__)
_NAME = "console"
_LONGEST_BYTES = 64 << 10
_PATIENCE_S = 30.0


class NewReset(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="user-reset", tag_field="ask"):
    """A one-time code for the account of this address."""

    email: str


class Issued(msgspec.Struct, frozen=True):
    """The code, and for how long it is good."""

    email: str
    code: str
    valid_s: int


_asked = msgspec.json.Decoder(NewReset)
_issued = msgspec.json.Decoder(Issued)


def issue(store: Store, wanted: NewReset) -> Issued:
    """Make a one-time code.

    Raises:
        NotFound: There is no account of this address.
    """

    def write(tx: Transaction) -> Issued:
        found = users.credentials(tx, wanted.email)
        if found is None:
            raise NotFound(f"there is no account {wanted.email} in this data directory", field="email")
        return Issued(found[0].email, resets.issue(tx, found[0].id), resets.VALID_S)

    return store.write(write)


class Console:
    """The side of the box that is being served.

    Args:
        store: Its store; the socket lies in its folder.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen. Where the file system has no sockets, the box serves without."""
        (self._store.folder / _NAME).unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            os.fchmod(listening.fileno(), 0o600)  # before it has a name, so that it never has another mode
            _at(self._store.folder, listening.bind)
            self._server = await asyncio.start_unix_server(self._hear, sock=listening, limit=_LONGEST_BYTES)
        except OSError as error:
            listening.close()
            _log.warning("the console cannot listen in %s: %s", self._store.folder, error)

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            (self._store.folder / _NAME).unlink(missing_ok=True)

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _is_ours(writer.get_extra_info("socket")):
                async with asyncio.timeout(_PATIENCE_S):
                    writer.write(await self._answer(await reader.readline()) + b"\n")
                    await writer.drain()
        except (OSError, ValueError, TimeoutError) as error:
            _log.warning("the console could not answer: %s", error)
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> bytes:
        try:
            return msgspec.json.encode(await asyncio.to_thread(issue, self._store, _asked.decode(line)))
        except PixelQueueError as error:
            return msgspec.json.encode({"error": error.as_dict()})
        except msgspec.MsgspecError as error:
            return msgspec.json.encode({"error": Unavailable(f"the console does not know this: {error}").as_dict()})


def ask(folder: Path, wanted: NewReset) -> Issued:
    """Ask the box that is being served from this folder.

    Raises:
        StoreLocked: Whoever has the folder open has no console: it is another command.
        NotFound: As `issue`.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(_PATIENCE_S)
        try:
            _at(folder, asking.connect)
            asking.sendall(msgspec.json.encode(wanted) + b"\n")
            with asking.makefile("rb") as answer:
                line = answer.readline(_LONGEST_BYTES)
        except OSError as error:
            raise StoreLocked(
                f"{folder} is in use and its console does not answer: wait for the command that runs, or run this as "
                "whoever serves the box",
                file=str(folder),
            ) from error
    return _told(folder, line)


def _told(folder: Path, line: bytes) -> Issued:
    if not line:
        raise StoreLocked(f"{folder} belongs to another user: run this as whoever serves the box", file=str(folder))
    facts: dict[str, Any] = msgspec.json.decode(line)
    if "error" in facts:
        raise error_from(facts["error"])
    return _issued.decode(line)


def _at(folder: Path, call: Any) -> None:
    """Bind or connect the socket's path, which may be longer than the 107 bytes a socket's address takes."""
    beside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        short = Path(f"/proc/self/fd/{beside}")
        call(str((short if short.exists() else folder) / _NAME))
    finally:
        os.close(beside)


def _is_ours(connected: socket.socket) -> bool:
    """Tell whether root or whoever serves the box has connected; where nobody can tell, the mode has to do."""
    peer = getattr(socket, "SO_PEERCRED", None)
    if peer is None:
        return True
    _, user_id, _ = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, peer, struct.calcsize("3i")))
    return user_id in (0, os.geteuid())
