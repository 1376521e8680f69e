"""Going back: an image as it stood at a revision, and making it so again as a new revision."""

import msgspec

from appliance.errors import InvalidInput
from appliance.records import Annotation, ImageAnnotations, Saved
from appliance.store import annotations, history, images, labels
from appliance.store.history import Changes
from appliance.store.store import Reading
from appliance.store.writer import Transaction

__all__ = ["at", "fitting", "restore"]


def at(reading: Reading, project_id: int, image_id: int, revision: int) -> ImageAnnotations:
    """Return an image's annotations as they stood at a revision; 0 is before the first.

    Raises:
        NotFound: The project has no such image.
        InvalidInput: The image has not come to that revision.
    """
    image = images.get(reading, project_id, image_id)
    if revision > image.revision:
        raise InvalidInput(f"the image is at revision {image.revision}, there is no {revision} yet", field="revision")
    standing = {a.id: a for a in annotations.of_image(reading, project_id, image_id).annotations}
    for changes in history.newest_first(reading, image_id, revision):
        for _, new in changes.put:
            standing.pop(new.id, None)
        back = history.inverse(changes)
        standing |= {new.id: new for _, new in back.put}
    found = sorted(standing.values(), key=lambda a: a.id)
    return ImageAnnotations(image_id=image_id, revision=revision, annotations=found)


def restore(tx: Transaction, project_id: int, image_id: int, revision: int, *, diff_id: str, author_id: int) -> Saved:
    """Make an image's annotations what they were at a revision, as a new one; the same `diff_id` does so once.

    What was approved then and is not as it was now has to be approved again. Annotations whose label
    is deleted stay away.

    Raises:
        InvalidInput: The image has not come to that revision.
    """
    image = images.get(tx, project_id, image_id)
    repeated = history.revision_of(tx, image_id, diff_id)
    if repeated is not None:
        return Saved(image_id=image_id, revision=repeated, repeated=True)
    known = labels.ids(tx, project_id)
    then = {a.id: a for a in at(tx, project_id, image_id, revision).annotations if a.label_id in known}
    now = {a.id: a for a in annotations.of_image(tx, project_id, image_id).annotations}
    wanted = {key: _unapproved(a, author_id) for key, a in then.items() if not _same(now.get(key), a)}
    put = [(now.get(key), fitting(tx, a)) for key, a in wanted.items() if not _same(now.get(key), a)]
    changes = Changes(put=put, removed=[a for key, a in now.items() if key not in then])
    return Saved(
        image_id=image_id,
        revision=annotations.apply(tx, image, changes, diff_id=diff_id, kind="restore", author_id=author_id),
    )


def fitting(reading: Reading, annotation: Annotation) -> Annotation:
    """Return an annotation of the past without the model and the author that are gone."""
    gone = {
        name: None
        for name, table, key in (
            ("model_id", "models", annotation.model_id),
            ("author_id", "users", annotation.author_id),
        )
        if key is not None and not list(reading.execute(f"SELECT 1 FROM {table} WHERE id = ?", (key,)))
    }
    return msgspec.structs.replace(annotation, **gone) if gone else annotation


def _same(one: Annotation | None, other: Annotation) -> bool:
    return one is not None and msgspec.structs.replace(one, revision=other.revision) == other


def _unapproved(annotation: Annotation, author_id: int) -> Annotation:
    if annotation.status != "approved":
        return annotation
    return msgspec.structs.replace(annotation, status="draft", author_id=annotation.author_id or author_id)
