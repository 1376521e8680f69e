"""Every error the appliance raises on purpose.

    PixelQueueError
    ├── InvalidInput               a field or a file is wrong; `field` names it
    │   ├── UnknownSetting         a setting that does not exist or does not parse
    │   ├── InvalidGeometry        a geometry that breaks its own rules
    │   ├── UnreadableImage        bytes that do not become a picture
    │   │   ├── UnsupportedImage   not one of the listed formats
    │   │   ├── TruncatedImage     the file ends before the picture does
    │   │   └── ImageTooLarge      more pixels or bytes than allowed
    │   ├── UnreadableDataset      an annotation file that does not parse or does not fit
    │   ├── UnsafeArchive          an archive with paths, links or sizes that are refused
    │   ├── ChecksumMismatch       bytes that are not those their checksum was made of
    │   ├── UnsupportedVersion     a release of a protocol that the box does not speak
    │   └── UnusableModel          weights this box cannot run
    ├── NotSignedIn                no valid session or token
    ├── Forbidden                  signed in, but not allowed
    ├── NotFound                   no such thing, or none this user may see
    ├── Conflict                   the request does not fit the present state
    │   ├── InvalidDataset         approved work that may not become ground truth yet
    │   ├── StaleRevision          somebody changed the same annotations first; `current` holds them
    │   └── UploadLocked           another request writes to the same upload
    ├── TooManyRequests            a limit was hit; `retry_after_s` says when to come back
    ├── TooLarge                   a body, message or list beyond its limit
    ├── Unavailable                the box cannot do it now
    │   ├── StorageFull            the disk is (nearly) full; deleting and annotating still work
    │   └── BackendUnavailable     no runtime for the model on this device
    ├── StoreError                 the data directory cannot be used
    │   ├── StoreLocked            another process has it open
    │   ├── StoreTooNew            written by a newer release
    │   └── StoreCorrupt           a blob or the database fails its own check
    ├── ChildFailed                a child process died, hung or hit its limits
    └── JobCancelled               somebody cancelled the job

Each class has a kebab-case `code`. The message is safe to show to the user and says what
to do; a private cause travels as `__cause__`. `web/problems.py` maps codes to HTTP
statuses, `__main__.py` maps them to exit codes; nothing else does.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "BackendUnavailable", "ChecksumMismatch", "ChildFailed", "Conflict", "Forbidden", "ImageTooLarge",
    "InvalidDataset", "InvalidGeometry", "InvalidInput", "JobCancelled", "NotFound", "NotSignedIn",
    "PixelQueueError", "StaleRevision",
    "StorageFull", "StoreCorrupt", "StoreError", "StoreLocked", "StoreTooNew", "TooLarge",
    "TooManyRequests", "TruncatedImage", "Unavailable", "UnknownSetting", "UnreadableDataset",
    "UnreadableImage", "UnsafeArchive", "UnsupportedImage", "UnsupportedVersion", "UnusableModel",
    "UploadLocked", "error_from",
]  # fmt: skip


class PixelQueueError(Exception):
    """An error with a code, a message safe to show and, where there is one, the field or file.

    Args:
        message: One or two sentences: what is wrong and what to do.
        field: The offending field as a path (``added.3.geometry``) or None.
        file: The offending file as the user named it, or None.
        details: Further JSON-able facts for the client.
    """

    code: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        file: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.file = file
        self.details = details or {}

    def as_dict(self) -> dict[str, Any]:
        """Return code, message and what else is set, as JSON-able values."""
        facts = {"code": self.code, "message": self.message, "field": self.field, "file": self.file}
        return {k: v for k, v in facts.items() if v is not None} | ({"details": self.details} if self.details else {})


class InvalidInput(PixelQueueError):
    code = "invalid-input"


class UnknownSetting(InvalidInput):
    code = "unknown-setting"


class InvalidGeometry(InvalidInput):
    code = "invalid-geometry"


class UnreadableImage(InvalidInput):
    code = "unreadable-image"


class UnsupportedImage(UnreadableImage):
    code = "unsupported-image"


class TruncatedImage(UnreadableImage):
    code = "truncated-image"


class ImageTooLarge(UnreadableImage):
    code = "image-too-large"


class UnreadableDataset(InvalidInput):
    code = "unreadable-dataset"


class UnsafeArchive(InvalidInput):
    code = "unsafe-archive"


class ChecksumMismatch(InvalidInput):
    code = "checksum-mismatch"


class UnsupportedVersion(InvalidInput):
    code = "unsupported-version"


class UnusableModel(InvalidInput):
    code = "unusable-model"


class NotSignedIn(PixelQueueError):
    code = "not-signed-in"


class Forbidden(PixelQueueError):
    code = "forbidden"


class NotFound(PixelQueueError):
    code = "not-found"


class Conflict(PixelQueueError):
    code = "conflict"


class InvalidDataset(Conflict):
    """`details` holds ``problems`` (how many) and ``counts`` (by code)."""

    code = "invalid-dataset"


class StaleRevision(Conflict):
    """`details` holds ``revision`` (the present one), ``conflicts`` (ids) and ``annotations``."""

    code = "stale-revision"


class UploadLocked(Conflict):
    code = "upload-locked"


class TooManyRequests(PixelQueueError):
    code = "too-many-requests"

    def __init__(self, message: str, *, retry_after_s: float, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.retry_after_s = retry_after_s


class TooLarge(PixelQueueError):
    code = "too-large"


class Unavailable(PixelQueueError):
    code = "unavailable"


class StorageFull(Unavailable):
    code = "storage-full"


class BackendUnavailable(Unavailable):
    code = "backend-unavailable"


class StoreError(PixelQueueError):
    code = "store-error"


class StoreLocked(StoreError):
    code = "store-locked"


class StoreTooNew(StoreError):
    code = "store-too-new"


class StoreCorrupt(StoreError):
    code = "store-corrupt"


class ChildFailed(PixelQueueError):
    code = "child-failed"


class JobCancelled(PixelQueueError):
    code = "job-cancelled"


def _tree(root: type[PixelQueueError]) -> dict[str, type[PixelQueueError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found.update(_tree(child))
    return found


def error_from(facts: dict[str, Any]) -> PixelQueueError:
    """Rebuild an error from `as_dict`, as it comes back from a child process or a job's row.

    An unknown code becomes a plain `PixelQueueError`.
    """
    kind = _tree(PixelQueueError).get(facts.get("code", ""), PixelQueueError)
    extra = {"retry_after_s": 1.0} if kind is TooManyRequests else {}
    return kind(
        facts.get("message", "unknown error"),
        field=facts.get("field"),
        file=facts.get("file"),
        details=facts.get("details"),
        **extra,
    )
