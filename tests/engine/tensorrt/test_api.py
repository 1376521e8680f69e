"""Every name and every signature we use of TensorRT is in NVIDIA's own bindings, releases 10.3 and 11.

The bindings' wheels import without a GPU and without TensorRT's libraries once the few functions
they look up exist. Their docstrings carry the types, from which mypy's stubgen makes stubs; mypy
then checks our modules against them as it checks anything else.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests._shared import ROOT
from tests.engine.tensorrt._made import compiled

RELEASES = ("10", "11")
OURS = [ROOT / "appliance/engine/tensorrt" / name for name in ("builder.py", "runner.py", "worker.py")]


@pytest.fixture(scope="module", params=RELEASES)
def stubs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the stubs of one release's bindings, as the module `tensorrt`."""
    wheel = ROOT / ".tools" / f"tensorrt-{request.param}" / "tensorrt_bindings"
    if not wheel.is_dir():
        pytest.skip(f"needs NVIDIA's bindings in {wheel.parent.relative_to(ROOT)}: ./run test installs them")
    folder = tmp_path_factory.mktemp(f"tensorrt-{request.param}")
    bindings = folder / "bindings" / "tensorrt_bindings"
    bindings.mkdir(parents=True)
    for file in wheel.glob("tensorrt.*"):
        (bindings / file.name).write_bytes(file.read_bytes())
    (bindings / "__init__.py").touch()
    for library in ("nvinfer", "nvonnxparser", "nvinfer_plugin"):
        compiled("nvinfer.c", bindings / f"lib{library}.so.{request.param}")
    _run(
        [
            sys.executable,
            "-c",
            "from mypy.stubgen import main; main()",
            "--inspect-mode",
            "-q",
            "-m",
            "tensorrt_bindings.tensorrt",
            "-o",
            "out",
        ],
        folder,
        PYTHONPATH=str(bindings.parent),
    )
    (folder / "tensorrt").mkdir()
    made = (folder / "out/tensorrt_bindings/tensorrt.pyi").read_text()
    release = re.findall(r"^(__version__) = ", (wheel / "__init__.py").read_text(), re.MULTILINE)
    (folder / "tensorrt/__init__.pyi").write_text(_mended(made) + "".join(f"{name}: str\n" for name in release))
    return folder


def test_mypy_finds_all_of_it_in_the_bindings(stubs: Path) -> None:
    assert not _faults(stubs, OURS), "\n".join(_faults(stubs, OURS))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("trt.Dims((1, 3))", "No overload variant"),
        ("trt.Runtime(logger).deserialize_engine(b'')", "has no attribute"),
        ("trt.Builder(logger).create_network(0).get_input('images')", "incompatible type"),
        ("trt.Builder(logger).build_engine()", "has no attribute"),
    ],
)
def test_what_the_bindings_do_not_have_is_found(stubs: Path, tmp_path: Path, line: str, reason: str) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(f"import tensorrt as trt\n\n\ndef use(logger: trt.ILogger) -> None:\n    {line}\n")
    faults = _faults(stubs, [wrong])
    if "Dims" in line and not faults:
        pytest.skip("this release takes tuples; 10.3 does not")
    assert len(faults) == 1
    assert reason in faults[0]


def test_precision_is_said_by_the_graph_from_release_11_on(stubs: Path) -> None:
    text = (stubs / "tensorrt/__init__.pyi").read_text()
    flags = re.search(r"class BuilderFlag:\n(.*?)\nclass ", text, re.DOTALL)
    assert flags is not None
    assert (" FP16:" in flags[1]) == ("tensorrt-10" in str(stubs))


def _faults(stubs: Path, files: list[Path]) -> list[str]:
    """Return mypy's errors about these files."""
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--follow-imports=silent"]
    command += ["--disable-error-code=misc", "--no-error-summary", f"--cache-dir={stubs / 'cache'}", *map(str, files)]
    told = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "MYPYPATH": str(stubs)}, capture_output=True, text=True
    )
    assert not told.stderr, told.stderr
    names = {file.name for file in files}
    return [
        line for line in told.stdout.splitlines() if ": error:" in line and Path(line.split(":")[0]).name in names
    ]


def _mended(text: str) -> str:
    """Return the stubs without what stubgen gets wrong.

    The module has a member called `bool`, arguments that take any integer say so too broadly for
    overriding, one signature has a default too early, and the buffer protocol of host memory
    (https://docs.nvidia.com/deeplearning/tensorrt/latest/_static/python-api/infer/FoundationalTypes/HostMemory.html)
    leaves no trace in docstrings.
    """
    text = text.replace("tensorrt_bindings.tensorrt.", "").replace("typing.SupportsInt", "int")
    text = "import builtins\n" + re.sub(r"\bbool\b(?!:)", "builtins.bool", text)
    buffer = "class IHostMemory:\n    def __buffer__(self, flags: int, /) -> memoryview: ...\n"
    text = text.replace("class IHostMemory:\n", buffer)
    return "\n".join(line for line in text.splitlines() if _parses(line)) + "\n"


def _parses(line: str) -> bool:
    if not line.strip().startswith("def "):
        return True
    try:
        ast.parse(line.strip())
    except SyntaxError:
        return False
    return True


def _run(command: list[str], folder: Path, **variables: str) -> None:
    done = subprocess.run(command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
