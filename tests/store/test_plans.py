"""Every list walks an index: no full scan, no temporary B-tree, with each of its filters."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from appliance.geometry.box import Box
from appliance.records import ModelInfo, Provenance
from appliance.store import (
    Store,
    activations,
    annotations,
    audit,
    comments,
    events,
    exports,
    filters,
    history,
    images,
    insights,
    jobs,
    labels,
    late,
    members,
    model_labels,
    models,
    policies,
    projects,
    purge,
    queues,
    restore,
    reviews,
    revisions,
    scrub,
    segmenters,
    sessions,
    snapshots,
    storage,
    task_changes,
    tasks,
    threads,
    tokens,
    undo,
    unread,
    uploads,
    users,
    validation,
    withdrawn,
    workload,
)  # fmt: skip
from appliance.store.days import Period
from appliance.store.filters import ImageFilter
from tests.store._nouns import (
    a_diff,
    a_draft,
    a_label,
    a_project,
    a_user,
    save,
    settled,
    some_images,
    task_of,
)  # fmt: skip

SHA = "ab" * 32
CONDITIONS: list[dict[str, Any]] = [
    {"states": ["open"]}, {"states": ["open", "done"]}, {"labels": [1]}, {"labels": [1, 2]}, {"assignee": 0},
    {"assignee": 1}, {"confidence": (0.2, 0.5)}, {"folder": "/a"}, {"job_id": 1}, {"since_ms": 1, "until_ms": 9},
    {"comments": "unresolved"}, {"unread_by": 1}, {"text": "beach"}, {"text": "be"}, {"text": "b%e_a"},
    {"splits": ["val"]}, {"priorities": [2]}, {"priorities": [1, 2]}, {"priorities": [0]}, {"due_until_ms": 9},
    {"due_since_ms": 1, "due_until_ms": 9},
]  # fmt: skip
WANTED = [ImageFilter()] + [ImageFilter(**(a | b)) for a, b in itertools.combinations(CONDITIONS, 2)]
LISTS: dict[str, tuple[Callable[..., Any], dict[str, list[Any]]]] = {
    "annotations": (annotations.of_image, {"project_id": [1], "image_id": [1]}),
    "audit": (
        audit.listed,
        {
            "wanted": [
                None,
                *(audit.Filter(**one) for one in ({"project_id": 1}, {"user_id": 1}, {"action": "image.add"})),
                audit.Filter(project_id=1, user_id=1, action="project.create", since_ms=1, text="x"),
                audit.Filter(until_ms=1),
            ],
            "after": [None, 3],
        },
    ),
    "audited actions": (audit.actions, {}),
    "events": (events.since, {"seq": [3]}),
    "exports": (exports.listed, {"project_id": [1], "before": [None, 3]}),
    "export of job": (exports.of_job, {"job_id": [1]}),
    "history": (revisions.of_image, {"image_id": [1], "before": [None, 3]}),
    "history of a project": (
        revisions.of_project,
        {
            "project_id": [1],
            "wanted": [
                revisions.Filter(),
                *(revisions.Filter(**one) for one in ({"author_id": 1}, {"kind": "edit"}, {"job_id": 1})),
                revisions.Filter(author_id=1, kind="edit", job_id=1, since_ms=1, until_ms=2**50),
            ],
            "after": [None, "9999999999999-1-1"],
        },
    ),
    "image at a revision": (restore.at, {"project_id": [1], "image_id": [1], "revision": [0]}),
    "history of diff": (history.revision_of, {"image_id": [1], "diff_id": ["x"]}),
    "images": (
        images.listed,
        {"project_id": [1], "wanted": WANTED, "sort": ["oldest", "newest"], "after": [None, 3]},
    ),
    "images by name": (images.listed, {"project_id": [1], "wanted": WANTED, "sort": ["name"], "after": [None, "3"]}),
    "ids": (filters.packed, {"project_id": [1], "wanted": WANTED, "sort": ["oldest", "newest", "name"]}),
    "number of images": (filters.count, {"project_id": [1], "wanted": WANTED}),
    "folders": (images.folders, {"project_id": [1], "after": [None, "/a"]}),
    "image": (images.find, {"project_id": [1], "image_id": [1]}),
    "image of content": (images.by_content, {"project_id": [1], "sha256": [SHA]}),
    "image of name": (images.by_name, {"project_id": [1], "name": ["a"]}),
    "names of images": (images.names_after, {"project_id": [1], "after": [3], "limit": [10]}),
    "machine work on an image": (history.of_jobs, {"image_id": [1]}),
    "insights": (
        insights.summary,
        {"project_id": [1], "period": [Period(0, 30)], "person_id": [None, 1]},
    ),
    "jobs": (
        jobs.listed,
        {"project_id": [None, 1], "state": [None, "done"], "visible_to": [None, 1], "after": [None, 3]},
    ),
    "jobs under way": (jobs.under_way, {"kind": ["scrub"], "model_id": [None, 1]}),
    "jobs of a lane": (jobs.waiting, {"lane": ["io"]}),
    "blobs to read": (scrub.stretch, {"after": [b""], "limit": [10]}),
    "scrubs": (scrub.latest, {}),
    "owners of a blob": (scrub.owners, {"sha256": [SHA]}),
    "blobs by hash": (scrub.named, {"prefix": ["ab12"]}),
    "blobs to measure": (storage.stretch, {"after": [b""], "limit": [10]}),
    "job of tiles": (jobs.tiling, {"sha256": [SHA]}),
    "notes": (jobs.notes, {"job_id": [1]}),
    "labels": (labels.listed, {"project_id": [1]}),
    "uses of a label": (labels.uses, {"label_id": [1]}),
    "late": (late.listed, {"project_id": [1], "image_id": [None, 1], "after": [None, 3]}),
    "members": (members.listed, {"project_id": [1]}),
    "memberships": (members.projects_of, {"user_id": [1]}),
    "models": (models.listed, {"after": [None, 1]}),
    "model by name": (models.named, {"name": ["m"], "version": [None, 2]}),
    "model by content": (models.by_content, {"sha256": [SHA]}),
    "projects of a model": (models.users, {"model_id": [1], "member_id": [None, 1]}),
    "activations": (activations.listed, {"project_id": [1]}),
    "model to roll back to": (activations.previous, {"project_id": [1]}),
    "segmenter": (segmenters.chosen, {"project_id": [1]}),
    "segmenters": (segmenters.listed, {}),
    "labels of a model": (model_labels.chosen, {"project_id": [1], "model_id": [1]}),
    "model of content": (models.by_content, {"sha256": [SHA]}),
    "projects": (projects.listed, {"member_id": [None, 1], "after": [None, 1]}),
    "summary": (projects.summary, {"project_id": [1]}),
    "reviews": (reviews.of_image, {"image_id": [1]}),
    "latest review": (reviews.latest, {"image_id": [1]}),
    "session": (sessions.find, {"secret": ["x"], "now_ms": [1], "idle_s": [1], "max_s": [1]}),
    "sessions": (sessions.of_user, {"user_id": [1]}),
    "snapshots": (snapshots.listed, {"project_id": [1], "after": [None, 1]}),
    "tasks": (
        tasks.listed,
        {"project_id": [1], "state": ["open"], "assignee_id": [None, 1], "after": [None, 3]},
    ),
    "next to annotate": (queues.next_to_annotate, {"project_id": [1], "user_id": [1], "lease_ms": [1]}),
    "queue": (
        queues.to_annotate,
        {"project_id": [1], "user_id": [1], "now_ms": [1], "limit": [10]},
    ),
    "queue of reviews": (
        queues.to_review,
        {"project_id": [1], "user_id": [1], "now_ms": [1], "limit": [10]},
    ),
    "work of everybody": (workload.of_project, {"project_id": [1], "now_ms": [1]}),
    "what lacks approval": (policies.unfinished, {"project_id": [1], "image_ids": [[1, 2]]}),
    "next to review": (queues.next_to_review, {"project_id": [1], "user_id": [1], "lease_ms": [1]}),
    "threads": (threads.of_image, {"project_id": [1], "image_id": [1], "user_id": [1], "after": [None, 3]}),
    "unread": (unread.of_user, {"project_id": [1], "user_id": [1]}),
    "what a purge erases": (purge.affected, {"project_id": [1], "image_id": [1]}),
    "revisions of a job": (undo.revisions, {"job_id": [1], "below": [None, undo.Place(9, 1, 1)], "limit": [8]}),
    "what an undo would do": (undo.preview, {"project_id": [1], "job_id": [1]}),
    "job that undid": (undo.of_job, {"job_id": [1]}),
    "tasks a job changed": (task_changes.listed, {"job_id": [1], "after": [0], "limit": [8]}),
    "untouched images of an import": (
        withdrawn.brought,
        {"project_id": [1], "job_id": [1], "after": [0], "limit": [8]},
    ),
    "images an undo took away": (withdrawn.waiting, {"job_id": [1], "after": [0], "limit": [8]}),
    "validation": (validation.find, {"project_id": [1]}),
    "problems": (validation.problems, {"project_id": [1], "after": [None, 3]}),
    "tokens": (tokens.of_user, {"user_id": [1]}),
    "token": (tokens.find, {"secret": ["x"], "now_ms": [1]}),
    "expired uploads": (uploads.expired, {"now_ms": [1], "limit": [10]}),
    "uploads that came whole": (uploads.whole, {"limit": [10]}),
    "pictures of a dataset": (uploads.in_batch, {"batch_id": [1]}),
    "users": (users.listed, {"after": [None, 1]}),
    "user of address": (users.credentials, {"email": ["x"]}),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("filled")) as store:
        users_ = [a_user(store) for _ in range(30)]
        user, (project, *_) = users_[0], [a_project(store, created_by=one.id) for one in users_]
        label = a_label(store, project.id)
        for image in some_images(store, project.id, 30):
            drafts = [a_draft(f"shape-{n:03}", label.id, Box(n, n, n + 5, n + 5)) for n in range(10)]
            save(store, image, a_diff(0, drafts), user)
            remark = comments.Draft(key=f"remark-{image.id}", text="look here")
            store.write(lambda tx, i=image, r=remark: comments.add(tx, project.id, i.id, r, user.id))
            store.write(lambda tx, i=image: tasks.submit(tx, project.id, task_of(store, i).id, user.id, 1))
            info = ModelInfo(family="fake", task="detect", labels=["car"], input_size=(8, 8))
        for number in range(30):
            staged = settled(store, b"weights %d" % number)
            store.write(
                lambda tx, s=staged: models.create(
                    tx,
                    store.blobs,
                    name="m",
                    files={"weights": s},
                    info=info,
                    provenance=Provenance(),
                    created_by=None,
                )
            )
        store.write(lambda tx: tx.execute("ANALYZE").fetchall())
        yield store


def statements_of(store: Store, call: Callable[..., Any], arguments: dict[str, Any]) -> list[str]:
    """Return the SQL a call really runs, as SQLite itself reports it."""
    seen: list[str] = []

    def traced(tx):
        tx.connection.set_exec_trace(lambda _cursor, sql, _bindings: bool(seen.append(sql)) or True)
        try:
            call(tx, **arguments)
        finally:
            tx.connection.set_exec_trace(None)

    store.write(traced)
    return seen


def plan(store: Store, sql: str) -> list[str]:
    with store.reading() as reading:
        named = {f"arg{n}": None for n in range(sql.count("?"))}
        return [row[3] for row in reading.execute(f"EXPLAIN QUERY PLAN {sql}", tuple(named.values()))]


@pytest.mark.parametrize("name", LISTS)
def test_lists_walk_an_index(filled: Store, name: str) -> None:
    call, choices = LISTS[name]
    seen = 0
    for values in itertools.product(*choices.values()):
        for sql in statements_of(filled, call, dict(zip(choices, values, strict=True))):
            if sql.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
                seen += 1
                bad = [
                    step
                    for step in plan(filled, sql)
                    if "TEMP B-TREE" in step or ("SCAN" in step and not _harmless(step))
                ]
                assert bad == [], f"{name} {values}: {sql}"
    assert seen


def _harmless(step: str) -> bool:
    """The few rows SQLite keeps of sequences, the index of names for a query (``M``), what a subquery yields."""
    named = re.fullmatch(r"SCAN f VIRTUAL TABLE INDEX \d+:M\d[<>=]*", step)
    return step == "SCAN sqlite_sequence" or bool(named) or step.startswith("SCAN (subquery")


def test_the_instrument_sees_a_scan(filled: Store) -> None:
    sql = statements_of(filled, lambda tx: tx.execute("SELECT id FROM images WHERE width > 3").fetchall(), {})
    assert plan(filled, sql[0])[0].startswith("SCAN")
    assert "TEMP B-TREE" in " ".join(plan(filled, "SELECT id FROM images WHERE project_id = 1 ORDER BY width"))


def test_every_list_of_every_noun_is_covered() -> None:
    nouns = (activations, annotations, audit, events, exports, filters, history, images, insights, jobs, labels,
             late, members, model_labels, models, policies, projects, purge, queues, restore, reviews, revisions,
             scrub, segmenters, sessions, snapshots, storage, task_changes, tasks, threads, tokens, undo, unread,
             uploads, users, validation, withdrawn, workload)  # fmt: skip
    covered = {call for call, _ in LISTS.values()}
    assert {inspect.getmodule(call) for call in covered} == set(nouns)
    lists = ("listed", "of_image", "of_user", "of_job", "since", "find", "by_content", "by_name", "latest")
    walking = {
        function
        for noun in nouns
        for name, function in inspect.getmembers(noun, inspect.isfunction)
        if function.__module__ == noun.__name__ and (name in lists or name.startswith("next_"))
    }
    # One row each, by the primary key or the end of the index.
    single = {tasks.of_image, events.latest}
    assert walking - single <= covered
