"""Comments: threads on images, who has read them, and who resolved them."""

from __future__ import annotations

from appliance.records import Thread
from appliance.store import Transaction, comments, images, threads, unread
from appliance.store.comments import Draft, Text
from appliance.store.unread import Unread
from appliance.web.operations import Call, Listing, Operations, Paged, listing
from appliance.web.permissions import Permission
from appliance.web.resources._common import Body, Id

__all__ = ["OPERATIONS"]

OPERATIONS = Operations("comments", "Threads on images, pinned to a place or an annotation")


class NewText(Body):
    """The comment as it reads from now on; the audit log keeps what it was."""

    text: Text


class Read(Body):
    """Which thread was read; all of the image without one."""

    thread_id: Id | None = None


@OPERATIONS.get(
    "/api/projects/{project_id}/images/{image_id}/comments",
    permission=Permission.PROJECT_READ,
    query=Paged,
    response=Listing[Thread],
    summary="List the threads of an image by number, with their comments",
)
async def list_comments(call: Call) -> Listing[Thread]:
    project_id, image_id, user_id, page = call.project_id, call.ids["image_id"], call.user.id, call.query
    return listing(
        await call.store.aread(
            lambda reading: threads.of_image(
                reading, project_id, image_id, user_id, after=page.after, limit=page.limit
            )
        )
    )


@OPERATIONS.post(
    "/api/projects/{project_id}/images/{image_id}/comments",
    permission=Permission.PROJECT_ANNOTATE,
    body=Draft,
    response=Thread,
    unaudited="the comment itself says who wrote it and when",
    summary="Begin a thread on an image, or reply in one",
)
async def add_comment(call: Call) -> Thread:
    """The client makes the `key`: the same comment again changes nothing."""
    project_id, image_id, user_id, draft = call.project_id, call.ids["image_id"], call.user.id, call.body
    return await call.store.awrite(lambda tx: comments.add(tx, project_id, image_id, draft, user_id))


@OPERATIONS.post(
    "/api/projects/{project_id}/images/{image_id}/comments/read",
    permission=Permission.PROJECT_ANNOTATE,
    body=Read,
    unaudited="it is about the reader alone",
    summary="Note that one has read a thread of an image, or all of them",
)
async def read_comments(call: Call) -> None:
    project_id, image_id, user_id, body = call.project_id, call.ids["image_id"], call.user.id, call.body

    def read(tx: Transaction) -> None:
        images.get(tx, project_id, image_id)
        unread.read(tx, project_id, image_id, user_id, body.thread_id)

    await call.store.awrite(read)


@OPERATIONS.get(
    "/api/projects/{project_id}/comments/unread",
    permission=Permission.PROJECT_READ,
    response=Unread,
    summary="Count what one has not read in a project, by image",
)
async def count_unread(call: Call) -> Unread:
    project_id, user_id = call.project_id, call.user.id
    return await call.store.aread(lambda reading: unread.of_user(reading, project_id, user_id))


@OPERATIONS.patch(
    "/api/projects/{project_id}/comments/{comment_id}",
    permission=Permission.PROJECT_ANNOTATE,
    body=NewText,
    response=Thread,
    audit="comment.edit",
    summary="Change one's own comment",
)
async def edit_comment(call: Call) -> Thread:
    project_id, comment_id, user_id, text = call.project_id, call.ids["comment_id"], call.user.id, call.body.text
    return await call.store.awrite(lambda tx: comments.edit(tx, project_id, comment_id, text, user_id))


@OPERATIONS.delete(
    "/api/projects/{project_id}/comments/{comment_id}",
    permission=Permission.PROJECT_ANNOTATE,
    audit="comment.delete",
    summary="Delete one's own comment",
)
async def delete_comment(call: Call) -> None:
    project_id, comment_id, user_id = call.project_id, call.ids["comment_id"], call.user.id
    await call.store.awrite(lambda tx: comments.delete(tx, project_id, comment_id, user_id))


@OPERATIONS.post(
    "/api/projects/{project_id}/threads/{thread_id}/resolve",
    permission=Permission.PROJECT_ANNOTATE,
    response=Thread,
    audit="comment.resolve",
    summary="Resolve a thread: for who opened it, reviewers and admins",
)
async def resolve_thread(call: Call) -> Thread:
    project_id, thread_id, user_id, role = call.project_id, call.ids["thread_id"], call.user.id, call.role
    return await call.store.awrite(lambda tx: threads.resolve(tx, project_id, thread_id, user_id, role))


@OPERATIONS.post(
    "/api/projects/{project_id}/threads/{thread_id}/reopen",
    permission=Permission.PROJECT_ANNOTATE,
    response=Thread,
    audit="comment.reopen",
    summary="Open a resolved thread again",
)
async def reopen_thread(call: Call) -> Thread:
    project_id, thread_id, user_id, role = call.project_id, call.ids["thread_id"], call.user.id, call.role
    return await call.store.awrite(lambda tx: threads.reopen(tx, project_id, thread_id, user_id, role))
