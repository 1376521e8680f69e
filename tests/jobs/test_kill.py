"""kill -9 at random moments: no batch of a job is lost, none is doubled."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.store import Store, jobs
from tests._shared import ROOT
from tests.jobs._service import WAIT_S, audited, serving

KILLS = 20
BATCHES = 400

MAIN = """
import sys, threading
from pathlib import Path
from appliance.jobs.services import Jobs
from appliance.store import Store

service = Jobs(Store(Path(sys.argv[1])))
service.start()
print("started", flush=True)
threading.Event().wait()
"""


def run_and_kill(folder: Path, after_s: float) -> None:
    """Run the appliance's job machinery in a process of its own and kill it so long after its start."""
    command = [sys.executable, "-c", MAIN, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(after_s)  # not waiting for anything: the moment is what is drawn
        process.kill()


def test_twenty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    moments = random.Random(7)
    with Store(tmp_path) as store:
        one = jobs.create
        for label in ("first", "second"):
            parameters = {"to": BATCHES, "batch_ms": 1, "label": label}
            store.write(lambda tx, p=parameters: one(tx, "fake", "cpu", 100, p, project_id=None, created_by=None))
    reached = 0
    for _ in range(KILLS):
        run_and_kill(tmp_path, moments.uniform(0.0, 0.15))
        with Store(tmp_path) as store:
            kept = sum(store.read(lambda r, i=job_id: jobs.standing(r, i)[0].get("next", 0)) for job_id in (1, 2))
            assert len(audited(store)) == kept >= reached
            reached = kept
    assert reached, "no batch was done between any two kills"
    with serving(tmp_path) as service:
        assert [service.wait(job_id, 4 * WAIT_S).state for job_id in (1, 2)] == ["done", "done"]
        done = [(label, json.loads(details)["batch"]) for label, details in audited(service.store)]
        assert done == [(label, batch) for label in ("first", "second") for batch in range(BATCHES)]
        checked = service.store.write(lambda tx: tx.execute("PRAGMA integrity_check").fetchall())
        assert checked == [("ok",)]
