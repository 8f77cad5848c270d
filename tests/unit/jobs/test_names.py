"""Which text is a name, how names are searched, and what a file is called after one."""

from __future__ import annotations

import sys
import unicodedata
from contextlib import suppress
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadRequest
from shared.jobs import names as names_module
from shared.jobs.names import LONGEST_NAME, file_name, folded, is_name, requested_name, requested_prefix

FAMILY = "👨‍👩‍👧‍👦"
names = st.text(min_size=1, max_size=LONGEST_NAME)


def asked(name: object) -> str | None:
    return requested_name({"name": name})


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "First try",
        "Ärger",
        "日本語",
        "שלום\u200f",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        FAMILY,
        "❤\ufe0f",
        "\U0001fae8",
        "\U0003fffd",
        "1",
        "…",
        "<b>",
        "a" * 80,
        "😀" * 80,
    ],
)
def test_whatever_shows_something_is_a_name(name: str) -> None:
    assert asked(name) == name
    assert is_name(name)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("  a  b ", "a  b"), ("\u3000a\u00a0", "a"), ("e\u0301", "é"), ("e\u0301" * 80, "é" * 80), (None, None)],
)
def test_a_name_is_kept_without_spaces_around_it_and_in_one_form(sent: str | None, kept: str | None) -> None:
    assert asked(sent) == kept


@pytest.mark.parametrize(
    "blank",
    [
        *("", " ", "\u00a0\u3000", "\u200b", "\u200d\u200e", "\u2060", "\u3164", "\u2800"),
        *(
            "\ufe0f",
            "\u034f",
            "\u180b",
            "\u17b4",
            "\ufff0",
            "\U000e0041",
            "\U000e0100",
            "\U000e0fff",
            "\U0001d159",
        ),
        *("\u0301", "\u0301\u0308", "\u0903", "\u20dd", "\u3164\u0301 \ufe0f"),
    ],
)
def test_a_name_that_shows_nothing_is_refused(blank: str) -> None:
    with pytest.raises(BadRequest, match=r"^name must show something"):
        asked(blank)
    assert not is_name(blank)
    assert file_name(blank, "70eb9a") == "nuumee-70eb9a.mp4"
    with pytest.raises(BadRequest, match=r"^name_prefix "):
        requested_prefix(blank)


@pytest.mark.parametrize(
    "odd",
    [
        *("\0", "\n", "\t", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\u2069", "\udfff"),
        *("\ufdd0", "\ufdef", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff"),
    ],
)
def test_control_characters_noncharacters_and_those_that_turn_the_text_are_refused(odd: str) -> None:
    for name in (odd, f"a{odd}", f"{odd}b"):
        with pytest.raises(BadRequest, match=r"^name must not contain"):
            asked(name)
        assert not is_name(name)
        with pytest.raises(BadRequest, match=r"^name_prefix "):
            requested_prefix(name)


@pytest.mark.parametrize("name", ["a" * 81, "😀" * 81, f" {'a' * 81} "])
def test_a_name_is_as_long_as_its_code_points(name: str) -> None:
    with pytest.raises(BadRequest, match=r"^name must have at most 80 characters; this one has 81"):
        asked(name)


@pytest.mark.parametrize("text", ["a" + "\u0301\u0323" * 5_000, "\u0301" * 10_000, " " + "e\u0301" * 161])
def test_a_text_that_is_too_long_in_any_form_is_refused_without_putting_it_into_one(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """The time for that grows with the square of a run of accents."""
    monkeypatch.setattr(names_module, "unicodedata", SimpleNamespace(category=unicodedata.category))
    with pytest.raises(BadRequest, match=r"^name must have at most 80 characters"):
        asked(text)
    with pytest.raises(BadRequest, match=r"^name_prefix "):
        requested_prefix(text)


def test_no_character_is_too_long_for_a_name_in_any_form() -> None:
    longest = max(map(chr, range(sys.maxunicode + 1)), key=lambda one: len(unicodedata.normalize("NFD", one)))
    decomposed = unicodedata.normalize("NFD", longest) * LONGEST_NAME
    assert asked(f"{' ' * 400}{decomposed}{' ' * 400}") == unicodedata.normalize("NFC", decomposed)
    assert requested_prefix(decomposed) == folded(decomposed)


@given(st.text(st.sampled_from(" \u2000\u3000\u0301\u0323ae한") | st.characters(codec="utf-8"), max_size=20))
def test_spaces_around_a_name_go_whatever_its_form(text: str) -> None:
    with suppress(BadRequest):
        assert asked(text) == unicodedata.normalize("NFC", text).strip()


@pytest.mark.parametrize("value", ["", "a" * 81, None, 7, ["a"], b"a"])
def test_what_is_no_name_in_a_document_is_not_shown_as_one(value: object) -> None:
    assert not is_name(value)


@pytest.mark.parametrize(
    ("written", "searched"),
    [
        ("First", "fIRST"),
        ("Straße", "STRASSE"),
        ("ÉLAN", "e\u0301lan"),
        ("ﬁlm", "FILM"),
        ("\uff21\uff11", "a1"),
        ("\u038c\u03a3\u039f\u03a3", "\u03cc\u03c3\u03bf\u03c2"),
        ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
    ],
)
def test_a_name_is_found_however_it_is_written(written: str, searched: str) -> None:
    assert folded(written) == folded(searched)


@pytest.mark.parametrize(("begin", "name"), [("e", "éclair"), ("하", "한글"), ("f", "ﬁlm"), ("my ", "My cat")])
def test_what_somebody_has_typed_so_far_finds_the_name(begin: str, name: str) -> None:
    assert folded(name).startswith(requested_prefix(begin))


@given(names)
def test_a_folded_name_is_folded_already_and_short_enough_for_an_index_and_a_cursor(name: str) -> None:
    assert folded(folded(name)) == folded(name)
    assert len(folded(name).encode()) <= 400


@pytest.mark.parametrize("prefix", ["e\u0301" * 80, f" {'a' * 80}", "\u0958" * 40])
def test_a_beginning_is_measured_as_a_name_is(prefix: str) -> None:
    assert requested_prefix(prefix) == folded(str(asked(prefix)))


@pytest.mark.parametrize("prefix", ["", " ", "\u200b", "a" * 81, "\u0958" * 41])
def test_a_search_for_no_beginning_of_a_name_is_refused(prefix: str) -> None:
    with pytest.raises(BadRequest, match=r"^name_prefix "):
        requested_prefix(prefix)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        (None, "nuumee-70eb9a.mp4"),
        ("First try", "nuumee-First try.mp4"),
        ('a/b\\c:d*e?f"g<h>i|j', "nuumee-a_b_c_d_e_f_g_h_i_j.mp4"),
        ("../../etc/passwd", "nuumee-_.._etc_passwd.mp4"),
        (" . ", "nuumee-70eb9a.mp4"),
        ("ends. ", "nuumee-ends.mp4"),
        ("con", "nuumee-con.mp4"),
        ("a \u3000 b", "nuumee-a b.mp4"),
        ("gpj.exe\u200f", "nuumee-gpj.exe.mp4"),
        ("so\u00adft \U0001f3f4\U000e0067\U000e007f", "nuumee-soft \U0001f3f4.mp4"),
        ("\u200b", "nuumee-70eb9a.mp4"),
        (FAMILY, f"nuumee-{FAMILY}.mp4"),
        ("日本語", "nuumee-日本語.mp4"),
    ],
)
def test_a_file_is_called_after_the_name_as_far_as_it_can_be(name: str | None, file: str) -> None:
    assert file_name(name, "70eb9a") == file


@given(st.text(max_size=200))
def test_no_name_makes_a_file_name_that_a_file_system_or_a_header_refuses(name: str) -> None:
    file = file_name(name, "70eb9a")
    assert file.startswith("nuumee-")
    assert file.endswith(".mp4")
    assert len(file.encode()) <= 255
    assert not set(file) & set('<>:"/\\|?*')
    assert not any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") for one in file)
