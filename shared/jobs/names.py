"""Names that owners give their jobs: which text is one, how it is searched, and how a file is named after it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from shared.errors import BadRequest

LONGEST_NAME = 80
"""Characters, that is, Unicode code points. `é` may be one or two; names are stored in the form with one."""
_LONGEST_DECOMPOSED = 4 * LONGEST_NAME
"""No character has more than four code points: https://www.unicode.org/faq/normalization.html"""
FIRST_BYTES = 400
"""Bytes of UTF-8 of a folded name that are searched. So it fits into an index, which holds 1,500 bytes of a text
(https://firebase.google.com/docs/firestore/quotas#limits), and into a cursor."""
_LONGEST_FILE_NAME = 200
"""Bytes of UTF-8 of the part of a file name that comes from a name. Most file systems allow 255 altogether."""
_NO_CHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane | 0xFFFE)}-{chr(plane | 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
"""Code points that never are characters (https://www.unicode.org/faq/private_use.html#noncharacters). A search
uses the last of them as the end of all names with the same beginning."""
_REFUSED = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069{_NO_CHARACTERS}]")
"""Control characters, line ends, lone surrogates, noncharacters, and what turns the direction of text."""
_BLANK = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that show nothing whatever their category: Default_Ignorable_Code_Point in
https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt, an empty Braille cell, an empty note."""
_NOTHING_ALONE = ("Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Mc", "Me")
"""Unicode's categories of spaces, line ends, control characters, characters that only join or part others, and
marks, which show on another character."""
_NOT_IN_FILE_NAMES = re.compile(r'[<>:"/\\|?*]')
"""https://learn.microsoft.com/windows/win32/fileio/naming-a-file has the longest list of them."""
_JOINERS = "\u200c\u200d"
"""They join or part letters and emoji. No other invisible character belongs into a file name."""


def requested_name(body: object) -> str | None:
    """The name in a request's body, `{"name": "…"}`, without spaces around it; None to remove the name.

    Raises BadRequest, which says what is wrong, but not what was sent: it is logged.
    """
    if not isinstance(body, Mapping):
        raise BadRequest('The body must be an object such as {"name": "First try"}.')
    if body.keys() - {"name"}:
        raise BadRequest("The body must hold name and nothing else.")
    if "name" not in body:
        raise BadRequest("name is missing. To remove a job's name, send null.")
    name = body["name"]
    if name is None:
        return None
    if not isinstance(name, str):
        raise BadRequest("name must be a text or null.")
    if _REFUSED.search(name):
        raise BadRequest(
            "name must not contain control characters, line ends, characters that turn the text, or noncharacters."
        )
    name = _composed(name.strip())
    if len(name) > LONGEST_NAME:
        raise BadRequest(f"name must have at most {LONGEST_NAME} characters; this one has {len(name)}.")
    if not _shows_something(name):
        raise BadRequest("name must show something. To remove a job's name, send null.")
    return name


def requested_prefix(text: str) -> str:
    """The folded beginning of names that is searched for. Raises BadRequest."""
    refused = _REFUSED.search(text)
    text = _composed(text.lstrip())
    if refused or len(text) > LONGEST_NAME or not _shows_something(text):
        raise BadRequest(f"name_prefix must be 1 to {LONGEST_NAME} characters as a name has them.")
    return folded(text)


def is_name(value: object) -> bool:
    """Whether a document's value is a name that can be shown as it is."""
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        return False
    return not _REFUSED.search(value) and _shows_something(value)


def folded(text: str) -> str:
    """What names are searched by: capital and small letters, and the forms of a character, are the same.

    Accents stay, as characters of their own, so that `e` finds `é`, and the beginning of a syllable finds it. This
    is compatibility caseless matching, D146 in https://www.unicode.org/versions/latest/core-spec/chapter-3/
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", text).casefold()).casefold()
    return _cut(unicodedata.normalize("NFKD", decomposed), FIRST_BYTES)


def file_name(name: str | None, job_id: str) -> str:
    """The name under which a job's video is saved: `nuumee-`, its name as far as a file can have it, or its id."""
    seen = "".join(one for one in name or "" if unicodedata.category(one) != "Cf" or one in _JOINERS)
    text = _NOT_IN_FILE_NAMES.sub("_", _REFUSED.sub("", seen))
    text = _cut(" ".join(text.split()), _LONGEST_FILE_NAME).strip(" .")
    return f"nuumee-{text if _shows_something(text) else job_id}.mp4"


def _composed(text: str) -> str:
    """The text with `é` as one code point. What is too long for a name in any form stays as it is.

    The time to put a run of accents in order grows with its square.
    """
    return text if len(text) > _LONGEST_DECOMPOSED else unicodedata.normalize("NFC", text)


def _shows_something(text: str) -> bool:
    return any(unicodedata.category(one) not in _NOTHING_ALONE and not _BLANK.match(one) for one in text)


def _cut(text: str, size: int) -> str:
    """The first `size` bytes of the text, without a character that is cut in two."""
    return text.encode()[:size].decode(errors="ignore")
