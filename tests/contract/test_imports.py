"""Who may import whom: the layers of docs/architecture.md, read off the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests._shared import ROOT

PACKAGE = ROOT / "appliance"
SOURCES = sorted(p for p in PACKAGE.rglob("*.py") if "node_modules" not in p.parts)

KERNEL = {"kernel"}
ALLOWED: dict[str, set[str]] = {
    "kernel": KERNEL,
    "imaging": KERNEL | {"imaging"},
    "formats": KERNEL | {"formats"},
    "store": KERNEL | {"store"},
    "engine": KERNEL | {"engine", "imaging"},
    "demo": KERNEL | {"demo", "engine", "imaging"},
    "jobs": KERNEL | {"jobs", "imaging", "formats", "store", "engine"},
    "web": KERNEL | {"web", "store", "jobs"},
    "app": KERNEL | {"app", "web", "store", "jobs"},
    "commands": KERNEL | {"commands", "app", "web", "store", "jobs", "engine", "formats", "demo"},
    "main": KERNEL | {"main", "commands"},
}
"""The demo's training script evaluates its model with the engine; commands are the composition's edge."""

ROOMS: dict[str, tuple[str, ...]] = {
    "falcon": ("web",),
    "granian": ("web",),
    "apsw": ("store", "commands/doctor.py"),
    "argon2": ("store",),
    "cryptography": ("web",),
    "PIL": ("imaging", "demo"),
    "pillow_heif": ("imaging",),
    "pyvips": ("imaging",),
    "cv2": ("imaging", "geometry", "engine/segmenters", "demo"),
    "onnx": ("engine", "demo/train.py"),
    "onnxruntime": ("engine/backends",),
    "tensorrt": ("engine/backends", "engine/tensorrt"),
    "torch": ("engine/train", "engine/convert", "demo/train.py"),
    "ultralytics": ("engine/train", "engine/convert", "demo/train.py"),
    "click": ("commands", "__main__.py"),
    "rich": ("commands",),
    "yaml": ("formats",),
    "zstandard": ("store",),
}


def layer_of(relative: str) -> str:
    """Return the layer of a module given as a path below the package."""
    first = relative.split("/")[0]
    if first in ("app.py", "app"):
        return "app"
    if first in ("__main__.py", "__main__"):
        return "main"
    return first if first in ALLOWED else "kernel"


def imports_of(path: Path) -> set[str]:
    """Return the dotted names a file imports, lazily or not; relative imports do not occur here."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_what_its_layer_may(path: Path):
    relative = path.relative_to(PACKAGE).as_posix()
    own = layer_of(relative)
    for name in imports_of(path):
        if not name.startswith("appliance."):
            continue
        target = name.removeprefix("appliance.").replace(".", "/")
        if not (PACKAGE / target).exists() and not (PACKAGE / f"{target}.py").exists():
            continue  # a name inside a module, whose own entry is judged
        assert layer_of(target) in ALLOWED[own], f"{relative} ({own}) imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_third_parties_stay_in_their_room(path: Path):
    relative = path.relative_to(PACKAGE).as_posix()
    for name in imports_of(path):
        rooms = ROOMS.get(name.split(".")[0])
        if rooms is not None:
            assert relative.startswith(rooms), f"{relative} imports {name}, which belongs in {rooms or 'no room'}"


def test_only_settings_reads_the_environment():
    readers = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"):
                readers.append(path.relative_to(PACKAGE).as_posix())
    # The training script keeps its library off the network; the fake task tells what a child inherits.
    assert set(readers) == {"settings.py", "demo/train.py", "jobs/fake_task.py"}


def test_nobody_but_the_commands_imports_the_composition_root():
    for path in SOURCES:
        if "appliance.app" in imports_of(path):
            assert layer_of(path.relative_to(PACKAGE).as_posix()) == "commands"


def test_serving_imports_nothing_heavy():
    """What answers the first request must not load runtimes, codecs or torch."""
    script = (
        "import sys, appliance.app, appliance.web.server, appliance.web.app\n"
        "heavy = {'torch', 'ultralytics', 'onnxruntime', 'onnx', 'cv2', 'PIL', 'numpy.testing'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
