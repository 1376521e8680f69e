"""The crowd of the bench `people`, a few of it for a moment: it works, and it notices what is lost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from appliance.settings import Settings
from appliance.store import Store
from tests.bench._base import Options
from tests.bench._crowd import Outcome, Plan, send
from tests.bench._fill import ready_folder
from tests.bench._ledger import Ledger, faults
from tests.bench._ours import serving
from tests.bench._pictures import pictures
from tests.bench.people import Somebody, prepare, signed_in

SECONDS = 6.0
EVERYBODY: list[Somebody] = [("ann", "annotator"), ("ben", "annotator"), ("cat", "annotator"), ("rob", "reviewer")]


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, Outcome]:
    """A box that four people worked on, stopped, with what they were told."""
    folder = tmp_path_factory.mktemp("crowd")
    token = ready_folder(folder / "data")
    project_id = prepare(folder / "data", EVERYBODY, pictures(Options(folder=folder), 2), 40)
    with serving(folder / "data", token) as box:
        label = box.ask("POST", f"/api/projects/{project_id}/labels", json={"name": "bolt"})
        port = int(box.url.rpartition(":")[2])
        ended = send(Plan(port, project_id, [label["id"]], signed_in(box.url, EVERYBODY), SECONDS), folder)
        while (outcome := ended()) is None:
            time.sleep(0.1)
    return folder / "data", project_id, outcome


def test_people_work_without_an_error_and_the_box_holds_all_it_acknowledged(
    worked: tuple[Path, int, Outcome],
) -> None:
    folder, project_id, outcome = worked
    assert outcome.ledger.errors == []
    assert faults(folder, project_id, outcome.ledger) == []
    assert outcome.ledger.saved
    assert outcome.ledger.events > len(outcome.ledger.saved)
    assert {"take", "look", "picture", "save"} <= outcome.ledger.latencies_ms.keys()


def test_what_is_lost_after_it_was_acknowledged_is_noticed(worked: tuple[Path, int, Outcome]) -> None:
    folder, project_id, outcome = worked
    image_id, diffs = next(iter(outcome.ledger.saved.items()))
    task_id = next(iter(outcome.ledger.tasks))
    with Store(folder, Settings(data=str(folder))) as store:
        store.write(lambda tx: tx.execute("DELETE FROM annotations WHERE image_id = ?", (image_id,)).fetchall())
        store.write(lambda tx: tx.execute("DELETE FROM history WHERE image_id = ?", (image_id,)).fetchall())
        store.write(lambda tx: tx.execute("UPDATE tasks SET state = 'skipped' WHERE id = ?", (task_id,)).fetchall())
    found = faults(folder, project_id, outcome.ledger)
    assert f"image {image_id} lacks the saved diff {next(iter(diffs))}" in found
    assert any(said.startswith(f"image {image_id} is not as it was saved") for said in found)
    assert any(said.startswith(f"task {task_id} is skipped") for said in found)


def test_a_task_that_two_people_hold_is_an_error() -> None:
    ledger = Ledger()
    ledger.take(1, 5, "in_progress")
    ledger.take(1, 5, "in_progress")
    assert ledger.errors == []
    ledger.take(1, 6, "in_progress")
    assert ledger.errors == ["task 1 was given to user 6 while user 5 had it"]
    ledger.leave(1, "in_review")
    ledger.take(1, 7, "in_review")
    assert len(ledger.errors) == 1
