"""Leaving the network, for a child that runs what nobody vouches for; called before it does anything else."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["leave_network"]

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
"""Source: linux/sched.h"""

_REACHING_OUT = frozenset({"socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.sendmsg", "socket.bind"})
"""Source: https://docs.python.org/3/library/audit_events.html"""


def leave_network() -> None:
    """Move into a network namespace that has no way out.

    Where the system does not allow one, the interpreter refuses to reach out instead: that stops
    a library that downloads, not code that means harm.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        user, group = os.getuid(), os.getgid()
        if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:
            _keep_identity(user, group)
    sys.addaudithook(_refuse)


def _keep_identity(user: int, group: int) -> None:
    """Be oneself in the new user namespace. Source: user_namespaces(7)."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _refuse(event: str, _arguments: tuple[Any, ...]) -> None:
    if event in _REACHING_OUT:
        raise PermissionError("this process has no network")
