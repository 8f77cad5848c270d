"""Why a file gets no poster."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    EMPTY = "the file is empty"
    NOT_MEDIA = "the content is no picture or video of a kind that is known"
    NO_PICTURE = "the video has no pictures that can be decoded"
    BROKEN = "the decoder gave up on the content"
    TOO_LARGE = "it would take more memory than allowed"
    TOO_SLOW = "it would take more time than allowed"
    CRASHED = "the decoder died"
    GONE = "it is not there any more"


class Unpicturable(Exception):
    """The file gets no poster, now or later. `detail` is for the log: it may quote a decoder's message."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
