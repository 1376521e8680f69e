"""What annotators and reviewers do: scripts that yield requests to send and seconds to think."""

from __future__ import annotations

import random
from collections.abc import Generator
from typing import Any

import msgspec

from tests.bench._ledger import Ledger
from tests.bench._load import render

__all__ = ["Ask", "Person", "Script", "annotate", "review"]

_CHANGES = (1, 20)
_SAVES = (1, 3)
_THINK_S = (0.5, 1.5)
_AGAIN = 0.03
"""Share of saves that are sent a second time, as after an answer that was lost."""
_VERDICTS = {"approve": 0.6, "return": 0.25, "fix": 0.15}
_WIDTH, _HEIGHT = 640, 480

Ask = tuple[str, bytes]
"""A kind of request and its bytes."""
Answer = tuple[int, bytes]
Script = Generator[Ask | float, Answer, None]


class Person(msgspec.Struct, frozen=True):
    """Somebody who is signed in; `watches` when their page follows the events."""

    user_id: int
    role: str
    cookie: str
    watches: bool


class _Sight(msgspec.Struct):
    """An image as a page has it: its revision and drafts of its annotations."""

    image_id: int
    revision: int
    drafts: dict[str, dict[str, Any]]


class _Desk:
    """One person's page: requests rendered as their browser sends them, and what it makes of the answers."""

    def __init__(self, person: Person, port: int, project_id: int, label_ids: list[int], ledger: Ledger) -> None:
        self.person = person
        self.ledger = ledger
        self.random = random.Random(person.user_id)
        self._label_ids = label_ids
        self._root = f"/api/projects/{project_id}"
        self._made = 0
        host = f"127.0.0.1:{port}"
        self._headers = {"Host": host, "Origin": f"http://{host}", "Cookie": person.cookie,
                         "X-PixelQueue-User": str(person.user_id), "Content-Type": "application/json"}  # fmt: skip

    def think(self) -> float:
        return self.random.uniform(*_THINK_S)

    def get(self, kind: str, path: str) -> Ask:
        return kind, render("GET", self._root + path, self._headers)

    def post(self, kind: str, path: str, facts: Any = None) -> Ask:
        body = b"" if facts is None else msgspec.json.encode(facts)
        return kind, render("POST", self._root + path, self._headers, body)

    def fault(self, what: str, answer: Answer) -> None:
        """Note an answer that nobody should get."""
        said = answer[1][:300].decode(errors="replace")
        self.ledger.errors.append(f"{what} by user {self.person.user_id} got {answer[0]}: {said}")

    def stale(self, answer: Answer) -> bool:
        """Tell whether the image changed meanwhile, which a page answers by looking again."""
        if answer[0] != 409 or b'"stale-revision"' not in answer[1]:
            return False
        self.ledger.stale += 1
        return True

    def diff(self, sight: _Sight) -> dict[str, Any]:
        """Return a diff of 1 to 20 changes of what is in sight."""
        self._made += 1
        tag = f"{self.person.user_id:05d}-{self._made:06d}"
        here = list(sight.drafts)
        self.random.shuffle(here)
        diff: dict[str, Any] = {"diff_id": f"diff-{tag}", "revision": sight.revision}
        diff |= {"added": [], "changed": [], "removed": []}
        for number in range(self.random.randint(*_CHANGES)):
            dice = self.random.random()
            if not here or dice < 0.55:
                draft = {"id": f"{tag}-{number:02d}", "label_id": self.random.choice(self._label_ids)}
                diff["added"].append(draft | {"geometry": self._box()})
            elif dice < 0.85:
                diff["changed"].append(sight.drafts[here.pop()] | {"geometry": self._box()})
            else:
                diff["removed"].append(here.pop())
        return diff

    def _box(self) -> dict[str, Any]:
        x, y = self.random.uniform(0, _WIDTH - 140), self.random.uniform(0, _HEIGHT - 90)
        sides = self.random.uniform(10, 130), self.random.uniform(10, 80)
        return {"type": "box", "x1": x, "y1": y, "x2": x + sides[0], "y2": y + sides[1]}


def annotate(person: Person, port: int, project_id: int, label_ids: list[int], ledger: Ledger) -> Script:
    """Take what is next, look at it, save a few times, hand it in, without an end."""
    desk = _Desk(person, port, project_id, label_ids, ledger)
    while True:
        yield desk.think()
        task = yield from _take(desk, "take", "/tasks/next?role=annotate", "in_progress")
        if task is None:
            continue
        sight = yield from _look(desk, task["image_id"], picture=True)
        for _ in range(desk.random.randint(*_SAVES)):
            yield desk.think()
            sight = yield from _save(desk, sight)
        yield desk.think()
        yield from _submit(desk, task["id"], sight)


def review(person: Person, port: int, project_id: int, label_ids: list[int], ledger: Ledger) -> Script:
    """Take what waits for review, look at it, and approve it, return it with a reason, or mend and approve it."""
    desk = _Desk(person, port, project_id, label_ids, ledger)
    while True:
        yield desk.think()
        task = yield from _take(desk, "take_review", "/tasks/next?role=review", "in_review")
        if task is None:
            continue
        sight = yield from _look(desk, task["image_id"], picture=True)
        (choice,) = desk.random.choices(list(_VERDICTS), list(_VERDICTS.values()))
        yield desk.think()
        if choice == "fix":
            sight = yield from _save(desk, sight)
            yield desk.think()
        yield from _judge(desk, task, sight, returned=choice == "return")


_Step = Generator[Ask | float, Answer, Any]


def _take(desk: _Desk, kind: str, path: str, state: str) -> _Step:
    answer = yield desk.post(kind, path)
    if answer[0] == 204:
        desk.ledger.idle += 1
        return None
    if answer[0] != 200:
        desk.fault(kind, answer)
        return None
    task = msgspec.json.decode(answer[1])
    desk.ledger.take(task["id"], desk.person.user_id, state)
    return task


def _look(desk: _Desk, image_id: int, *, picture: bool = False) -> _Step:
    answer = yield desk.get("look", f"/images/{image_id}/annotations")
    if picture:
        shown = yield desk.get("picture", f"/images/{image_id}/file")
        if shown[0] != 200:
            desk.fault("picture", shown)
    if answer[0] != 200:
        desk.fault("look", answer)
        return _Sight(image_id, 0, {})
    facts = msgspec.json.decode(answer[1])
    drafts = {a["id"]: {name: a[name] for name in ("id", "label_id", "geometry")} for a in facts["annotations"]}
    return _Sight(image_id, facts["revision"], drafts)


def _save(desk: _Desk, sight: _Sight) -> _Step:
    diff = desk.diff(sight)
    asked = desk.post("save", f"/images/{sight.image_id}/annotations", diff)
    answer = yield asked
    if desk.stale(answer):
        return (yield from _look(desk, sight.image_id))
    if answer[0] != 200:
        desk.fault("save", answer)
        return sight
    put = [*diff["added"], *diff["changed"]]
    revision = msgspec.json.decode(answer[1])["revision"]
    desk.ledger.save(sight.image_id, diff["diff_id"], revision, [draft["id"] for draft in put], diff["removed"])
    drafts = {key: draft for key, draft in sight.drafts.items() if key not in diff["removed"]}
    if desk.random.random() < _AGAIN:
        again = yield asked
        if again[0] != 200 or msgspec.json.decode(again[1]) != msgspec.json.decode(answer[1]) | {"repeated": True}:
            desk.fault("the same save again", again)
    return _Sight(sight.image_id, revision, drafts | {draft["id"]: draft for draft in put})


def _submit(desk: _Desk, task_id: int, sight: _Sight) -> _Step:
    while True:
        answer = yield desk.post("submit", f"/tasks/{task_id}/submit", {"revision": sight.revision})
        if not desk.stale(answer):
            break
        sight = yield from _look(desk, sight.image_id)
    if answer[0] == 200:
        desk.ledger.leave(task_id, "in_review")
    else:
        desk.fault("submit", answer)


def _judge(desk: _Desk, task: dict[str, Any], sight: _Sight, *, returned: bool) -> _Step:
    facts: dict[str, Any] = {"revision": sight.revision, "verdict": "return" if returned else "approve"}
    if returned:
        rejected = desk.random.sample(list(sight.drafts), min(1, len(sight.drafts)))
        facts |= {"reason": "look again at the edges",
                  "verdicts": [{"annotation_id": key, "verdict": "reject"} for key in rejected]}  # fmt: skip
    answer = yield desk.post("review", f"/tasks/{task['id']}/review", facts)
    if answer[0] == 201:
        desk.ledger.leave(task["id"], "returned" if returned else "done")
    else:
        desk.fault("review", answer)
