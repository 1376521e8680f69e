import json
import subprocess
import sys

import pytest

from appliance.demo.content import DEMO_LABELS
from appliance.engine.inspect import inspect

# The whole script on a few pictures, in a process whose sockets refuse to connect.
_SMALL_RUN = """
import socket, sys
from pathlib import Path

def refuse(*_):
    raise RuntimeError("training went to the network")

socket.socket.connect = socket.socket.connect_ex = refuse

from appliance.demo import train

train.PICTURES, train.EPOCHS = 8, 1
train.VALIDATION_SEEDS = train.TEST_SEEDS = (2000, 2001)
train.model_path = lambda: Path(sys.argv[1])
train.main()
"""


@pytest.mark.train
@pytest.mark.slow
def test_script_makes_a_model_the_engine_takes_without_network(tmp_path):
    target = tmp_path / "small.onnx"
    subprocess.run([sys.executable, "-c", _SMALL_RUN, str(target)], check=True, capture_output=True, timeout=280)
    info = inspect(target)
    assert info.labels == [name for name, _ in DEMO_LABELS]
    facts = json.loads(target.with_suffix(".json").read_text(encoding="utf-8"))
    assert facts["input"] == list(info.input_size)
    assert target.stat().st_size <= 6_000_000
