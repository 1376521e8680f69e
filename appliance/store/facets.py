"""What stands beside the choices of a filter, at a cost that the size of the project does not change."""

from __future__ import annotations

from appliance.records import Record
from appliance.store import labels, members
from appliance.store.filters import NOBODY
from appliance.store.store import Reading

__all__ = ["MOST", "AssigneeCount", "Facets", "LabelCount", "of"]

MOST = 50_000
"""Images of one person are counted no further."""

_NEWEST = 2_000
_BINS = 20


class LabelCount(Record, frozen=True):
    label_id: int
    annotations: int


class AssigneeCount(Record, frozen=True):
    """`user_id` 0 is nobody."""

    user_id: int
    images: int


class Facets(Record, frozen=True):
    """Annotations by label, images by person up to `most`, and the untouched predictions of the newest
    images by their confidence in steps of 0.05."""

    most: int
    labels: list[LabelCount]
    assignees: list[AssigneeCount]
    confidence: list[int]


def of(reading: Reading, project_id: int) -> Facets:
    """Return the counts of a project."""
    people = [NOBODY, *(member.user_id for member in members.listed(reading, project_id))]
    return Facets(
        most=MOST,
        labels=[
            LabelCount(label_id=label.id, annotations=_annotations(reading, label.id))
            for label in labels.listed(reading, project_id)
        ],
        assignees=[AssigneeCount(user_id=one, images=_assigned(reading, project_id, one)) for one in people],
        confidence=_confidence(reading, project_id),
    )


def _annotations(reading: Reading, label_id: int) -> int:
    sql = "SELECT coalesce(sum(annotations), 0) FROM annotation_counts WHERE label_id = ? AND sort != 'rejected'"
    ((found,),) = reading.execute(sql, (label_id,)).fetchall()
    return int(found)


def _assigned(reading: Reading, project_id: int, user_id: int) -> int:
    sql = (
        "SELECT count(*) FROM (SELECT 1 FROM images INDEXED BY images_assignee "
        "WHERE project_id = ? AND assignee_id IS ? LIMIT ?)"
    )
    ((found,),) = reading.execute(sql, (project_id, None if user_id == NOBODY else user_id, MOST)).fetchall()
    return int(found)


def _confidence(reading: Reading, project_id: int) -> list[int]:
    sql = (
        "SELECT a.confidence FROM (SELECT id FROM images WHERE project_id = ? ORDER BY id DESC LIMIT ?) AS i "
        "CROSS JOIN annotations AS a INDEXED BY annotations_confidence ON a.image_id = i.id "
        "WHERE a.source = 'model' AND a.status = 'draft' AND a.author_id IS NULL AND a.confidence IS NOT NULL"
    )
    bins = [0] * _BINS
    for (confidence,) in reading.execute(sql, (project_id, _NEWEST)):
        bins[min(int(confidence * _BINS), _BINS - 1)] += 1
    return bins
