from __future__ import annotations

import pytest

from shared.errors import BadRequest
from shared.web.query import Query


@pytest.mark.parametrize("value", [b"%ff", b"\xff", b"a%C3", b"%ed%a0%80", b"%C3&name=cat", b"cat&name=%C3"])
def test_what_is_not_utf_8_is_refused_with_its_name(value: bytes) -> None:
    with pytest.raises(BadRequest, match="name is not UTF-8"):
        Query(b"name=" + value).getlist("name")


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (b"name=c%C3%A4t&name=c\xc3\xa4t", ["cät", "cät"]),
        (b"name=%ef%bf%bd", ["\ufffd"]),
        (b"name=%25ff+%F0%9F%98%80", ["%ff 😀"]),
        (b"name=", [""]),
        (b"name", [""]),
        (b"other=%ff&%ff=1&name=a", ["a"]),
        (b"", []),
    ],
)
def test_all_other_text_is_read_as_it_was_meant(raw: bytes, values: list[str]) -> None:
    assert Query(raw).getlist("name") == values


def test_names_are_there_whatever_else_is() -> None:
    assert Query(b"download&x=\xff&embed=1").names == {"download", "x", "embed"}
