"""kill -9 at random moments: whatever was acknowledged is there."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.settings import Settings
from appliance.store import Store, history, images
from tests._shared import ROOT
from tests.store._nouns import a_label, a_project, an_image, require_counts, require_truth

KILLS = 20

MAIN = """
import itertools, pathlib, secrets, sys, threading
from appliance.geometry.box import Box
from appliance.records import Diff, Draft
from appliance.store import Store, annotations, images
from appliance.settings import Settings

store = Store(pathlib.Path(sys.argv[1]), Settings(reserve_bytes=0, readers=1))
say = threading.Lock()

def tell(line):
    with say:
        print(line, flush=True)

def save(image_id):
    while True:
        revision = store.read(lambda r: images.get(r, 1, image_id)).revision
        draft = Draft(id=secrets.token_hex(8), label_id=1, geometry=Box(1, 1, 9, 9))
        diff = Diff(diff_id=secrets.token_hex(8), revision=revision, added=[draft])
        store.write(lambda tx: annotations.save(tx, 1, image_id, diff, author_id=None))
        tell(f"diff {image_id} {diff.diff_id}")

def store_bytes():
    for number in itertools.count():
        some, compress = range(1 + number % 9), number % 2 > 0
        staged = [store.blobs.stage([secrets.token_bytes(3000)], compress=compress) for _ in some]
        store.blobs.settle(staged)
        store.write(lambda tx: [store.blobs.register(tx, one) for one in staged])
        for one in staged:
            tell(f"blob {one.sha256}")

for work in (lambda: save(1), lambda: save(2), store_bytes):
    threading.Thread(target=work, daemon=True).start()
tell("started")
threading.Event().wait()
"""


def run_and_kill(folder: Path, after_s: float) -> list[list[str]]:
    """Let a real process work, kill it so long after its start, return what it acknowledged."""
    command = [sys.executable, "-c", MAIN, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(after_s)  # not waiting for anything: the moment is what is drawn
        process.kill()
        lines = process.stdout.read().splitlines(keepends=True)
    return [line.split() for line in lines if line.endswith("\n")]


def test_twenty_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    moments = random.Random(11)
    quiet = Settings(reserve_bytes=0, readers=1)
    with Store(tmp_path, quiet) as store:
        project = a_project(store)
        a_label(store, project.id)
        pictures = [an_image(store, project.id, name) for name in ("a.png", "b.png")]
    told: list[list[str]] = []
    for _ in range(KILLS):
        told += run_and_kill(tmp_path, moments.uniform(0.0, 0.25))
    with Store(tmp_path, quiet) as store, store.reading() as reading:
        assert reading.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for kind, *what in (line for line in told if line[0] != "started"):
            if kind == "diff":
                assert history.revision_of(reading, int(what[0]), what[1]) is not None
            else:
                store.blobs.verify(what[0])
        registered = [sha256.hex() for (sha256,) in reading.execute("SELECT sha256 FROM blobs")]
        assert {what[0] for kind, *what in told if kind == "blob"} <= set(registered)
        for sha256 in registered[2:]:
            store.blobs.verify(sha256)
        for image in pictures:
            require_truth(reading, images.get(reading, project.id, image.id))
        require_counts(reading)
        assert list(store.temporary.iterdir()) == []
    assert sum(line[0] == "diff" for line in told) > KILLS
    assert sum(line[0] == "blob" for line in told) > KILLS
