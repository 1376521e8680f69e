"""Passwords that are guessed first: on a list of leaked ones, or made the way those are made.

The most common passwords of twelve characters and more are short lists of well-known parts:
other common passwords, words, names, runs along the keyboard or the alphabet, repetitions,
years, a few digits at the end. A password that falls into at most three such parts is refused,
however its letters are cased or replaced by look-alike digits. Nothing of it needs a network.
Source: the list is that of zxcvbn; ``common_passwords.txt`` carries its licence.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from itertools import pairwise

__all__ = ["common", "guessable"]

_MOST_PARTS = 3
_LOOKALIKES = str.maketrans("@4310$57!", "aaeiosst" + "i")
_SERIES = (
    "abcdefghijklmnopqrstuvwxyz", "01234567890", "q1w2e3r4t5y6u7i8o9p0", "1q2w3e4r5t6y7u8i9o0p",
    "a1b2c3d4e5f6g7h8i9", "1a2b3c4d5e6f7g8h9i", "1a2s3d4f5g6h7j8k9l", "a1s2d3f4g5h6j7k8l9", "z1x2c3v4b5n6m7",
    "112233445566778899", "1223334444", "qqwweerrttyy", "aabbccddeeff", "13579", "24680", "102030405060708090",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "1qazxsw23edcvfr45tgbnhy6", "qazwsxedcrfvtgbyhnujm",
    "qweasdzxcrtyfghvbn", "qweasdzxc123", "123qweasdzxc", "1qa2ws3ed4rf5tg6yh7uj", "4815162342", "31415926535",
)  # fmt: skip
_KEYBOARDS = (
    ("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"),
    ("1234567890", "qwertzuiop", "asdfghjkl", "yxcvbnm,.-"),
    ("1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn,;:"),
    ("789", "456", "123", "0"),
)
_TAIL = re.compile(r"\d{1,4}|[\W_]{1,4}")
_DATE = re.compile(r"(?:19|20)\d\d|\d{6}|\d{8}")


def guessable(password: str) -> bool:
    """Tell whether a password is among those that are guessed first."""
    plain = re.sub(r"\s+", "", password.casefold())
    texts = {plain, plain.translate(_LOOKALIKES)}
    return any(_parts(text) <= _MOST_PARTS for text in texts | {_once(text) for text in texts})


def _parts(text: str) -> int:
    """Return the least number of well-known parts `text` falls into, or more than allowed."""
    beyond = _MOST_PARTS + 1
    least = [0] + [beyond] * len(text)
    for start in range(len(text)):
        if least[start] >= _MOST_PARTS:
            continue
        for end in range(start + 1, len(text) + 1):
            if least[end] > least[start] + 1 and _known(text[start:end]):
                least[end] = least[start] + 1
    return least[-1] if text else 0


def _once(text: str) -> str:
    """Return the unit of a text that only repeats it, else the text."""
    match = re.fullmatch(r"(.+?)\1+", text, re.DOTALL)
    return match[1] if match else text


def _known(part: str) -> bool:
    if part in _words() or _TAIL.fullmatch(part) or _DATE.fullmatch(part):
        return True
    if len(part) < 2:
        return False
    if len(part) == 2:
        return _walks(part)
    return len(set(part)) == 1 or _once(part) in _words() or _walks(part) or any(part in run for run in _runs())


def _walks(part: str) -> bool:
    """Tell whether each key lies beside the one before, on one of the usual keyboards."""
    return any(all(second in near.get(first, "") for first, second in pairwise(part)) for near in _neighbours())


@cache
def common() -> tuple[str, ...]:
    """Return the most common of leaked passwords, most common first."""
    _notice, _, listed = _text("common_passwords.txt").partition("\n\n")
    return tuple(listed.split())


@cache
def _words() -> frozenset[str]:
    return frozenset(_text("guessable_words.txt").split()) | {one.casefold() for one in common()}


def _text(name: str) -> str:
    return files("appliance.store").joinpath(name).read_text("utf-8")


@cache
def _runs() -> tuple[str, ...]:
    return tuple(run for row in _SERIES for run in (row * 2, row[::-1] * 2))


@cache
def _neighbours() -> tuple[dict[str, str], ...]:
    found = []
    for keyboard in _KEYBOARDS:
        place = {key: (row, column) for row, keys in enumerate(keyboard) for column, key in enumerate(keys)}
        found.append({key: "".join(k for k, q in place.items() if _beside(p, q)) for key, p in place.items()})
    return tuple(found)


def _beside(first: tuple[int, int], second: tuple[int, int]) -> bool:
    return abs(first[0] - second[0]) <= 1 and abs(first[1] - second[1]) <= 1
