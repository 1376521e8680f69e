"""Password hashes and the rules for passwords.

Source: OWASP ASVS 5.0, 6.2 (rules) and 11.4.2 (argon2id).
"""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import argon2

from appliance.errors import InvalidInput, TooManyRequests
from appliance.settings import Settings
from appliance.store.guessable import guessable

__all__ = ["LONGEST", "SHORTEST", "Passwords", "check"]

T = TypeVar("T")
SHORTEST, LONGEST = 12, 256
_FLOOR_MEMORY_KIB, _FLOOR_TIME, _FLOOR_LANES = 19 * 1024, 2, 1
_PARALLEL = 2
_WAITING = 200


def check(password: str, *, email: str = "", name: str = "") -> None:
    """Refuse a password that is too short, too long or among the first that are guessed.

    Raises:
        InvalidInput: It is; the message says why and never repeats it.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(f"a password has {SHORTEST} to {LONGEST} characters", field="password")
    folded = password.casefold()
    own = {email.casefold(), email.casefold().partition("@")[0], name.casefold()}
    if folded in own or guessable(password):
        raise InvalidInput("this password is among the first that are guessed: take another", field="password")


class Passwords:
    """Hash and verify on threads of its own, few at a time.

    A hash takes tens of megabytes, so a hundred sign-ins at once wait for each other instead
    of taking gigabytes; past a bound they are turned away.
    """

    def __init__(self, settings: Settings) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=max(settings.argon2_time, _FLOOR_TIME),
            memory_cost=max(settings.argon2_memory_kib, _FLOOR_MEMORY_KIB),
            parallelism=max(settings.argon2_lanes, _FLOOR_LANES),
        )
        self._threads = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="passwords")
        self._lock = threading.Lock()
        self._waiting = 0
        self._nobody = self._hash_of_nobody()

    def hash(self, password: str) -> Future[str]:
        """Start hashing.

        Raises:
            TooManyRequests: Too many wait already.
        """
        return self._queued(lambda: self._hasher.hash(password))

    def verify(self, known: str | None, password: str) -> Future[bool]:
        """Start verifying; with no known hash it takes as long and comes out False.

        Raises:
            TooManyRequests: Too many wait already.
        """
        return self._queued(lambda: self._matches(known or self._nobody, password) and known is not None)

    def outdated(self, known: str) -> bool:
        """Tell whether a hash was made with other parameters than those of now."""
        return self._hasher.check_needs_rehash(known)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)

    def _matches(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    def _queued(self, call: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self._waiting >= _WAITING:
                raise TooManyRequests("too many people sign in at this moment: try again", retry_after_s=5)
            self._waiting += 1
        future = self._threads.submit(call)
        future.add_done_callback(self._done)
        return future

    def _done(self, _future: Future[Any]) -> None:
        with self._lock:
            self._waiting -= 1

    def _hash_of_nobody(self) -> str:
        """Make a hash nobody knows the password of, at no cost, with the parameters of now."""
        salt, digest = (base64.b64encode(secrets.token_bytes(n)).rstrip(b"=").decode() for n in (16, 32))
        h = self._hasher
        return f"$argon2id$v=19$m={h.memory_cost},t={h.time_cost},p={h.parallelism}${salt}${digest}"
