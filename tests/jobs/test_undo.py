"""Undoing a job while the process is killed at random moments: it ends as if nothing had happened."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from appliance.geometry.box import Box
from appliance.records import Image, Project
from appliance.store import Store, annotations, images, jobs, predictions
from appliance.store.predictions import Proposal
from tests.jobs._service import WAIT_S, serving
from tests.jobs.test_kill import run_and_kill
from tests.store._nouns import a_diff, a_draft, a_label, a_project, a_user, an_image, require_truth, save

_IMAGES = 200
_KILLS = 8


def _run(store: Store) -> tuple[Project, list[Image], int]:
    """A run over many images, of which every third was worked on since, and the queued undo of it."""
    ann, project = a_user(store), a_project(store)
    label = a_label(store, project.id)
    pictures = [an_image(store, project.id, f"{n}.png") for n in range(_IMAGES)]

    def predicted(tx: Any) -> int:
        job = jobs.create(tx, "auto-label", "model", 100, {}, project_id=project.id, created_by=ann.id)
        for image in pictures:
            proposals = [Proposal(label.id, 0.5, Box(9 * n, 1, 9 * n + 8, 9)) for n in range(3)]
            predictions.replace(tx, image, proposals, model_id=None, job_id=job.id, round_id="1")
        tx.execute("UPDATE jobs SET state = 'done' WHERE id = ?", (job.id,))
        return job.id

    job_id = store.write(predicted)
    for image in pictures[::3]:
        changed = a_draft(f"p{job_id:06d}-0000", label.id, Box(0, 1, 7, 9))
        save(store, image, a_diff(1, [a_draft("drawn", label.id, Box(50, 50, 60, 60))], [changed]), ann)
    undo = store.write(
        lambda tx: jobs.create(tx, "undo", "io", 200, {"job_id": job_id}, project_id=project.id, created_by=ann.id)
    )
    return project, pictures, undo.id


def test_an_undo_killed_again_and_again_ends_right(tmp_path: Path) -> None:
    moments = random.Random(3)
    with Store(tmp_path) as store:
        project, pictures, undo_id = _run(store)
    reached = set()
    for _ in range(_KILLS):
        run_and_kill(tmp_path, moments.uniform(0.0, 0.12))
        with Store(tmp_path) as store:
            reached.add(store.read(lambda r: jobs.standing(r, undo_id)[0].get("seen", 0)))
    assert reached - {0, _IMAGES}, "no kill came in the middle"
    with serving(tmp_path) as service:
        done = service.wait(undo_id, 4 * WAIT_S)
        assert done.state == "done", done.error
        worked = len(pictures[::3])
        assert done.result is not None
        assert (done.result["removed"], done.result["kept"]) == (3 * _IMAGES - worked, worked)
        for number, image in enumerate(pictures):
            present = service.store.read(lambda r, i=image: annotations.of_image(r, project.id, i.id)).annotations
            assert len(present) == (0 if number % 3 else 2)
            fresh = service.store.read(lambda r, i=image: images.get(r, project.id, i.id))
            assert fresh.revision == (2 if number % 3 else 3), "each revision was taken back once"
            service.store.read(lambda r, i=image: require_truth(r, i))
