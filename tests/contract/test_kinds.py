"""What every kind of job must be."""

from __future__ import annotations

import inspect
import subprocess
import sys

import msgspec
import pytest

from appliance.jobs._base import INTERACTIVE, MAINTENANCE, Kind
from appliance.jobs.services import WIDTHS, kinds
from tests._shared import ROOT

ALL = sorted(kinds())


@pytest.mark.parametrize("name", ALL)
def test_a_kind_is_complete(name: str) -> None:
    kind = kinds()[name]
    assert isinstance(kind, Kind)
    assert kind.name == name
    assert kind.lane in WIDTHS
    assert MAINTENANCE <= kind.priority <= INTERACTIVE
    assert len(inspect.signature(kind.run).parameters) == 2
    assert kind.every_s is None or kind.every_s >= 60
    assert kind.due is None or kind.every_s is not None, "nobody would ask"


@pytest.mark.parametrize("name", ALL)
def test_parameters_are_documented_and_refuse_what_they_do_not_know(name: str) -> None:
    parameters = kinds()[name].parameters
    assert issubclass(parameters, msgspec.Struct)
    assert msgspec.json.schema(parameters)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"surely no parameter": 1}, parameters)


@pytest.mark.parametrize("name", ALL)
def test_a_chore_needs_no_parameters(name: str) -> None:
    kind = kinds()[name]
    if kind.every_s is None:
        pytest.skip("nobody starts it but people")
    msgspec.convert({}, kind.parameters)


def test_kinds_do_not_load_what_only_children_need() -> None:
    script = (
        "import sys; from appliance.jobs.services import kinds; kinds(); "
        "sys.exit(' '.join({'torch', 'ultralytics', 'onnxruntime', 'cv2', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert not done.stderr.strip(), done.stderr
