"""What people and models did, added up by the hour as it happens; no page reads history for it.

Time per image is what the browser measured: its tab was shown and somebody moved or typed within
the last minute. No more is taken than passed since the task was taken, nor than the person's
clock has left, which all their work, offline work sent at once too, draws from. Where a client measures
nothing, it counts from taking the task, or from handing in the one before when that came later, to
handing it in; of what lies between two saves, what is longer than two minutes is left out.
Times are kept in steps of ten percent, so a median is right within five. Reviewing is measured
alike, from taking an image to the verdict on it, and kept apart; it stays spent when a verdict is
withdrawn.

What became of a model's predictions is judged when the image is done: those of the last run
against what stands then. An image that is done anew is judged anew, and what was counted for
it before is taken back.
"""

import math
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

from appliance.records import Annotation, Record, Review, Task
from appliance.store import annotations, history, rows
from appliance.store.days import Period, hour_of
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = [
    "Day",
    "Insights",
    "LabelUse",
    "Outcome",
    "Person",
    "Threshold",
    "agreement",
    "judged",
    "reviewed",
    "spent_reviewing",
    "submitted",
    "summary",
    "taken_back",
]

_IDLE_MS = 120_000
_STEP = math.log(1.1)
_SAME_PLACE_IOU = 0.5
_CLOCK_MS = 12 * 3600 * 1000
"""The longest that work out of reach of the box may count for when it comes."""

Fate = tuple[str, int, int]
"""What became of a prediction, its label, and its confidence in tenths."""


class Day(Record, frozen=True):
    """`day` counts from 1970-01-01, in the zone that was asked for."""

    day: int
    submitted: int = 0
    reworked: int = 0
    approved: int = 0
    returned: int = 0
    agreed: int = 0
    disagreed: int = 0
    active_s: int = 0
    reviewing_s: int = 0


class Person(Record, frozen=True):
    """What one person handed in, what became of it, and what they reviewed."""

    user_id: int
    name: str
    submitted: int = 0
    reworked: int = 0
    approved: int = 0
    returned: int = 0
    reviewed: int = 0
    agreed: int = 0
    disagreed: int = 0
    active_s: int = 0
    reviewing_s: int = 0
    median_s: float | None = None


class LabelUse(Record, frozen=True):
    """The annotations a label has now, by where they come from."""

    label_id: int
    name: str
    color: str
    manual: int = 0
    imported: int = 0
    accepted: int = 0
    prediction: int = 0
    rejected: int = 0


class Outcome(Record, frozen=True):
    """What became of the predictions of one label and one tenth of confidence (0 to 9)."""

    label_id: int
    step: int
    accepted: int = 0
    adjusted: int = 0
    replaced: int = 0
    rejected: int = 0
    left: int = 0


class Threshold(Record, frozen=True):
    """What taking only predictions from a confidence on would mean; `label_id` 0 is all labels together.

    Attributes:
        step: The confidence in tenths, 0 to 9.
        right: Predictions from there on that people took, as made or adjusted.
        wrong: Those they refused or replaced.
        missed: Right ones below it.
        best: Whether this one has the best balance of right and missed (F1).
    """

    label_id: int
    step: int
    right: int
    wrong: int
    missed: int
    best: bool


class Insights(Record, frozen=True):
    """A project in numbers; of `people` everybody but the project's admins sees only themselves."""

    first_day: int
    last_day: int
    median_s: float | None
    days: list[Day]
    people: list[Person]
    labels: list[LabelUse]
    outcomes: list[Outcome]
    thresholds: list[Threshold]


# What writers add


def submitted(tx: Transaction, task: Task, user_id: int, active_ms: int | None = None) -> None:
    """Count that somebody hands in a task, as it stood before; `active_ms` is what their browser measured."""
    now_ms = _spent_ms(tx, task, user_id, _taken_ms(task, user_id), active_ms)
    before: list[Any] = tx.execute(
        "SELECT worked_ms FROM time_samples WHERE image_id = ? AND user_id = ? AND counted = 0",
        (task.image_id, user_id),
    ).fetchall()
    worked_ms = now_ms + sum(ms for (ms,) in before)
    hour = hour_of(tx.now_ms)
    tx.execute(
        "INSERT OR REPLACE INTO time_samples VALUES (?, ?, ?, ?, 1)", (task.image_id, user_id, hour, worked_ms)
    )
    _count_submission(tx, task, user_id, worked_ms, hour, 1)
    tx.execute("INSERT OR REPLACE INTO submissions VALUES (?, ?, ?)", (task.project_id, user_id, tx.now_ms))


def taken_back(tx: Transaction, task: Task, user_id: int) -> None:
    """Count a submission no more that its author took back; its time goes on with the next one."""
    sql = "SELECT hour, worked_ms FROM time_samples WHERE image_id = ? AND user_id = ? AND counted = 1"
    for hour, worked_ms in tx.execute(sql, (task.image_id, user_id)).fetchall():
        _count_submission(tx, task, user_id, worked_ms, hour, -1)
    tx.execute("UPDATE time_samples SET counted = 0 WHERE image_id = ?", (task.image_id,))


def _count_submission(tx: Transaction, task: Task, user_id: int, worked_ms: int, hour: int, sign: int) -> None:
    step = int(math.log(max(worked_ms, 1_000) / 1000) / _STEP)
    _add(tx, task.project_id, "submitted", user_id, n=sign, hour=hour)
    _add(tx, task.project_id, "time", user_id, step=step, n=sign, hour=hour)
    _add(tx, task.project_id, "active_s", user_id, n=sign * round(worked_ms / 1000), hour=hour)
    if task.round > 1:
        _add(tx, task.project_id, "reworked", user_id, n=sign, hour=hour)


def spent_reviewing(tx: Transaction, task: Task, user_id: int, active_ms: int | None = None) -> None:
    """Count the time a verdict took, on a task as it stood before; `active_ms` is what the browser measured."""
    taken_ms = task.updated_at_ms if task.reviewer_id == user_id else None
    spent_ms = _spent_ms(tx, task, user_id, taken_ms, active_ms)
    if spent_ms:
        _add(tx, task.project_id, "reviewing_s", user_id, n=round(spent_ms / 1000))
    tx.execute("INSERT OR REPLACE INTO submissions VALUES (?, ?, ?)", (task.project_id, user_id, tx.now_ms))


def agreement(tx: Transaction, task: Task, last: Review, *, sign: int = 1) -> None:
    """Count whether a verdict agrees with another reviewer's approval of the same; -1 takes it back."""
    sql = (
        "SELECT 1 FROM reviews WHERE task_id = ? AND round = ? AND reviewer_id IS NOT ? AND verdict = 'approve' "
        "AND stands_at = ? LIMIT 1"
    )
    key = (task.id, last.round, last.reviewer_id, last.revision)
    if tx.execute(sql, key).fetchall():
        measure = "agreed" if last.verdict == "approve" else "disagreed"
        _add(tx, task.project_id, measure, last.reviewer_id or 0, n=sign, hour=hour_of(last.created_at_ms))


def reviewed(
    tx: Transaction, task: Task, reviewer_id: int, verdict: str, *, final: bool, sign: int = 1,
    at_ms: int | None = None,
) -> None:  # fmt: skip
    """Count a verdict on a task, for whoever handed it in and for the reviewer; -1 takes it back.

    An approval that others have to join is the reviewer's alone.
    """
    hour = hour_of(tx.now_ms if at_ms is None else at_ms)
    if final or verdict == "return":
        measure = "approved" if verdict == "approve" else "returned"
        _add(tx, task.project_id, measure, task.assignee_id or 0, n=sign, hour=hour)
    _add(tx, task.project_id, "reviewed", reviewer_id, n=sign, hour=hour)


def judged(tx: Transaction, project_id: int, image_id: int) -> None:
    """Count what became of the predictions on an image that is done now."""
    made = _predicted(tx, image_id)
    present = annotations.of_images(tx, [image_id])[image_id] if made else []
    fates = _fates(made, {a.id: a for a in present})
    before = list(tx.execute("SELECT hour, tally FROM outcomes WHERE image_id = ?", (image_id,)))
    for hour, tally in before:
        for fate, label_id, step, n in rows.decode(tally):
            _add(tx, project_id, fate, label_id=label_id, step=step, n=-n, hour=hour)
    if not fates and not before:
        return
    for (fate, label_id, step), n in fates.items():
        _add(tx, project_id, fate, label_id=label_id, step=step, n=n)
    kept = rows.encode([(*key, n) for key, n in fates.items()])
    tx.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?)", (image_id, hour_of(tx.now_ms), kept))


def _add(
    tx: Transaction, project_id: int, measure: str, user_id: int = 0, *, label_id: int = 0, step: int = 0,
    n: int = 1, hour: int | None = None,
) -> None:  # fmt: skip
    tx.execute(
        "INSERT INTO insights (project_id, hour, measure, user_id, label_id, step, n) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET n = n + excluded.n",
        (project_id, hour_of(tx.now_ms) if hour is None else hour, measure, user_id, label_id, step, n),
    )


def _taken_ms(task: Task, user_id: int) -> int | None:
    """Return when somebody took the task that they hand in, None where they did not."""
    return task.updated_at_ms if task.state == "in_progress" and task.assignee_id == user_id else None


def _spent_ms(tx: Transaction, task: Task, user_id: int, taken_ms: int | None, active_ms: int | None) -> int:
    """Return how long somebody was at an image, as measured or else by their saves."""
    if active_ms is None:
        return _worked_ms(tx, task, user_id, taken_ms)
    return _credited(tx, user_id, taken_ms, active_ms)


def _worked_ms(tx: Transaction, task: Task, user_id: int, taken_ms: int | None) -> int:
    last = "SELECT at_ms FROM submissions WHERE project_id = ? AND user_id = ?"
    begun = max([taken_ms or 0, *(at for (at,) in tx.execute(last, (task.project_id, user_id)))])
    own = (
        "SELECT at_ms FROM history WHERE image_id = ? AND author_id = ? AND job_id IS NULL AND at_ms > ? "
        "ORDER BY revision"
    )
    saves = [at for (at,) in tx.execute(own, (task.image_id, user_id, begun))]
    moments = [*([begun] if begun else []), *saves, tx.now_ms]
    gaps = (later - earlier for earlier, later in pairwise(moments))
    return sum(gap for gap in gaps if gap <= _IDLE_MS)


def _credited(tx: Transaction, user_id: int, taken_ms: int | None, active_ms: int) -> int:
    """Take measured time off the person's clock, as far as that and the time since taking the task reach."""
    used: list[Any] = tx.execute("SELECT until_ms FROM clocks WHERE user_id = ?", (user_id,)).fetchall()
    since: int = max([tx.now_ms - _CLOCK_MS, *(until for (until,) in used)])
    begun = since if taken_ms is None else taken_ms
    granted = max(0, min(active_ms, tx.now_ms - since, tx.now_ms - begun))
    tx.execute("INSERT OR REPLACE INTO clocks VALUES (?, ?)", (user_id, since + granted))
    return granted


def _predicted(reading: Reading, image_id: int) -> dict[str, Annotation]:
    """Return what the last run that changed the image put there, as the model made it."""
    made: dict[str, Annotation] = {}
    for changes in history.of_jobs(reading, image_id):
        fresh = {new.id: new for _, new in changes.put if new.is_prediction}
        gone = {old.id for old in changes.removed}
        made = {key: a for key, a in made.items() if key not in gone} | fresh
    return made


def _fates(made: dict[str, Annotation], present: dict[str, Annotation]) -> Counter[Fate]:
    drawn = [a for a in present.values() if a.source == "manual" and a.status != "rejected"]
    fates: Counter[Fate] = Counter()
    for key, prediction in made.items():
        step = min(9, int((prediction.confidence or 0.0) * 10))
        fates[_fate(prediction, present.get(key), drawn), prediction.label_id, step] += 1
    return fates


def _fate(made: Annotation, now: Annotation | None, drawn: list[Annotation]) -> str:
    if now is None or now.status == "rejected":
        return "replaced" if any(_same_place(made, other) for other in drawn) else "rejected"
    if now.is_prediction:
        return "left"
    return "accepted" if (now.label_id, now.geometry) == (made.label_id, made.geometry) else "adjusted"


def _same_place(one: Annotation, other: Annotation) -> bool:
    ax1, ay1, ax2, ay2 = one.geometry.bounds()
    bx1, by1, bx2, by2 = other.geometry.bounds()
    shared = max(0.0, min(ax2, bx2) - max(ax1, bx1)) * max(0.0, min(ay2, by2) - max(ay1, by1))
    union = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - shared
    return shared >= _SAME_PLACE_IOU * max(union, 1e-12)


# What a page reads


def summary(reading: Reading, project_id: int, period: Period, person_id: int | None = None) -> Insights:
    """Return what happened in a period, and the labels as they are now.

    Of people everybody, or with `person_id` that one alone.
    """
    sql = (
        "SELECT hour, measure, user_id, label_id, step, n FROM insights "
        "WHERE project_id = ? AND hour >= ? AND hour < ? ORDER BY hour"
    )
    days: dict[int, Counter[str]] = defaultdict(Counter)
    persons: dict[int, Counter[str]] = defaultdict(Counter)
    times: dict[int, Counter[int]] = defaultdict(Counter)
    fates: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for hour, measure, user_id, label_id, step, n in reading.execute(sql, (project_id, period.begin, period.end)):
        if measure == "time":
            times[user_id][step] += n
        elif measure in Outcome.__struct_fields__:
            fates[label_id, step][measure] += n
        else:
            persons[user_id][measure] += n
            if measure != "reviewed":
                days[period.day_of(hour)][measure] += n
    seen = persons if person_id is None else {key: found for key, found in persons.items() if key == person_id}
    return Insights(
        first_day=period.first_day,
        last_day=period.last_day,
        median_s=_median_s(sum(times.values(), Counter())),
        days=[Day(day=day, **days[day]) for day in range(period.first_day, period.last_day + 1)],
        people=_people(reading, seen, times),
        labels=_labels(reading, project_id),
        outcomes=[Outcome(label_id=key[0], step=key[1], **found) for key, found in sorted(fates.items())],
        thresholds=_thresholds(fates),
    )


def _thresholds(fates: dict[tuple[int, int], Counter[str]]) -> list[Threshold]:
    right: dict[int, Counter[int]] = defaultdict(Counter)
    wrong: dict[int, Counter[int]] = defaultdict(Counter)
    for (label_id, step), found in fates.items():
        for key in (0, label_id):
            right[key][step] += found["accepted"] + found["adjusted"]
            wrong[key][step] += found["replaced"] + found["rejected"]
    return [one for key in sorted(right) for one in _of_label(key, right[key], wrong[key])]


def _of_label(label_id: int, right: Counter[int], wrong: Counter[int]) -> list[Threshold]:
    if not right.total() + wrong.total():
        return []
    kept = [sum(n for at, n in right.items() if at >= step) for step in range(10)]
    refused = [sum(n for at, n in wrong.items() if at >= step) for step in range(10)]
    missed = [right.total() - n for n in kept]
    scores = [2 * k / max(1, 2 * k + w + m) for k, w, m in zip(kept, refused, missed, strict=True)]
    best = scores.index(max(scores))
    return [
        Threshold(
            label_id=label_id, step=step, right=kept[step], wrong=refused[step], missed=missed[step],
            best=step == best,
        )
        for step in range(10)
    ]  # fmt: skip


def _people(reading: Reading, persons: dict[int, Counter[str]], times: dict[int, Counter[int]]) -> list[Person]:
    found = []
    for user_id, measures in sorted(persons.items()):
        for (name,) in list(reading.execute("SELECT name FROM users WHERE id = ?", (user_id,))):
            median_s = _median_s(times[user_id])
            found.append(Person(user_id=user_id, name=name, median_s=median_s, **measures))
    return sorted(found, key=lambda person: -person.submitted)


def _labels(reading: Reading, project_id: int) -> list[LabelUse]:
    sql = "SELECT id, name, color FROM labels WHERE project_id = ? ORDER BY class_index"
    by_sort = "SELECT sort, annotations FROM annotation_counts WHERE label_id = ?"
    found = []
    for label_id, name, color in list(reading.execute(sql, (project_id,))):
        counts = {"imported" if sort == "import" else sort: n for sort, n in reading.execute(by_sort, (label_id,))}
        found.append(LabelUse(label_id=label_id, name=name, color=color, **counts))
    return found


def _median_s(times: Counter[int]) -> float | None:
    """Return the middle of the step that holds the median, None when nothing was timed."""
    if not times.total():
        return None
    left = times.total() / 2
    for step, n in sorted(times.items()):
        left -= n
        if left <= 0:
            return round(math.exp((step + 0.5) * _STEP), 1)
    return None
