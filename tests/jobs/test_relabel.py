"""Deleting labels that are in use, in a job that may be interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from appliance.errors import InvalidInput, NotFound
from appliance.geometry.box import Box
from appliance.jobs.kinds import relabel
from appliance.jobs.services import Jobs
from appliance.records import Diff, Draft, Probe
from appliance.store import Transaction, annotations, images, jobs, labels, projects
from appliance.store.labels import NewLabel
from tests.jobs._service import WAIT_S, serving

_IMAGES = 20


def _filled(service: Jobs) -> tuple[int, int, int]:
    """A project whose images have one box of its first label each; it and its two labels."""
    store = service.store
    staged = [store.blobs.stage([bytes([n])]) for n in range(_IMAGES)]
    store.blobs.settle(staged)

    def fill(tx: Transaction) -> tuple[int, int, int]:
        project = projects.create(tx, name="x", created_by=None)
        first, second = (labels.create(tx, project.id, NewLabel(name=name)).id for name in ("first", "second"))
        for number, one in enumerate(staged):
            store.blobs.register(tx, one)
            image = images.create(tx, project.id, f"{number}.png", one, Probe(format="png", width=64, height=64))
            draft = Draft(id=f"drawn-{number:04}", label_id=first, geometry=Box(1, 1, 9, 9))
            diff = Diff(diff_id=f"diff-{number:04}", revision=0, added=[draft])
            annotations.save(tx, project.id, image.id, diff, author_id=None)
        return project.id, first, second

    return store.write(fill)


def _uses(service: Jobs, label_id: int) -> int:
    return service.store.read(lambda reading: labels.uses(reading, label_id))


@pytest.mark.parametrize("merge", [True, False])
def test_the_job_moves_or_deletes_all_annotations_and_the_label(tmp_path: Path, merge: bool) -> None:
    with serving(tmp_path) as service:
        project_id, first, second = _filled(service)
        parameters = {"label_id": first, "merge_into": second if merge else None}
        job = service.wait(service.submit("relabel", parameters, project_id=project_id).id, WAIT_S)
        assert (job.state, job.result) == ("done", {"images": _IMAGES}), job.error
        assert _uses(service, second) == (_IMAGES if merge else 0)
        left = service.store.read(lambda reading: labels.listed(reading, project_id))
        assert [label.id for label in left] == [second]


def test_an_interrupted_job_goes_on_and_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = relabel.step
    calls: list[int] = []

    def break_once(tx: Transaction, *facts: Any) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise InvalidInput("as asked")
        return step(tx, *facts)

    monkeypatch.setattr(relabel, "step", break_once)
    with serving(tmp_path) as service:
        project_id, first, second = _filled(service)
        parameters = {"label_id": first, "merge_into": second}
        job = service.wait(service.submit("relabel", parameters, project_id=project_id).id, WAIT_S)
        assert job.state == "failed"
        assert 0 < _uses(service, second) < _IMAGES
        service.retry(job.id)
        done = service.wait(job.id, WAIT_S)
        assert done.state == "done"
        assert (_uses(service, first), _uses(service, second)) == (0, _IMAGES)


def test_a_job_that_ended_before_it_could_say_so_is_done(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        project_id, first, second = _filled(service)
        job = service.submit("relabel", {"label_id": first}, project_id=project_id)
        assert service.wait(job.id, WAIT_S).state == "done"
        service.store.write(
            lambda tx: tx.execute(
                "UPDATE jobs SET state = 'failed', result = NULL WHERE id = ?", (job.id,)
            ).fetchall()
        )
        service.retry(job.id)
        assert service.wait(job.id, WAIT_S).state == "done"
        assert service.store.read(lambda reading: jobs.get(reading, job.id)).error is None
        assert second


def test_labels_of_other_projects_are_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        project_id, first, _ = _filled(service)
        other = service.store.write(lambda tx: projects.create(tx, name="y", created_by=None))
        strange = service.store.write(lambda tx: labels.create(tx, other.id, NewLabel(name="z")))

        def check(label_id: int, merge_into: int | None) -> None:
            wanted = relabel.RelabelParameters(label_id=label_id, merge_into=merge_into)
            service.store.read(lambda reading: relabel.check(reading, project_id, wanted))

        with pytest.raises(NotFound):
            check(strange.id, None)
        for into in (strange.id, first):
            with pytest.raises(InvalidInput):
                check(first, into)
