"""Turning checkpoints into ONNX: where it is possible, and the child that does it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from appliance.errors import BackendUnavailable, ChildFailed, PixelQueueError, UnusableModel
from appliance.jobs import children
from appliance.records import Conversion
from appliance.settings import Settings

__all__ = ["Abilities", "Ability", "Family", "Made", "convert", "look"]

TASK = "engine.convert.worker"
_PROBE_S = 60.0
_WAY_OUT = (
    "With internet, install the extra: `pip install 'pixelqueue[train]'`; without, convert the file elsewhere "
    "with `yolo export format=onnx` and send the ONNX file, or name an interpreter that has torch and "
    "ultralytics in the setting `convert_python`"
)
_WORDS = {
    "deadline": "takes longer to convert than the setting convert_s allows",
    "memory": "needs more memory to convert than the setting convert_memory_bytes allows",
    "signal": "could not be converted: the child that did it was killed; there may be too little memory. Try again",
    "exit": "could not be converted: the child that did it ended; the log has its last words",
    "unexpected": "could not be converted: the conversion failed; the log has the details",
}


class Family(msgspec.Struct, frozen=True):
    """A family of checkpoints that can be converted, and the roles of the files that come of it."""

    name: str
    title: str
    roles: list[str]


class Ability(msgspec.Struct, frozen=True):
    """May checkpoints be converted here? `reason` says why not, `way_out` what to do then."""

    ok: bool
    reason: str
    versions: dict[str, str]
    families: list[Family]
    interpreter: str
    way_out: str = ""


class Made(msgspec.Struct, frozen=True):
    """What a conversion made: files by role in the folder it was given, and how."""

    files: dict[str, str]
    conversion: Conversion
    metrics: dict[str, float]
    parameters: dict[str, Any]


Run = Callable[..., dict[str, Any]]


class Abilities:
    """The answer, kept while it is yes: packages may be installed meanwhile."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._found: Ability | None = None

    def found(self) -> Ability:
        """Return whether checkpoints can be converted here; blocks when it has to look."""
        with self._lock:
            if self._found is None or not self._found.ok:
                self._found = look(self._settings)
            return self._found


def look(settings: Settings) -> Ability:
    """Ask the interpreter that would do it; blocks for about a second."""
    shown = settings.convert_python or "the appliance's own"
    try:
        answer = children.once(
            TASK, {"do": "probe"}, deadline_s=_PROBE_S, interpreter=_interpreter(settings), network=False
        )
    except (PixelQueueError, OSError) as error:
        reason = f"{shown} does not start a child: {error}"
        return Ability(False, reason, {}, [], shown, _WAY_OUT)
    found = msgspec.convert({**answer, "interpreter": shown}, Ability)
    return found if found.ok else msgspec.structs.replace(found, way_out=_WAY_OUT)


def convert(
    run: Run, settings: Settings, source: Path, name: str, folder: Path, *, trusted: bool, tell: Callable[[str], None]
) -> Made:
    """Convert a checkpoint in a throw-away child without a network.

    Args:
        run: `Context.child`, or `children.once`.
        settings: What the child may use.
        source: The checkpoint.
        name: It as its sender named it.
        folder: Empty; the result, and whatever the library leaves, lie there.
        trusted: Let the checkpoint's own code run.
        tell: Gets what is being done.

    Raises:
        UnusableModel: It cannot be converted; the message says why.
        BackendUnavailable: There is nothing here to convert with.
        StorageFull: The disk is full.
    """
    request = {
        "do": "convert",
        "path": str(source.absolute()),
        "name": name,
        "folder": str(folder.absolute()),
        "trusted": trusted,
    }
    try:
        answer = run(
            TASK,
            request,
            on_message=lambda message: tell(message["step"]),
            deadline_s=settings.convert_s,
            memory_bytes=settings.convert_memory_bytes,
            interpreter=_interpreter(settings),
            environment=_environment(folder),
            network=False,
        )
    except ChildFailed as error:
        ability = look(settings)
        if not ability.ok:
            raise BackendUnavailable(f"{ability.reason}. {ability.way_out}", file=name) from error
        if error.details.get("reason") in _WORDS:
            raise UnusableModel(f"{name} {_WORDS[error.details['reason']]}", file=name) from error
        raise
    except UnusableModel as error:
        message = error.message.replace(str(folder), "").replace(str(source), name)
        raise UnusableModel(message if name in message else f"{name}: {message}", file=name) from error
    return _inside(msgspec.convert(answer, Made), folder, name)


def _inside(made: Made, folder: Path, name: str) -> Made:
    """Take only plain files of the folder: the child ran what nobody vouches for."""
    for text in made.files.values():
        path = Path(text)
        if path.parent != folder.absolute() or path.is_symlink() or not path.is_file():
            raise UnusableModel(f"{name}: the conversion left no file where it should", file=name)
    return made


def _interpreter(settings: Settings) -> list[str] | None:
    return [settings.convert_python] if settings.convert_python else None


def _environment(folder: Path) -> dict[str, str]:
    """Return what keeps the libraries in the folder and off the network, updates and devices.

    `YOLO_OFFLINE` alone stops neither the font nor the check of mixed precision, which download;
    the child has no network besides.
    """
    own = str(folder.absolute())
    return {
        "HOME": own,
        "TMPDIR": own,
        "YOLO_CONFIG_DIR": own,
        "MPLCONFIGDIR": own,
        "TORCH_HOME": own,
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "2",
    }
