"""Comments: threads on images, what people have not read of them, and what reviews do with them."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.errors import Conflict, Forbidden, InvalidInput, NotFound
from appliance.records import Image, Project, Thread, User, Verdict
from appliance.store import Store, audit, comments, filters, images, members, reviews, tasks, threads, unread
from appliance.store.comments import Draft
from appliance.store.filters import ImageFilter
from appliance.store.threads import Pin
from tests.store._nouns import (
    a_diff,
    a_draft,
    a_label,
    a_project,
    a_user,
    an_image,
    drawn,
    now,
    save,
    some_images,
    task_of,
)


class Team:
    """A project with an annotator and a reviewer, and one image with a shape on it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ann, self.rita = a_user(store), a_user(store)
        self.project: Project = a_project(store)
        for user, role in ((self.ann, "annotator"), (self.rita, "reviewer")):
            store.write(lambda tx, u=user, r=role: members.put(tx, self.project.id, u.id, r))
        self.label = a_label(store, self.project.id)
        self.image: Image = an_image(store, self.project.id)
        drawn(store, self.image, self.label, self.ann, "shape-01")

    def say(self, who: User, key: str, text: str = "look", **facts: Any) -> Thread:
        draft = Draft(key=key.ljust(8, "_"), text=text, **facts)
        return self.store.write(lambda tx: comments.add(tx, self.project.id, self.image.id, draft, who.id))

    def threads(self, who: User) -> list[Thread]:
        page = self.store.read(lambda r: threads.of_image(r, self.project.id, self.image.id, who.id))
        return page.items

    def unread(self, who: User) -> tuple[int, int]:
        found = self.store.read(lambda r: unread.of_user(r, self.project.id, who.id))
        return found.comments, found.mentions

    def matching(self, **wanted: Any) -> list[int]:
        return self.store.read(lambda r: filters.ids(r, self.project.id, ImageFilter(**wanted)))

    def returned(self, reason: str = "loose outline") -> None:
        task = task_of(self.store, self.image)
        verdicts = [Verdict(annotation_id="shape-01", verdict="reject")]
        self.store.write(lambda tx: tasks.submit(tx, self.project.id, task.id, self.ann.id, 1))
        self.store.write(
            lambda tx: reviews.review(
                tx,
                self.project.id,
                task.id,
                reviewer_id=self.rita.id,
                revision=1,
                verdict="return",
                reason=reason,
                verdicts=verdicts,
            )
        )


@pytest.fixture
def team(store: Store) -> Team:
    return Team(store)


def test_a_thread_has_a_number_a_place_and_replies(team: Team) -> None:
    first = team.say(team.ann, "one", pin=Pin(x=5, y=6))
    second = team.say(team.rita, "two", pin=Pin(x=1, y=2, annotation_id="shape-01"))
    whole = team.say(team.rita, "three")
    replied = team.say(team.rita, "four", "and here", reply_to="one_____")
    assert [t.number for t in (first, second, whole)] == [1, 2, 3]
    assert (replied.id, [c.text for c in replied.comments]) == (first.id, ["look", "and here"])
    assert [(t.x, t.y, t.annotation_id, t.gone) for t in team.threads(team.ann)] == [
        (5, 6, None, False), (1, 2, "shape-01", False), (None, None, None, False),
    ]  # fmt: skip
    assert [c.author for c in replied.comments] == ["Ann", "Ann"]


def test_the_same_key_again_is_the_same_comment(team: Team) -> None:
    first, again = team.say(team.ann, "one"), team.say(team.ann, "one", "other words")
    assert again == first
    assert len(team.threads(team.ann)) == 1
    with pytest.raises(Conflict):
        team.say(team.rita, "one")


def test_a_thread_outlives_its_annotation_and_says_so(team: Team) -> None:
    team.say(team.rita, "one", pin=Pin(x=3, y=4, annotation_id="shape-01"))
    save(team.store, team.image, a_diff(1, removed=["shape-01"]), team.ann)
    (thread,) = team.threads(team.ann)
    assert (thread.gone, thread.x, thread.y, thread.answered) == (True, 3, 4, True)


def test_changing_the_annotation_answers_the_threads_of_others(team: Team) -> None:
    team.say(team.rita, "one", pin=Pin(x=3, y=4, annotation_id="shape-01"))
    own = team.say(team.ann, "two", pin=Pin(x=3, y=4, annotation_id="shape-01"))
    save(team.store, team.image, a_diff(1, changed=[a_draft("shape-01", team.label.id)]), team.ann)
    assert [t.answered for t in team.threads(team.ann)] == [True, False]
    assert team.say(team.rita, "three", reply_to="two_____").answered
    assert not team.say(team.ann, "four", reply_to=own.key).answered


def test_what_somebody_else_said_is_unread_until_it_is_read(team: Team) -> None:
    thread = team.say(team.ann, "one", "no names")
    team.say(team.ann, "two", "@ann is not @Anna, @nobody", reply_to="one_____")
    assert (team.unread(team.ann), team.unread(team.rita)) == ((0, 0), (2, 1))
    assert team.matching(unread_by=team.rita.id) == [team.image.id]
    assert team.matching(unread_by=team.ann.id) == []
    assert [t.unread for t in team.threads(team.rita)] == [2]
    other = thread.id + 1
    team.store.write(lambda tx: unread.read(tx, team.project.id, team.image.id, team.rita.id, other))
    assert team.unread(team.rita) == (2, 1)
    team.store.write(lambda tx: unread.read(tx, team.project.id, team.image.id, team.rita.id, thread.id))
    assert (team.unread(team.rita), team.matching(unread_by=team.rita.id)) == ((0, 0), [])


def test_who_leaves_has_nothing_unread(team: Team) -> None:
    team.say(team.rita, "one")
    team.store.write(lambda tx: members.put(tx, team.project.id, team.rita.id, "admin"))
    team.store.write(lambda tx: members.remove(tx, team.project.id, team.ann.id))
    assert team.unread(team.ann) == (0, 0)


def test_one_changes_and_deletes_ones_own_and_the_audit_log_keeps_the_words(team: Team) -> None:
    (comment,) = team.say(team.ann, "one", "first words").comments
    project_id, store = team.project.id, team.store
    for refused in (
        lambda tx: comments.edit(tx, project_id, comment.id, "mine now", team.rita.id),
        lambda tx: comments.delete(tx, project_id, comment.id, team.rita.id),
    ):
        with pytest.raises(Forbidden):
            store.write(refused)
    edited = store.write(lambda tx: comments.edit(tx, project_id, comment.id, "better words", team.ann.id))
    assert (edited.comments[0].text, edited.comments[0].edited_at_ms is not None) == ("better words", True)
    store.write(lambda tx: comments.delete(tx, project_id, comment.id, team.ann.id))
    assert (team.threads(team.ann), team.unread(team.rita), now(store, team.image).threads) == ([], (0, 0), 0)
    with pytest.raises(NotFound):
        store.write(lambda tx: comments.edit(tx, project_id, comment.id, "again", team.ann.id))
    lines = store.read(lambda r: audit.listed(r, audit.Filter(project_id=project_id))).items
    words = {line.action: line.details.get("before") for line in lines if line.action.startswith("comment.")}
    assert words == {"comment.edit": "first words", "comment.delete": "better words"}


def test_who_opened_a_thread_and_who_reviews_may_resolve_it(team: Team) -> None:
    of_rita, of_ann = team.say(team.rita, "one"), team.say(team.ann, "two")
    project_id, store = team.project.id, team.store
    with pytest.raises(Forbidden):
        store.write(lambda tx: threads.resolve(tx, project_id, of_rita.id, team.ann.id, "annotator"))
    assert (now(store, team.image).threads, team.matching(comments="unresolved")) == (2, [team.image.id])
    store.write(lambda tx: threads.resolve(tx, project_id, of_ann.id, team.ann.id, "annotator"))
    done = store.write(lambda tx: threads.resolve(tx, project_id, of_rita.id, team.rita.id, "reviewer"))
    assert (done.resolved_by, done.resolver, done.resolved_at_ms is not None) == (team.rita.id, "Ann", True)
    assert (now(store, team.image).threads, team.matching(comments="unresolved")) == (0, [])
    store.write(lambda tx: threads.reopen(tx, project_id, of_rita.id, team.rita.id, "reviewer"))
    assert now(store, team.image).threads == 1


def test_a_return_pins_its_reason_at_what_it_rejects_and_withdrawing_takes_it_away(team: Team) -> None:
    team.returned("loose outline")
    (thread,) = team.threads(team.ann)
    assert (thread.annotation_id, thread.x, thread.y) == ("shape-01", 4.5, 0)
    assert [(c.text, c.author_id) for c in thread.comments] == [("loose outline", team.rita.id)]
    assert (now(team.store, team.image).threads, team.unread(team.ann)) == (1, (1, 0))
    task = task_of(team.store, team.image)
    team.store.write(lambda tx: reviews.withdraw(tx, team.project.id, task.id, team.rita.id))
    assert (team.threads(team.ann), now(team.store, team.image).threads, team.unread(team.ann)) == ([], 0, (0, 0))


def test_approving_resolves_what_reviews_pinned_and_nothing_else(team: Team) -> None:
    team.returned()
    team.say(team.rita, "one", "what is this?")
    store, project_id, task = team.store, team.project.id, task_of(team.store, team.image)
    revision = now(store, team.image).revision
    store.write(lambda tx: tasks.submit(tx, project_id, task.id, team.ann.id, revision))
    store.write(
        lambda tx: reviews.review(
            tx, project_id, task.id, reviewer_id=team.rita.id, revision=revision, verdict="approve"
        )
    )
    assert [t.resolved_by for t in team.threads(team.ann)] == [team.rita.id, None]
    assert now(store, team.image).threads == 1
    store.write(lambda tx: reviews.withdraw(tx, project_id, task.id, team.rita.id))
    assert [t.resolved_by for t in team.threads(team.ann)] == [None, None]
    assert now(store, team.image).threads == 2


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"text": "  "}, InvalidInput),
        ({"pin": Pin(x=-1, y=0)}, InvalidInput),
        ({"pin": Pin(x=0, y=81)}, InvalidInput),
        ({"pin": Pin(x=float("nan"), y=0)}, InvalidInput),
        ({"reply_to": "nowhere_"}, NotFound),
        ({"reply_to": "nowhere_", "pin": Pin(x=0, y=0)}, InvalidInput),
    ],
)
def test_what_cannot_be_said_is_refused(team: Team, facts: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        team.say(team.ann, "one", **{"text": "look", **facts})
    assert team.threads(team.ann) == []


def test_threads_go_with_their_image(team: Team) -> None:
    team.say(team.ann, "one")
    other = some_images(team.store, team.project.id, 1)[0]
    team.store.write(lambda tx: images.delete(tx, team.project.id, team.image.id))
    assert team.unread(team.rita) == (0, 0)
    with pytest.raises(NotFound):
        team.threads(team.ann)
    draft = Draft(key="elsewhere", text="x")
    with pytest.raises(NotFound):
        team.store.write(lambda tx: comments.add(tx, team.project.id + 1, other.id, draft, team.ann.id))
