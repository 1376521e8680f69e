"""Processes under measurement: when they first answer, and what they hold in memory."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable

import psutil

__all__ = ["children_mb", "clean_environment", "end", "first_200_s", "free_port", "resident_mb"]

_EVERY_S = 0.002
_PATIENCE_S = 600


def free_port() -> int:
    """Return a port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def first_200_s(start: Callable[[int], subprocess.Popen[str]], path: str) -> tuple[float, subprocess.Popen[str]]:
    """Start a server on a free port and return the seconds until it answers `path` with 200.

    It is asked every 2 ms, which bounds the error.

    Raises:
        RuntimeError: It ended, or has not answered after ten minutes.
    """
    port = free_port()
    started_s = time.perf_counter()
    process = start(port)
    try:
        while not _answers(port, path):
            if process.poll() is not None or time.perf_counter() - started_s > _PATIENCE_S:
                raise RuntimeError("the server did not come up")
            time.sleep(_EVERY_S)
    except BaseException:
        end(process)
        raise
    return time.perf_counter() - started_s, process


def _answers(port: int, path: str) -> bool:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as asking:
            asking.sendall(request)
            return asking.recv(64).split(b" ", 2)[1:2] == [b"200"]
    except OSError:
        return False


def end(process: subprocess.Popen[str]) -> None:
    """Stop a server, in the end by force."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def resident_mb(pid: int) -> float:
    """Return the resident memory of one process in MB (10⁶ bytes)."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def children_mb(pid: int) -> float:
    """Return the resident memory of a process's descendants; pages they share count in each."""
    found = 0.0
    for child in psutil.Process(pid).children(recursive=True):
        try:
            found += resident_mb(child.pid)
        except psutil.NoSuchProcess:
            continue
    return found


def clean_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without Python's own switches, with `more`."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | more
