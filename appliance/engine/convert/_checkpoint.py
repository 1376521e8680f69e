"""Reading a PyTorch checkpoint without letting it run anything.

A checkpoint is a pickle, which may name any function to be called while it is read. Here every
name that is not a tensor's becomes a `Shell`: an object that has what the file gives it and no
code. What a converter needs, tensors and plain values, is there; whatever was to be called is not.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

from appliance.engine.convert._base import Checkpoint
from appliance.errors import UnusableModel

__all__ = ["Shell", "read", "tensors"]

_MAX_DEPTH = 100
_TENSOR_TABLES = ("_parameters", "_buffers")


class Shell:
    """What stands for an object of a class that is not loaded.

    Attributes:
        called: Dotted name of the class or function that the file names.
        given: What it was to be called with.
    """

    called = ""

    def __init__(self, *given: Any) -> None:
        self.given = given

    def __new__(cls, *_given: Any) -> Shell:
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        parts = state if isinstance(state, tuple) else (state,)
        for part in parts:
            if isinstance(part, dict):
                self.__dict__.update({str(key): value for key, value in part.items()})


def read(path: Path, name: str, *, trusted: bool = False) -> Checkpoint:
    """Read a checkpoint.

    Args:
        path: The file.
        name: The file as its sender named it.
        trusted: Let its own code run, which an administrator allowed.

    Raises:
        UnusableModel: It is no checkpoint, is cut short, or names what is never read.
    """
    import torch

    if not zipfile.is_zipfile(path):
        raise UnusableModel(_unlike(path, name), file=name)
    try:
        classes = torch.serialization.get_unsafe_globals_in_checkpoint(path)
        if trusted:
            contents = torch.load(path, map_location="cpu", weights_only=False)
        else:
            with torch.serialization.safe_globals([(_shell(one), one) for one in classes]):
                contents = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, ValueError, EOFError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise UnusableModel(f"{name} is no whole PyTorch checkpoint: copy it again", file=name) from error
    except (pickle.UnpicklingError, AttributeError, ImportError, TypeError) as error:
        raise UnusableModel(f"{name} cannot be read as a PyTorch checkpoint: {_reason(error)}", file=name) from error
    return Checkpoint(path, name, contents, frozenset(classes), trusted)


def tensors(module: Any, prefix: str = "", depth: int = 0) -> OrderedDict[str, Any]:
    """Return what `state_dict` of a module would, read off its shell.

    Raises:
        UnusableModel: It is nested too deeply.
    """
    import torch

    if depth > _MAX_DEPTH:
        raise UnusableModel("the checkpoint's model is nested too deeply")
    found: OrderedDict[str, Any] = OrderedDict()
    inside = {name: value for name, value in vars(module).items() if isinstance(value, dict)}
    for table in _TENSOR_TABLES:
        for name, value in inside.get(table, {}).items():
            if isinstance(value, torch.Tensor):
                found[f"{prefix}{name}"] = value
    for name, child in inside.get("_modules", {}).items():
        if isinstance(child, Shell):
            found.update(tensors(child, f"{prefix}{name}.", depth + 1))
    return found


def _shell(called: str) -> type[Shell]:
    return type(called.rpartition(".")[2], (Shell,), {"called": called})


def _reason(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]


def _unlike(path: Path, name: str) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] == b"PK":
        return f"{name} is cut short: copy it again"
    if start[:2] == b"\x80\x02":
        return f"{name} is a checkpoint of PyTorch before 1.6: save it again with a newer one"
    return f"{name} is no PyTorch checkpoint"
