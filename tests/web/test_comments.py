"""Comments over the API: who may say, change and resolve what, and what everybody hears of it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests._site import Site, site_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("comments") / "data") as running:
        yield running


class Place:
    """An image of a project, and short words for what people do with its threads."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.project_id = site.project()
        self.image_id = site.image(self.project_id)["id"]

    @property
    def url(self) -> str:
        return f"/api/projects/{self.project_id}"

    def post(self, who: str, text: str = "look here", **facts: Any) -> httpx.Response:
        body = {"key": secrets.token_urlsafe(9), "text": text, **facts}
        return self.site.people[who].post(f"{self.url}/images/{self.image_id}/comments", json=body)

    def say(self, who: str, text: str = "look here", **facts: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.site.ok(self.post(who, text, **facts))
        return made

    def threads(self, who: str = "owner") -> list[dict[str, Any]]:
        answer = self.site.people[who].get(f"{self.url}/images/{self.image_id}/comments")
        items: list[dict[str, Any]] = self.site.ok(answer)["items"]
        return items

    def tell(self, who: str, thread_id: int, what: str) -> httpx.Response:
        return self.site.people[who].post(f"{self.url}/threads/{thread_id}/{what}")

    def unread(self, who: str) -> dict[str, Any]:
        found: dict[str, Any] = self.site.ok(self.site.people[who].get(f"{self.url}/comments/unread"))
        return found

    def images(self, who: str, **query: Any) -> list[int]:
        items = self.site.ok(self.site.people[who].get(f"{self.url}/images", params=query))["items"]
        return [one["id"] for one in items]


@pytest.fixture
def place(site: Site) -> Place:
    return Place(site)


@pytest.mark.parametrize("who", ["annotator", "reviewer", "owner", "admin"])
def test_every_member_and_the_administrator_may_comment(place: Place, who: str) -> None:
    made = place.say(who, pin={"x": 3, "y": 4})
    assert [(t["id"], t["x"], t["y"]) for t in place.threads()] == [(made["id"], 3, 4)]


@pytest.mark.parametrize("who", ["outsider", "operator"])
def test_nobody_else_reads_or_writes_comments(place: Place, who: str) -> None:
    thread = place.say("annotator")
    status = 404 if who == "outsider" else 403
    comment = f"{place.url}/comments/{thread['comments'][0]['id']}"
    client = place.site.people[who]
    for answer in (
        place.post(who),
        client.get(f"{place.url}/images/{place.image_id}/comments"),
        client.get(f"{place.url}/comments/unread"),
        client.patch(comment, json={"text": "mine"}),
        client.delete(comment),
        place.tell(who, thread["id"], "resolve"),
    ):
        assert answer.status_code == status


def test_the_ids_of_one_project_mean_nothing_in_another(site: Site, place: Place) -> None:
    other = Place(site)
    thread = place.say("annotator")
    comment_id = thread["comments"][0]["id"]
    people = site.people
    for answer in (
        other.tell("reviewer", thread["id"], "resolve"),
        people["annotator"].patch(f"{other.url}/comments/{comment_id}", json={"text": "mine"}),
        people["annotator"].delete(f"{other.url}/comments/{comment_id}"),
        people["annotator"].get(f"{other.url}/images/{place.image_id}/comments"),
        people["annotator"].post(f"{other.url}/images/{place.image_id}/comments/read", json={}),
    ):
        site.refused(answer, 404, "not-found")
    assert place.threads() == [thread | {"unread": 1}]


def test_authors_change_their_own_and_nobody_elses(place: Place) -> None:
    thread = place.say("annotator", "first words")
    url = f"{place.url}/comments/{thread['comments'][0]['id']}"
    for who in ("reviewer", "owner", "admin"):
        place.site.refused(place.site.people[who].patch(url, json={"text": "mine"}), 403, "forbidden")
        place.site.refused(place.site.people[who].delete(url), 403, "forbidden")
    edited = place.site.ok(place.site.people["annotator"].patch(url, json={"text": "better"}))
    assert edited["comments"][0]["text"] == "better"
    place.site.ok(place.site.people["annotator"].delete(url), 204)
    assert place.threads() == []
    assert place.site.audited("comment.delete")[0]["details"] == {"before": "better"}


@pytest.mark.parametrize(("who", "status"), [("annotator", 403), ("reviewer", 200), ("owner", 200), ("admin", 200)])
def test_who_reviews_resolves_what_others_opened(place: Place, who: str, status: int) -> None:
    thread = place.say("reviewer" if who != "reviewer" else "annotator")
    assert place.tell(who, thread["id"], "resolve").status_code == status
    assert place.images("owner", comments="unresolved") == ([place.image_id] if status == 403 else [])
    assert place.tell(who, thread["id"], "reopen").status_code == status


def test_who_opened_a_thread_resolves_it(place: Place) -> None:
    thread = place.say("annotator")
    resolved = place.site.ok(place.tell("annotator", thread["id"], "resolve"))
    assert (resolved["resolver"], resolved["resolved_by"]) == ("annotator", place.site.ids["annotator"])


def test_a_comment_that_is_sent_again_is_one_comment_and_one_piece_of_news(place: Place) -> None:
    facts = {"key": "sent-twice", "text": "once"}
    assert place.say("annotator", **facts)["id"] == place.say("annotator", **facts)["id"]
    place.site.refused(place.post("reviewer", **facts), 409, "conflict")
    assert (len(place.threads()), place.unread("reviewer")["comments"]) == (1, 1)


def test_what_others_said_is_unread_and_the_filter_finds_it(place: Place) -> None:
    thread = place.say("annotator", "@reviewer look")
    reader = place.site.ids["reviewer"]
    waiting = {"image_id": place.image_id, "comments": 1, "mentions": 1}
    assert place.unread("reviewer") == {"comments": 1, "mentions": 1, "images": [waiting]}
    assert place.unread("owner")["mentions"] == 0
    assert place.images("reviewer", unread_by=reader) == [place.image_id]
    assert place.site.ok(place.site.people["reviewer"].get(place.url))["unread"] == 1
    url = f"{place.url}/images/{place.image_id}/comments/read"
    place.site.ok(place.site.people["reviewer"].post(url, json={"thread_id": thread["id"]}), 204)
    assert place.unread("reviewer")["images"] == []
    assert place.images("reviewer", unread_by=reader) == []
    assert place.site.ok(place.site.people["reviewer"].get(place.url))["unread"] == 0


def test_odd_comments_are_refused(place: Place) -> None:
    for facts in (
        {"text": " "}, {"text": "x" * 4001}, {"pin": {"x": -1, "y": 0}}, {"key": "short"}, {"pin": {"x": 1}},
        {"pin": {"x": 1, "y": 1, "annotation_id": "!"}}, {"pin": {"x": 65, "y": 1}},
    ):  # fmt: skip
        place.site.refused(place.post("annotator", **{"text": "look", **facts}), 422, "invalid-input")
    place.site.refused(place.post("annotator", reply_to="nobody-said-this"), 404, "not-found")
    assert place.threads() == []
