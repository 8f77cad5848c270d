"""Errors as seen by the caller of an HTTP function or the sender of an event."""

from __future__ import annotations

from typing import ClassVar

PROBLEMS = "https://nuumee.ai/problems/"
_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class ApiError(Exception):
    """An expected error. Its `detail` is shown to the user."""

    status: ClassVar[int]
    title: ClassVar[str]
    kind: ClassVar[str]

    def __init__(
        self, detail: str, *, headers: dict[str, str] | None = None, extra: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers or {}
        self.extra = extra or {}

    def problem(self) -> dict[str, object]:
        return {
            "type": PROBLEMS + self.kind,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }


class BadRequest(ApiError):
    status, title, kind = 400, "Bad request", "bad-request"


class Unauthorized(ApiError):
    status, title, kind = 401, "Not signed in", "unauthorized"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers=_CHALLENGE)


class SignInTooOld(ApiError):
    """The token is good, but the user has to sign in again for this."""

    status, title, kind = 401, "Sign-in too old", "sign-in-too-old"

    def __init__(self, minutes: int) -> None:
        super().__init__(
            f"Please sign in again: this needs a sign-in that is not older than {minutes} minutes.",
            headers=_CHALLENGE,
        )


class NotFound(ApiError):
    """One answer for a job that is missing, deleted or another user's, so that existence does not leak."""

    status, title, kind = 404, "Not found", "not-found"

    def __init__(self, detail: str = "There is no such job.") -> None:
        super().__init__(detail)


class MethodNotAllowed(ApiError):
    status, title, kind = 405, "Method not allowed", "method-not-allowed"

    def __init__(self, allow: str) -> None:
        super().__init__(f"Only {allow} can be used here.", headers={"Allow": allow})


class RequestTimeout(ApiError):
    status, title, kind = 408, "Request timeout", "request-timeout"

    def __init__(self) -> None:
        super().__init__("The body did not arrive in time. Please try again.")


class NotCompleted(ApiError):
    """`current_status` may be any text: a newer writer may use a status unknown here. None if there is none."""

    status, title, kind = 409, "Job not completed", "job-not-completed"

    def __init__(self, current_status: str | None) -> None:
        if current_status == "failed":
            detail = "The job has failed, so it has no video."
        else:
            status = f"The job's status is {current_status}" if current_status else "The job has no status"
            detail = f"{status}; only a completed job has a video."
        super().__init__(detail, extra={"current_status": current_status or "unknown"})


class NotDeleted(ApiError):
    status, title, kind = 409, "Job not deleted", "job-not-deleted"

    def __init__(self) -> None:
        super().__init__("The job is not deleted, so there is nothing to restore.")


class NotShared(ApiError):
    status, title, kind = 409, "Job not shared", "job-not-shared"

    def __init__(self) -> None:
        super().__init__("The job has no share link that works. A new one can be made.")


class OtherNumber(ApiError):
    status, title, kind = 409, "Another number of jobs", "other-number-of-jobs"

    def __init__(self, jobs: int) -> None:
        super().__init__(f"There are {jobs} jobs now, so that is the number to confirm. None was deleted.")


class JobFull(ApiError):
    """A document holds 1 MiB: https://firebase.google.com/docs/firestore/quotas#limits"""

    status, title, kind = 422, "Job full", "job-full"

    def __init__(self) -> None:
        super().__init__("There is no room left in the job's record, so it cannot be changed. It can be deleted.")


class Gone(ApiError):
    """Only for the owner of a deleted job: its files cannot come back."""

    status, title, kind = 410, "Gone for good", "gone"

    def __init__(self) -> None:
        super().__init__("The job's files are gone for good, so it can no longer be restored.")


class TooManyRequests(ApiError):
    status, title, kind = 429, "Too many requests", "too-many-requests"

    def __init__(
        self, seconds: int, detail: str = "That was a lot at once. Please try again in a moment."
    ) -> None:
        super().__init__(detail, headers={"Retry-After": str(seconds)})


class Unavailable(ApiError):
    """One of Google's services is away. The user is not told which; the error's text, for the log, is."""

    status, title, kind = 503, "Temporarily unavailable", "unavailable"
    retry_after: ClassVar[int] = 5

    def __init__(self, service: str) -> None:
        super().__init__(
            "The service cannot be reached at the moment. Please try again shortly.",
            headers={"Retry-After": str(self.retry_after)},
        )
        self.args = (f"{service} cannot be reached.",)


class Contended(Unavailable):
    """Every service is reachable, but other writers came first at every try."""

    def __init__(self, what_happened: str) -> None:
        ApiError.__init__(
            self,
            f"{what_happened} Please try again shortly.",
            headers={"Retry-After": str(self.retry_after)},
        )


class InternalError(ApiError):
    """Replaces an unexpected exception and shows none of its text."""

    status, title, kind = 500, "Internal error", "internal-error"

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side.")


class UnprocessableEvent(Exception):
    """The event can never be processed: it is malformed or the job does not confirm it. The text says why."""


class PurgeIncomplete(Exception):
    """Files may be left. The event must be delivered again."""


class RestoreIncomplete(Exception):
    """Not everything is back yet. The event must be delivered again."""


class SweepIncomplete(Exception):
    """Part of a sweep failed and is left for the next one."""


class DecoderUnfiltered(Exception):
    """The system offers no filter for a decoder's system calls. The event must be delivered again."""


class DecoderFailed(Exception):
    """A decoding process ended by an exception of ours, as with any file. The text is what it said."""
