"""From a picture to an approved image: tasks, submissions, reviews."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests._site import Site, box, diff, site_at


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(tmp_path_factory.mktemp("work") / "data") as running:
        yield running


def test_an_image_goes_from_open_to_done(site: Site) -> None:
    project_id = site.project()
    label = site.labels(project_id)[0]["id"]
    image = site.image(project_id)
    task = site.ok(
        site.people["annotator"].post(f"/api/projects/{project_id}/tasks/next", params={"role": "annotate"})
    )
    assert (task["image_id"], task["state"], task["assignee_id"]) == (
        image["id"],
        "in_progress",
        site.ids["annotator"],
    )
    revision = site.draw(project_id, image["id"], label)
    task = site.ok(site.tell(project_id, task["id"], "submit", {"revision": revision}))
    assert (task["state"], task["revision"]) == ("in_review", revision)
    task = site.ok(site.people["reviewer"].post(f"/api/projects/{project_id}/tasks/next", params={"role": "review"}))
    assert task["reviewer_id"] == site.ids["reviewer"]
    review = site.ok(
        site.tell(project_id, task["id"], "review", {"revision": revision, "verdict": "approve"}, "reviewer"), 201
    )
    assert (review["verdict"], review["reviewer_id"]) == ("approve", site.ids["reviewer"])
    assert site.task(project_id, image["id"])["state"] == "done"
    found = site.ok(site.people["annotator"].get(f"/api/projects/{project_id}/images/{image['id']}/annotations"))
    assert [a["status"] for a in found["annotations"]] == ["approved"]


def _submitted(site: Site, project_id: int) -> tuple[dict, dict, int]:
    """An image with one box, handed in: the image, its task, its revision."""
    image = site.image(project_id)
    revision = site.draw(project_id, image["id"], site.labels(project_id)[0]["id"])
    task = site.task(project_id, image["id"])
    site.ok(site.tell(project_id, task["id"], "submit", {"revision": revision}))
    return image, task, revision


def test_without_review_a_submission_is_done_at_once(site: Site) -> None:
    project_id = site.project(review_policy="none")
    image = site.image(project_id)
    revision = site.draw(project_id, image["id"], site.labels(project_id)[0]["id"])
    task = site.task(project_id, image["id"])
    assert site.ok(site.tell(project_id, task["id"], "submit", {"revision": revision}))["state"] == "done"
    assert site.audited("task.submit")[0]["subject"] == f"image {image['id']}"


def test_no_task_is_204(site: Site) -> None:
    project_id = site.project()
    url = f"/api/projects/{project_id}/tasks/next"
    assert site.people["annotator"].post(url).status_code == 204
    assert site.people["reviewer"].post(url, params={"role": "review"}).status_code == 204


def test_two_people_get_different_tasks_and_nobody_takes_what_another_has(site: Site) -> None:
    project_id = site.project()
    for n in range(2):
        site.image(project_id, f"{n}.png")
    url = f"/api/projects/{project_id}/tasks/next"
    one, two = (site.ok(site.people[who].post(url)) for who in ("annotator", "reviewer"))
    assert one["id"] != two["id"]
    assert site.people["owner"].post(url).status_code == 204
    site.refused(site.tell(project_id, two["id"], "take"), 409, "conflict")
    for role, who in (("annotate", "annotator"), ("review", "owner")):
        looking = {"role": role, "if_free": "true"}
        taken = site.people[who].post(f"/api/projects/{project_id}/tasks/{two['id']}/take", params=looking)
        assert (taken.status_code, taken.content) == (204, b"")
    site.refused(site.tell(project_id, two["id"], "submit", {"revision": 0}), 409, "conflict")
    site.refused(site.tell(project_id, two["id"], "skip", {"reason": "mine"}), 409, "conflict")
    assert site.ok(site.tell(project_id, one["id"], "take"))["assignee_id"] == site.ids["annotator"]
    mine = site.ok(
        site.people["annotator"].get(
            f"/api/projects/{project_id}/tasks", params={"state": "in_progress", "assignee": "me"}
        )
    )
    assert [task["id"] for task in mine["items"]] == [one["id"]]


def test_skipping_needs_a_reason(site: Site) -> None:
    project_id = site.project()
    task = site.task(project_id, site.image(project_id)["id"])
    site.refused(site.tell(project_id, task["id"], "skip", {"reason": ""}), 422, "invalid-input")
    skipped = site.ok(site.tell(project_id, task["id"], "skip", {"reason": "too dark"}))
    assert (skipped["state"], skipped["reason"]) == ("skipped", "too dark")
    listed = site.ok(site.people["owner"].get(f"/api/projects/{project_id}/tasks", params={"state": "skipped"}))
    assert [t["id"] for t in listed["items"]] == [task["id"]]


def test_a_submission_of_another_revision_is_stale(site: Site) -> None:
    project_id = site.project()
    image = site.image(project_id)
    site.draw(project_id, image["id"], site.labels(project_id)[0]["id"])
    task = site.task(project_id, image["id"])
    problem = site.refused(site.tell(project_id, task["id"], "submit", {"revision": 0}), 409, "stale-revision")
    assert problem["details"] == {"revision": 1}


def test_an_annotator_cannot_review_by_any_door(site: Site) -> None:
    project_id = site.project()
    image, task, revision = _submitted(site, project_id)
    verdict = {"revision": revision, "verdict": "approve"}
    site.refused(site.tell(project_id, task["id"], "review", verdict), 403, "forbidden")
    site.refused(site.tell(project_id, task["id"], "withdraw"), 403, "forbidden")
    url = f"/api/projects/{project_id}/tasks/next"
    site.refused(site.people["annotator"].post(url, params={"role": "review"}), 403, "forbidden")
    label = site.labels(project_id)[0]["id"]
    for field, value in (("status", "approved"), ("source", "model"), ("author_id", 1), ("revision", 9)):
        body = diff(revision, added=[box(label, **{field: value})])
        site.refused(site.save(project_id, image["id"], body), 400, "malformed-request")
    site.refused(site.save(project_id, image["id"], diff(0, status="done")), 400, "malformed-request")
    assert site.task(project_id, image["id"])["state"] == "in_review"


def test_in_review_only_reviewers_edit_and_the_old_revision_is_stale(site: Site) -> None:
    project_id = site.project()
    image, task, revision = _submitted(site, project_id)
    label = site.labels(project_id)[0]["id"]
    refused = site.save(project_id, image["id"], diff(revision, added=[box(label)]))
    site.refused(refused, 409, "conflict")
    edited = site.draw(project_id, image["id"], label, revision, who="reviewer")
    assert site.task(project_id, image["id"])["state"] == "in_review"
    verdict = {"revision": revision, "verdict": "approve"}
    stale = site.refused(site.tell(project_id, task["id"], "review", verdict, "reviewer"), 409, "stale-revision")
    assert stale["details"]["revision"] == edited
    site.ok(site.tell(project_id, task["id"], "review", verdict | {"revision": edited}, "reviewer"), 201)


def test_a_lost_answer_is_given_again_even_after_the_submission(site: Site) -> None:
    project_id = site.project()
    image = site.image(project_id)
    body = diff(0, added=[box(site.labels(project_id)[0]["id"])])
    first = site.ok(site.save(project_id, image["id"], body))
    task = site.task(project_id, image["id"])
    site.ok(site.tell(project_id, task["id"], "submit", {"revision": 1}))
    again = site.ok(site.save(project_id, image["id"], body))
    assert again == first | {"repeated": True}
    assert site.task(project_id, image["id"])["state"] == "in_review"


def test_a_returned_image_comes_back_to_its_annotator_and_a_verdict_can_be_withdrawn(site: Site) -> None:
    project_id = site.project()
    image, task, revision = _submitted(site, project_id)
    back = {"revision": revision, "verdict": "return"}
    site.refused(site.tell(project_id, task["id"], "review", back, "reviewer"), 422, "invalid-input")
    body = back | {"reason": "one bolt is missing"}
    site.ok(site.tell(project_id, task["id"], "review", body, "reviewer"), 201)
    site.refused(site.tell(project_id, task["id"], "withdraw", who="owner"), 409, "conflict")
    assert site.ok(site.tell(project_id, task["id"], "withdraw", who="reviewer"))["state"] == "in_review"
    site.ok(site.tell(project_id, task["id"], "review", body, "reviewer"), 201)
    mine = site.ok(site.people["annotator"].post(f"/api/projects/{project_id}/tasks/next"))
    assert (mine["id"], mine["reason"], mine["round"]) == (task["id"], "one bolt is missing", 2)
    assert {line["action"] for line in site.audited("review.withdraw")} == {"review.withdraw"}
    assert mine["image_id"] == image["id"]


def test_a_review_names_annotations_of_its_image_only(site: Site) -> None:
    project_id = site.project()
    _, task, revision = _submitted(site, project_id)
    body = {
        "revision": revision,
        "verdict": "approve",
        "verdicts": [{"annotation_id": "somebody-elses", "verdict": "approve"}],
    }
    site.refused(site.tell(project_id, task["id"], "review", body, "reviewer"), 422, "invalid-input")


def test_tasks_of_another_project_do_not_exist_here(site: Site) -> None:
    project_id, other_id = site.project(), site.project()
    image, task, revision = _submitted(site, other_id)
    for what, body in (
        ("take", None),
        ("submit", {"revision": revision}),
        ("skip", {"reason": "x"}),
        ("review", {"revision": revision, "verdict": "approve"}),
        ("withdraw", None),
    ):
        site.refused(site.tell(project_id, task["id"], what, body, "owner"), 404, "not-found")
    site.refused(site.save(project_id, image["id"], diff(revision), "owner"), 404, "not-found")
    assert site.ok(site.people["owner"].get(f"/api/projects/{project_id}/tasks", params={"state": "in_review"})) == {
        "items": [],
        "next": None,
    }


def test_a_submission_is_taken_back_until_a_reviewer_opens_it(site: Site) -> None:
    project_id = site.project()
    label = site.labels(project_id)[0]["id"]
    image = site.image(project_id)
    task, revision = site.task(project_id, image["id"]), site.draw(project_id, image["id"], label)
    site.refused(site.tell(project_id, task["id"], "take-back"), 409, "conflict")
    site.ok(site.tell(project_id, task["id"], "submit", {"revision": revision}))
    site.refused(site.tell(project_id, task["id"], "take-back", who="owner"), 409, "conflict")
    back = site.ok(site.tell(project_id, task["id"], "take-back"))
    assert (back["state"], back["round"]) == ("in_progress", 1)
    site.ok(site.tell(project_id, task["id"], "submit", {"revision": revision}))
    client = site.people["annotator"]
    take = f"/api/projects/{project_id}/tasks/{task['id']}/take"
    site.refused(client.post(take, params={"role": "review"}), 403, "forbidden")
    opened = site.ok(site.people["reviewer"].post(take, params={"role": "review"}))
    assert opened["reviewer_id"] == site.ids["reviewer"]
    site.refused(site.people["owner"].post(take, params={"role": "review"}), 409, "conflict")
    site.refused(site.tell(project_id, task["id"], "take-back"), 409, "conflict")


def test_where_nobody_reviews_taking_back_undoes_the_approval(site: Site) -> None:
    project_id = site.project(review_policy="none")
    label = site.labels(project_id)[0]["id"]
    image = site.image(project_id)
    url = f"/api/projects/{project_id}/images/{image['id']}/annotations"
    task, revision = site.task(project_id, image["id"]), site.draw(project_id, image["id"], label)
    done = site.ok(site.tell(project_id, task["id"], "submit", {"revision": revision}))
    assert done["state"] == "done"
    assert site.ok(site.tell(project_id, task["id"], "take-back"))["state"] == "in_progress"
    found = site.ok(site.people["annotator"].get(url))
    assert found["revision"] == done["revision"] + 1
    assert [a.get("status", "draft") for a in found["annotations"]] == ["draft"]
    again = site.ok(site.tell(project_id, task["id"], "submit", {"revision": found["revision"]}))
    assert (again["state"], again["round"]) == ("done", 1)
