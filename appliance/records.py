"""Frozen records of every noun. The words are those of docs/architecture.md.

Times are milliseconds since 1970 UTC as integers (suffix ``_at_ms``) from the store's
monotonic clock. Lengths are canonical pixels of the upright image. Ids are integers given
by the store, except annotation ids, which the client makes (so that work drawn offline has
its name from the start), and hashes, which are lower-case hex SHA-256.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from appliance.geometry import Geometry
from appliance.geometry.mask import Mask

__all__ = [
    "Activation", "Annotation", "AnnotationId", "AttributeSpec", "AttributeValue", "AuditEntry", "Click",
    "Comment", "CommentKey", "Conversion", "DatasetImage", "Diff", "Draft", "Event", "Export", "GlobalRole",
    "Image", "ImageAnnotations", "Invitation", "Job", "JobState", "Label", "Late", "Member", "Model",
    "ModelFile", "ModelInfo", "ModelTask", "Note", "Parity", "Prediction", "Probe", "Project", "ProjectRole",
    "Provenance", "QueueOrder", "Record", "Review", "ReviewPolicy", "Role", "Saved", "Segmentation", "Skeleton",
    "Snapshot", "Split", "Task", "TaskState", "Thread", "Token", "User", "Validation", "ValidationProblem",
    "Verdict",
]  # fmt: skip

GlobalRole = Literal["admin", "operator", "member"]
ProjectRole = Literal["admin", "reviewer", "annotator"]
TaskState = Literal["open", "in_progress", "in_review", "done", "returned", "skipped"]
JobState = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
Split = Literal["train", "val", "test"]
QueueOrder = Literal["manual", "oldest", "random", "uncertain"]
AttributeValue = str | float | bool
AnnotationId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,36}\Z")]
CommentKey = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,36}\Z")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Color = Annotated[str, Meta(pattern=r"^#[0-9A-Fa-f]{6}\Z")]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all records: immutable, keyword-only, unknown fields refused."""


# People


class User(Record, frozen=True):
    id: int
    email: str
    name: str
    role: GlobalRole
    disabled: bool
    created_at_ms: int


class Token(Record, frozen=True):
    """A personal API token; the secret itself is shown once and never stored."""

    id: int
    user_id: int
    name: str
    scopes: list[str]
    created_at_ms: int
    expires_at_ms: int | None = None
    last_used_at_ms: int | None = None


class Invitation(Record, frozen=True):
    """A link that makes one account; `note` says for whom, to those who list them."""

    id: int
    note: str
    role: GlobalRole
    project_id: int | None
    project_role: ProjectRole | None
    created_by: int | None
    created_at_ms: int
    expires_at_ms: int
    used_by: int | None = None
    used_at_ms: int | None = None


class Member(Record, frozen=True):
    user_id: int
    email: str
    name: str
    role: ProjectRole


class AuditEntry(Record, frozen=True):
    id: int
    at_ms: int
    user_id: int | None
    action: str
    subject: str
    project_id: int | None
    details: dict[str, Any]
    hash: str


# Projects


class ReviewPolicy(Record, frozen=True):
    """Which images are reviewed before they are done, and who may approve.

    Of ``sample`` the pictures themselves decide, with a key of the project's: the same picture is
    always in or out, and a higher percentage only adds. Whatever `images` says, `model_made` asks
    for a review where a label came from a model. Of two `reviews` each is by somebody else, and
    neither by an author of the image, as with `others_only`. A returned image waits for its
    author, or for `anyone`.
    """

    images: Literal["none", "all", "sample"] = "none"
    sample_percent: Annotated[int, Meta(ge=1, le=100)] = 10
    reviews: Literal[1, 2] = 1
    others_only: bool = False
    model_made: bool = False
    returned_to: Literal["author", "anyone"] = "author"


class Project(Record, frozen=True):
    id: int
    name: str
    guideline: str
    review_policy: ReviewPolicy
    queue_order: QueueOrder
    model_id: int | None
    created_by: int | None
    created_at_ms: int


class AttributeSpec(Record, frozen=True):
    """One attribute a label carries: a choice, a text, a number or a switch."""

    name: Name
    kind: Literal["choice", "text", "number", "switch"]
    choices: list[str] = field(default_factory=list)
    required: bool = False
    default: AttributeValue | None = None


class Skeleton(Record, frozen=True):
    """Named keypoints and the pairs of indices that are joined by a line.

    `layout` is how a typical one looks, ``x1, y1, x2, y2, …`` in shares of its bounds (0 to 1,
    y down); empty when nobody has drawn it. It guides drawing and is part of no annotation.
    """

    points: list[str]
    edges: list[tuple[int, int]] = field(default_factory=list)
    layout: list[float] = field(default_factory=list)


class Label(Record, frozen=True):
    """A class of the project. `class_index` only ever appends and is never given twice."""

    id: int
    project_id: int
    class_index: int
    name: str
    color: str
    hotkey: str | None = None
    attributes: list[AttributeSpec] = field(default_factory=list)
    skeleton: Skeleton | None = None


# Pictures


class Probe(Record, frozen=True):
    """What is known of picture bytes after a real decode in a child.

    `width` and `height` are upright. `orientation` is the EXIF value 1..8 that was applied.
    `needs_rendition` is true when browsers cannot show the bytes as they are.
    """

    format: str
    width: int
    height: int
    orientation: int = 1
    mode: str = "RGB"
    frames: int = 1
    needs_rendition: bool = False
    notes: list[str] = field(default_factory=list)


class Image(Record, frozen=True):
    """A picture as the viewer sees it. `revision` counts the changes of its annotations.

    A `tiled` one has a side of more than 8,192 pixels: it is shown by its tiles, not by its file.
    `threads` counts its comment threads that nobody has resolved.
    """

    id: int
    project_id: int
    name: str
    width: int
    height: int
    sha256: str
    size_bytes: int
    format: str
    orientation: int
    needs_rendition: bool
    tiled: bool
    revision: int
    annotations: int
    predictions: int
    state: TaskState
    created_at_ms: int
    assignee_id: int | None = None
    threads: int = 0


class Upload(Record, frozen=True):
    """A file on its way in, and what became of it.

    It is ``receiving`` until its last byte is durable; then a picture is ``done`` (it is the image
    `image_id`; `duplicate` when the project had it already) or ``failed`` (`problem` says why), and a
    dataset is ``ready`` to be looked at, then ``done`` once the job `job_id` imports it.
    `batch_id` names the dataset's upload that a picture belongs to. `metadata` is as the client sent it.
    """

    id: int
    project_id: int
    user_id: int
    name: str
    kind: Literal["picture", "dataset"]
    state: Literal["receiving", "ready", "done", "failed"]
    length_bytes: int
    offset_bytes: int
    metadata: str
    batch_id: int | None
    image_id: int | None
    duplicate: bool
    problem: dict[str, Any] | None
    job_id: int | None
    created_at_ms: int
    expires_at_ms: int


# Annotations


class Annotation(Record, frozen=True, omit_defaults=True):
    """One geometry with one label on one image.

    It is a *prediction* while ``source == "model"``, ``status == "draft"`` and nobody has
    touched it (``author_id is None``). `revision` is the image revision that last changed it.
    """

    id: AnnotationId
    label_id: int
    geometry: Geometry
    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    source: Literal["manual", "model", "import"] = "manual"
    status: Literal["draft", "approved", "rejected"] = "draft"
    revision: int = 0
    confidence: Annotated[float, Meta(ge=0, le=1)] | None = None
    model_id: int | None = None
    author_id: int | None = None

    @property
    def is_prediction(self) -> bool:
        return self.source == "model" and self.status == "draft" and self.author_id is None


class Draft(Record, frozen=True, omit_defaults=True):
    """An annotation as a client sends it: what it may decide, and nothing else.

    A `rejected` of True marks a prediction as refused; it stays, so that it is not made again.
    An `untouched` of True takes an acceptance or a refusal back: the annotation must be what
    the model made, and is a prediction again.
    """

    id: AnnotationId
    label_id: int
    geometry: Geometry
    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    rejected: bool = False
    untouched: bool = False


class Diff(Record, frozen=True, omit_defaults=True):
    """A save: what was added, changed and removed since `revision`.

    `diff_id` is made by the client; the same diff sent again gets the stored answer.
    """

    diff_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}\Z")]
    revision: Annotated[int, Meta(ge=0)]
    added: Annotated[list[Draft], Meta(max_length=10_000)] = field(default_factory=list)
    changed: Annotated[list[Draft], Meta(max_length=10_000)] = field(default_factory=list)
    removed: Annotated[list[AnnotationId], Meta(max_length=10_000)] = field(default_factory=list)


class Saved(Record, frozen=True):
    """The answer to a diff: the image's revision after it, and whether it had come before."""

    image_id: int
    revision: int
    repeated: bool = False


class ImageAnnotations(Record, frozen=True):
    """An image's annotations at a revision. `late` counts the late diffs nobody has decided on."""

    image_id: int
    revision: int
    annotations: list[Annotation]
    late: int = 0


class Late(Record, frozen=True):
    """A diff that came when its image was in review or done, kept beside it."""

    id: int
    project_id: int
    image_id: int
    author_id: int | None
    state: Literal["open", "applied", "dismissed"]
    diff: Diff
    decided_by: int | None
    created_at_ms: int


# Work


class Task(Record, frozen=True):
    """One person's work on one image in one round.

    It is `assigned` when somebody gave it to the assignee by hand. `approvals` counts the people
    whose approval stands for what is on the image. `uncertainty` (0 to 1) is how unsure the last
    run of a model was of it.
    """

    id: int
    project_id: int
    image_id: int
    round: int
    state: TaskState
    assignee_id: int | None
    assigned: bool
    reviewer_id: int | None
    approvals: int
    priority: int
    due_at_ms: int | None
    uncertainty: float
    revision: int
    lease_until_ms: int | None
    reason: str | None
    updated_at_ms: int


class Verdict(Record, frozen=True, omit_defaults=True):
    """A judgement on one annotation inside a review."""

    annotation_id: AnnotationId
    verdict: Literal["approve", "reject"]
    reason: Annotated[str, Meta(max_length=500)] | None = None


class Review(Record, frozen=True):
    """A verdict on the whole image at one revision, "nothing here" included.

    An approval stands for the image as it is `stands_at` a revision; the `final` one is the one
    that made the image done.
    """

    id: int
    task_id: int
    image_id: int
    revision: int
    reviewer_id: int | None
    verdict: Literal["approve", "return"]
    reason: str | None
    verdicts: list[Verdict]
    round: int
    stands_at: int
    final: bool
    created_at_ms: int


# Comments


class Comment(Record, frozen=True):
    """One remark in a thread; `key` is the client's. What was deleted has lost its text."""

    id: int
    key: str
    author_id: int | None
    author: str | None
    text: str
    mentions: list[int]
    created_at_ms: int
    edited_at_ms: int | None
    deleted_at_ms: int | None


class Thread(Record, frozen=True):
    """Comments about one place of an image; `key` is that of the first one.

    Attributes:
        number: Counts the image's threads; it is what stands on the pin.
        annotation_id: What the thread is pinned to; `gone` when that was deleted since.
        x: Where it was pinned, in canonical pixels; None with `y` for the image as a whole.
        answered: Somebody else replied, or changed the annotation it is pinned to.
        unread: How many of the comments the caller has not read.
    """

    id: int
    key: str
    image_id: int
    number: int
    annotation_id: str | None
    gone: bool
    x: float | None
    y: float | None
    author_id: int | None
    answered: bool
    resolved_by: int | None
    resolver: str | None
    resolved_at_ms: int | None
    created_at_ms: int
    comments: list[Comment] = field(default_factory=list)
    unread: int = 0


# Datasets


class DatasetImage(Record, frozen=True, omit_defaults=True):
    """One image of a dataset with its annotations, as formats read and write it.

    `name` is a relative POSIX path, unique in the dataset. `sha256` is None, and the sizes
    are 0, when a format file does not tell them (YOLO).
    """

    name: str
    width: int
    height: int
    sha256: str | None = None
    split: Split = "train"
    annotations: list[Annotation] = field(default_factory=list)


class Note(Record, frozen=True):
    """Something a format could not hold, or a file of a batch that failed; never silent."""

    code: str
    message: str
    file: str | None = None
    count: int = 1


class Snapshot(Record, frozen=True):
    """An immutable, named, content-addressed version of a project's dataset.

    `contents` is ``approved`` (images whose review is done: ground truth) or ``everything``
    (all images as they are, predictions included: never used as ground truth).
    """

    id: int
    project_id: int
    name: str
    contents: Literal["approved", "everything"]
    manifest_sha256: str
    images: int
    annotations: int
    seed: int
    created_by: int | None
    created_at_ms: int


class SnapshotSummary(Record, frozen=True):
    """What a snapshot holds, in numbers.

    Attributes:
        splits: Images by split.
        labels: Annotations by label id and split.
        geometries: Annotations by type of geometry.
        empty: Images on which nothing is annotated.
    """

    splits: dict[str, int]
    labels: dict[int, dict[str, int]]
    geometries: dict[str, int]
    empty: int


class Validation(Record, frozen=True):
    """Why the project's last snapshot of approved work was refused.

    Attributes:
        job_id: The job that was to make it.
        name: What it was to be called.
        images: Images it would have held.
        problems: How many problems there are; the first 10,000 of them are listed.
        counts: How many of them have each code.
    """

    job_id: int
    name: str
    images: int
    problems: int
    counts: dict[str, int]
    at_ms: int


class ValidationProblem(Record, frozen=True):
    """One thing that keeps an image out of ground truth: `code` for programs, `words` for people.

    `annotation_id` is None where the image as a whole is meant.
    """

    number: int
    image_id: int
    image: str
    annotation_id: str | None
    code: str
    words: str


class Export(Record, frozen=True):
    """A snapshot written in a format to a target."""

    id: int
    project_id: int
    snapshot_id: int
    format: str
    job_id: int
    sha256: str | None
    size_bytes: int | None
    notes: list[Note]
    created_by: int | None
    created_at_ms: int


# Models


class Prediction(Record, frozen=True):
    """What a decoder makes of one object: class index, confidence 0..1, canonical geometry."""

    class_index: int
    confidence: float
    geometry: Geometry


ModelTask = Literal["detect", "segment", "pose", "obb", "classify", "prompt"]
"""What a model predicts; one for ``prompt`` answers clicks, has no labels and prelabels nothing."""

Role = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}\Z")]


class ModelInfo(Record, frozen=True):
    """What a model's files say of themselves once they are checked.

    `input_size` is ``(height, width)`` in pixels; with `dynamic` it is the default one.
    `batch` is the fixed batch size, or None when any will do.
    """

    family: str
    task: ModelTask
    labels: list[str]
    input_size: tuple[int, int]
    dynamic: bool = False
    batch: int | None = 1
    end_to_end: bool = False
    stride: int = 32
    details: dict[str, Any] = field(default_factory=dict)


class ModelFile(Record, frozen=True):
    """One file of a model: ``weights``, or ``encoder`` and ``decoder``."""

    role: Role
    sha256: Sha256
    size_bytes: int


class Parity(Record, frozen=True, omit_defaults=True):
    """How alike the converted model and its source answered on the same pictures.

    Attributes:
        ok: Everything was found by both, and alike.
        pictures: How many pictures were shown to both.
        expected: What the source found.
        found: What the converted model found.
        matched: What both found: same label, IoU of the bounds of at least 0.9.
        worst_iou: The least IoU of the bounds of a matched pair.
        worst_confidence_gap: The largest difference of confidence of a matched pair.
        worst_output_gap: The largest difference of a raw output, relative to the largest value of it.
        note: What the figures are of, where that is not plain.
    """

    ok: bool
    pictures: int
    expected: int = 0
    found: int = 0
    matched: int = 0
    worst_iou: float | None = None
    worst_confidence_gap: float | None = None
    worst_output_gap: float | None = None
    note: str = ""


class Conversion(Record, frozen=True, omit_defaults=True):
    """How a model was made from a checkpoint.

    `reading` is ``tensors`` where nothing of the checkpoint could run, ``pickle`` where an administrator
    let it; `isolated` tells whether it happened without a network.
    """

    converter: str
    versions: dict[str, str]
    reading: Literal["tensors", "pickle"]
    isolated: bool
    seconds: float
    parity: Parity | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class Provenance(Record, frozen=True, omit_defaults=True):
    """Where a model comes from; who and when stand in the model.

    Attributes:
        file: The file it came as, as its sender named it.
        source_sha256: The hash of that file, where it is not the model's own.
        snapshot: ``name`` and ``manifest_sha256`` of what it was trained on.
        parameters: What it was trained with.
        parent: ``name``, ``version`` and ``sha256`` of the model it was trained from.
        imported: ``name`` and ``version`` it had on the box it was exported from, and ``sha256`` of that file.
        conversion: How it was converted.
    """

    file: str | None = None
    source_sha256: Sha256 | None = None
    snapshot: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None
    parent: dict[str, Any] | None = None
    imported: dict[str, Any] | None = None
    conversion: Conversion | None = None


class Model(Record, frozen=True):
    """Portable weights with labels, preprocessing, metrics and provenance.

    `sha256` names the content: it is that of the only file, or else of the list of its files.
    """

    id: int
    name: str
    version: int
    family: str
    task: ModelTask
    sha256: str
    size_bytes: int
    files: list[ModelFile]
    info: ModelInfo
    metrics: dict[str, float]
    provenance: Provenance
    created_by: int | None
    created_at_ms: int
    archived_at_ms: int | None

    def file(self, role: str = "weights") -> ModelFile:
        """Return the file of a role.

        Raises:
            LookupError: The model has none.
        """
        return {one.role: one for one in self.files}[role]

    @property
    def title(self) -> str:
        return f"{self.name}-{self.version}"


class Activation(Record, frozen=True):
    """A model's turn in a project; `model_id` is None for no model, or for one that is gone."""

    id: int
    model_id: int | None
    model_name: str | None
    rolled_back: bool
    user_id: int | None
    at_ms: int


class Click(Record, frozen=True):
    """A place on the object somebody means, or with `positive` false beside it."""

    x: float
    y: float
    positive: bool = True


class Segmentation(Record, frozen=True):
    """What a segmenter takes for the object.

    `mask` is None when it found nothing; `chain` names it as the segmenter has it, for the next prompt
    to go on from, for a while. `region` is the part of the image it looked at, x1, y1,
    x2, y2 in whole pixels; `model_id` is None for the built-in segmenter.
    """

    segmenter: str
    model_id: int | None
    mask: Mask | None
    score: float
    region: tuple[int, int, int, int]
    chain: str | None = None


# Machine work


class Job(Record, frozen=True):
    """Machine work. `progress` counts to `total` (0 while unknown) in the kind's own unit."""

    id: int
    kind: str
    lane: str
    priority: int
    state: JobState
    project_id: int | None
    parameters: dict[str, Any]
    progress: int
    total: int
    message: str
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    attempts: int
    created_by: int | None
    created_at_ms: int
    started_at_ms: int | None
    finished_at_ms: int | None


class Event(Record, frozen=True):
    """One line of the durable event log; `seq` grows by commit order.

    `audience` says who may see it: a project id in `project_id`, or a user in `user_id`, or
    neither (administrators only).
    """

    seq: int
    kind: str
    project_id: int | None
    user_id: int | None
    data: dict[str, Any]
    at_ms: int
