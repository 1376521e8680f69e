"""What the box has told a crowd of people, and whether the database holds it when they are gone."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import msgspec

from appliance.settings import Settings
from appliance.store import Reading, Store

__all__ = ["Ledger", "faults"]


class Ledger(msgspec.Struct):
    """Acknowledged work.

    Attributes:
        errors: What should not have happened, in words.
        latencies_ms: One per answer, by kind of request.
        saved: The revision of each acknowledged diff, by image and diff id.
        drawn: By image, whether an annotation stands (True) or was removed, after the last acknowledged diff.
        tasks: State and holder of each task, as the last answer about it said.
        stale: Answers that said the image had changed meanwhile, as the batch makes them.
        idle: How often there was nothing to take.
        events: Events that came over sockets.
    """

    errors: list[str] = msgspec.field(default_factory=list)
    latencies_ms: dict[str, list[float]] = msgspec.field(default_factory=lambda: defaultdict(list))
    saved: dict[int, dict[str, int]] = msgspec.field(default_factory=lambda: defaultdict(dict))
    drawn: dict[int, dict[str, bool]] = msgspec.field(default_factory=lambda: defaultdict(dict))
    tasks: dict[int, tuple[str, int]] = msgspec.field(default_factory=dict)
    stale: int = 0
    idle: int = 0
    events: int = 0

    def take(self, task_id: int, person_id: int, state: str) -> None:
        """Note that a person holds a task in a state, to annotate or to review."""
        before, holder = self.tasks.get(task_id, ("open", 0))
        if before == state and holder not in (0, person_id):
            self.errors.append(f"task {task_id} was given to user {person_id} while user {holder} had it")
        self.tasks[task_id] = (state, person_id)

    def leave(self, task_id: int, state: str, person_id: int = 0) -> None:
        """Note the state a task was brought into, and who has it then."""
        self.tasks[task_id] = (state, person_id)

    def save(self, image_id: int, diff_id: str, revision: int, put: list[str], removed: list[str]) -> None:
        """Note an acknowledged diff."""
        self.saved[image_id][diff_id] = revision
        self.drawn[image_id] |= dict.fromkeys(put, True) | dict.fromkeys(removed, False)


def faults(folder: Path, project_id: int, ledger: Ledger) -> list[str]:
    """Compare what was told with what is in the database of a stopped box; return what differs, in words."""
    with Store(folder, Settings(data=str(folder))) as store:
        return store.read(lambda reading: [*_work(reading, ledger), *_tasks(reading, project_id, ledger)])


def _work(reading: Reading, ledger: Ledger) -> list[str]:
    found: list[str] = []
    for image_id, diffs in ledger.saved.items():
        kept = Counter(reading.execute("SELECT diff_id, revision FROM history WHERE image_id = ?", (image_id,)))
        found += [f"image {image_id} lacks the saved diff {one[0]}" for one in diffs.items() if kept[one] != 1]
        present = {i for (i,) in reading.execute("SELECT id FROM annotations WHERE image_id = ?", (image_id,))}
        wrong = [i for i, stands in ledger.drawn[image_id].items() if stands != (i in present)]
        found += [f"image {image_id} is not as it was saved: annotation {i}" for i in wrong]
    return found


def _tasks(reading: Reading, project_id: int, ledger: Ledger) -> list[str]:
    """Every task is where the last answer about it left it; one that nobody was told of is open."""
    found: list[str] = []
    sql = "SELECT id, state, assignee_id, reviewer_id FROM tasks WHERE project_id = ?"
    for task_id, state, assignee_id, reviewer_id in reading.execute(sql, (project_id,)):
        told, holder = ledger.tasks.get(task_id, ("open", 0))
        held = {"in_progress": assignee_id, "in_review": reviewer_id}.get(state) or 0
        if (state, held) != (told, holder):
            found.append(f"task {task_id} is {state} with user {held}, not {told} with user {holder}")
    return found
