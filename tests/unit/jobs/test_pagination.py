from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from shared.errors import BadRequest
from shared.jobs.job import JobStatus
from shared.jobs.names import folded
from shared.jobs.pagination import ListQuery, Position, _seal, decode_cursor, encode_cursor

CREATED = datetime(2026, 11, 22, 12, 0, 0, 123456, UTC)
POSITION = Position("job-1", CREATED, page=2, shown=20)
OLD = "g64TxMo9807VuDcpWyJqb2ItMSIsMTc5NTM0ODgwMDEyMzQ1NiwyLDIwXQ"
positions = st.builds(
    Position,
    job_id=st.from_regex(r"[A-Za-z0-9-]{1,128}", fullmatch=True),
    created_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    page=st.integers(1, 10**9),
    shown=st.integers(0, 10**9),
    total=st.none() | st.integers(0, 10**9),
)
filters = st.sets(st.sampled_from(JobStatus))
searches = st.sampled_from([None, "", "j", "J", "job", "job-1"])


def asking(user: str = "me", statuses: Iterable[str] = (), id_prefix: str | None = None) -> ListQuery:
    return ListQuery(user_id=user, statuses=tuple(statuses), id_prefix=id_prefix)


MINE = asking()


def parse(**parameters: str) -> ListQuery:
    return ListQuery.parse(MultiDict(parameters), "me")


@given(positions, st.text(max_size=128), filters)
def test_a_cursor_leads_back_to_its_position(position: Position, user: str, statuses: set[JobStatus]) -> None:
    cursor = encode_cursor(position, asking(user, statuses))
    assert decode_cursor(cursor, asking(user, statuses)) == position
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?# ")


bindings = st.tuples(st.text(max_size=20), filters, searches)


@given(bindings, bindings)
def test_a_cursor_of_another_user_filter_or_search_is_refused(
    bound_to: tuple[str, set[JobStatus], str | None], other: tuple[str, set[JobStatus], str | None]
) -> None:
    cursor = encode_cursor(POSITION, asking(*bound_to))
    if bound_to == other:
        return
    with pytest.raises(BadRequest, match="cursor"):
        decode_cursor(cursor, asking(*other))


@given(bindings.filter(lambda bound_to: POSITION.job_id.startswith(bound_to[2] or "")))
def test_a_cursor_of_a_search_leads_back_to_its_position(bound_to: tuple[str, set[JobStatus], str | None]) -> None:
    assert decode_cursor(encode_cursor(POSITION, asking(*bound_to)), asking(*bound_to)) == POSITION


def test_a_cursor_to_a_place_outside_its_search_is_refused() -> None:
    with pytest.raises(BadRequest, match="cursor"):
        parse(id_prefix="jobs", cursor=encode_cursor(POSITION, asking(id_prefix="jobs")))


def test_a_cursor_that_was_given_before_there_was_a_search_still_holds() -> None:
    assert parse(cursor=OLD).after == POSITION
    assert encode_cursor(POSITION, MINE) == OLD


@given(positions, st.data())
def test_a_cursor_with_any_character_changed_is_refused(position: Position, data: st.DataObject) -> None:
    cursor = encode_cursor(position, MINE)
    place = data.draw(st.integers(0, len(cursor) - 1))
    character = data.draw(st.characters().filter(lambda one: one != cursor[place]))
    with pytest.raises(BadRequest, match="cursor"):
        decode_cursor(cursor[:place] + character + cursor[place + 1 :], MINE)


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_what_never_was_a_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        decode_cursor(text, MINE)


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c + "=", lambda c: c + "A", lambda c: "A" * 9999])
def test_a_cursor_cut_or_lengthened_is_refused(change: object) -> None:
    cursor = encode_cursor(POSITION, MINE)
    with pytest.raises(BadRequest, match="cursor"):
        decode_cursor(change(cursor), MINE)  # type: ignore[operator]


@pytest.mark.parametrize("place", [["a", 1], ["a", 1, 1, 0, 5, 7], ["a", 1, 1, 0, 5, None]])
def test_a_forged_cursor_of_shared_jobs_is_refused(place: list[object]) -> None:
    query = ListQuery(user_id="me", shared=True)
    payload = json.dumps(place, separators=(",", ":")).encode()
    cursor = base64.urlsafe_b64encode(_seal(payload, query) + payload).rstrip(b"=").decode()
    with pytest.raises(BadRequest, match="cursor"):
        decode_cursor(cursor, query)


def test_the_order_of_a_filter_does_not_matter_to_its_cursor() -> None:
    cursor = encode_cursor(POSITION, asking(statuses=(JobStatus.QUEUED, JobStatus.FAILED)))
    assert parse(status="failed,queued", cursor=cursor).after == POSITION


def test_without_parameters_the_defaults_hold() -> None:
    assert parse() == ListQuery(user_id="me", page_size=20, page=1)


def test_parameters_that_are_not_known_are_ignored() -> None:
    assert parse(colour="cyan", user_id="somebody-else", limit="7") == ListQuery(user_id="me")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("page_size", value) for value in ("0", "101", "-1", "1.5", "ten", "", " 5", "+5", "٣", "9" * 30)),
        *(("page", value) for value in ("0", "-1", "", "1e3", "0x1", "9" * 30)),
        *(("status", value) for value in ("", "done", "completed,", "Completed", "completed, failed", "null")),
        *(("include", value) for value in ("", "everything", "media,x", "media,", "Counts", "media counts")),
        *(("id_prefix", value) for value in ("", "..", "a/b", "a.b", "a b", "a~", "é", "\x00", "a\n", "x" * 129)),
        *(("id_prefix", value) for value in ("____", "__a__", "__id7__", "%61", "a,b", "*")),
        *(("type", value) for value in ("", "dance", "animate,", "Animate", "other", "null")),
        *(("sort", value) for value in ("", "Newest", "oldest,newest", "created_at", "desc")),
        *(
            (name, value)
            for name in ("created_after", "created_before")
            for value in (
                *("", "today", "2026-11-22", "2026-11-22T12:00:00", "2026-11-22 12:00:00Z", "1795348800"),
                *("2026-11-22T12:00Z", "2026-11-22T12:00:00 01:00", "2026-11-22T12:00:00+0100"),
                *("2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T23:59:60Z"),
                *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"),
                *("2026-11-22T12:00:00.Z", "2026-11-22T12:00:00.1234567890Z", "\uff12026-11-22T12:00:00Z"),
                *("2026-11-22T12:00:00Z\n", "2026-W47-7T12:00:00Z", "2026-11-22T12:00:00+25:00"),
            )
        ),
        *(("name_prefix", value) for value in ("", " ", "a\n", "\u202e", "a" * 81)),
        ("ids", ""),
        ("ids", ",".join(f"job-{number}" for number in range(101))),
        ("cursor", ""),
    ],
)
def test_a_bad_value_is_refused_and_named(name: str, value: str) -> None:
    with pytest.raises(BadRequest, match=rf"^{name} "):
        parse(**{name: value})


@pytest.mark.parametrize(
    "name",
    ["page_size", "page", "cursor", "id_prefix", "name_prefix", "created_after", "created_before", "sort"],
)
def test_a_parameter_that_is_no_list_is_refused_if_it_is_given_twice(name: str) -> None:
    with pytest.raises(BadRequest, match=name):
        ListQuery.parse(MultiDict([(name, "1"), (name, "2")]), "me")


def repeated(name: str, *values: str) -> ListQuery:
    return ListQuery.parse(MultiDict([(name, value) for value in values]), "me")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("status", ("failed", "completed", "failed")),
        ("status", ("failed,completed", "queued")),
        ("type", ("upscale", "animate", "upscale")),
        ("type", ("upscale,animate", "foley")),
        ("ids", ("b", "a", "b", "../a")),
        ("ids", ("a,b", "c")),
        ("include", ("media", "counts")),
    ],
)
def test_a_list_may_be_repeated_as_well_as_separated_by_commas(name: str, values: tuple[str, ...]) -> None:
    assert repeated(name, *values) == parse(**{name: ",".join(values)})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("status", ("failed", "")),
        ("status", ("failed", "done")),
        ("include", ("media", "everything")),
        ("ids", tuple(f"job-{number}" for number in range(101))),
    ],
)
def test_a_repeated_list_is_refused_where_one_with_commas_is(name: str, values: tuple[str, ...]) -> None:
    with pytest.raises(BadRequest, match=rf"^{name} "):
        repeated(name, *values)


def test_jobs_of_other_statuses_can_be_filtered_by() -> None:
    query = parse(status="other,failed")
    assert query.statuses == ("failed", "other")
    assert [query.takes(status) for status in ("failed", "watermarking", None, "completed")] == [
        *(True, True, True, False)
    ]
    cursor = encode_cursor(POSITION, asking(statuses=("other", "failed")))
    assert parse(status="other,failed", cursor=cursor).after == POSITION
    with pytest.raises(BadRequest, match="cursor"):
        parse(status="other", cursor=cursor)


def test_several_statuses_are_taken_once_each() -> None:
    assert parse(status="failed,completed,failed").statuses == (JobStatus.COMPLETED, JobStatus.FAILED)


def test_impossible_ids_are_left_out_and_others_taken_once() -> None:
    assert parse(ids="b,../a,,a,b,__x__,%00,a/b," + "x" * 129).ids == ("b", "a")


def test_a_cursor_does_not_go_with_ids() -> None:
    with pytest.raises(BadRequest, match="cursor"):
        parse(ids="a", cursor=encode_cursor(POSITION, MINE))


@pytest.mark.parametrize("id_prefix", ["a", "Z", "0", "-", "_", "__", "__a", "70eb9a", "x" * 128])
def test_whatever_an_id_may_begin_with_can_be_searched_for(id_prefix: str) -> None:
    assert parse(id_prefix=id_prefix) == ListQuery(user_id="me", id_prefix=id_prefix)


@pytest.mark.parametrize("other", [{"ids": "a"}, {"status": "failed"}, {"ids": "a", "status": "failed"}])
def test_a_search_goes_with_neither_ids_nor_status(other: dict[str, str]) -> None:
    with pytest.raises(BadRequest, match=r"^id_prefix "):
        parse(id_prefix="a", **other)


@pytest.mark.parametrize(
    ("include", "media", "counts"),
    [
        ("media", True, False),
        ("counts", False, True),
        ("media,counts", True, True),
        ("counts,media", True, True),
        ("counts,counts", False, True),
    ],
)
def test_media_and_counts_are_included_in_any_order(include: str, media: bool, counts: bool) -> None:
    assert parse(include=include) == ListQuery(user_id="me", with_media=media, with_counts=counts)


def test_times_keep_their_microseconds_in_a_cursor() -> None:
    time = datetime(1969, 12, 31, 23, 59, 59, 999999, UTC) + timedelta(microseconds=1)
    position = Position("a", time, 1, 0, 0)
    assert decode_cursor(encode_cursor(position, MINE), MINE) == position


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22T12:00:00Z", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("2026-11-22t12:00:00z", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("2026-11-22T13:30:00+01:30", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("2026-11-22T12:00:00-00:00", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("2026-11-22T12:00:00.5Z", datetime(2026, 11, 22, 12, 0, 0, 500_000, UTC)),
        ("2026-11-22T12:00:00.123456Z", datetime(2026, 11, 22, 12, 0, 0, 123_456, UTC)),
        ("2026-11-22T12:00:00.123456000Z", datetime(2026, 11, 22, 12, 0, 0, 123_456, UTC)),
        ("2026-11-22T12:00:00.123456001Z", datetime(2026, 11, 22, 12, 0, 0, 123_457, UTC)),
        ("2026-11-22T12:00:00.123456789Z", datetime(2026, 11, 22, 12, 0, 0, 123_457, UTC)),
        ("2026-12-31T23:59:59.9999999Z", datetime(2027, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)),
        ("9999-12-31T23:59:59.9999999Z", datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)),
    ],
)
def test_times_are_taken_as_rfc_3339_has_them_rounded_up_to_what_firestore_keeps(
    text: str, time: datetime
) -> None:
    assert parse(created_after=text).created_after == time
    assert parse(created_before=text).created_before == time


def test_all_filters_go_together() -> None:
    assert parse(
        status="failed,other",
        type="foley,animate",
        created_after="2026-11-01T00:00:00Z",
        created_before="2026-12-01T00:00:00Z",
        sort="oldest",
        include="counts",
        page="2",
    ) == ListQuery(
        user_id="me",
        statuses=("failed", "other"),
        types=("animate", "foley"),
        created_after=datetime(2026, 11, 1, tzinfo=UTC),
        created_before=datetime(2026, 12, 1, tzinfo=UTC),
        oldest_first=True,
        with_counts=True,
        page=2,
    )
    assert parse(sort="newest") == parse()


def test_a_time_span_must_not_end_before_it_begins() -> None:
    for end in ("2026-11-22T12:00:00Z", "2026-11-22T12:30:00+01:00"):
        with pytest.raises(BadRequest, match=r"^created_after must be earlier than created_before"):
            parse(created_after="2026-11-22T12:00:00Z", created_before=end)


def test_a_time_span_is_measured_by_the_exact_times() -> None:
    earlier, later = "2026-11-22T12:00:00.000000001Z", "2026-11-22T12:00:00.000000002Z"
    query = parse(created_after=earlier, created_before=later)
    assert query.created_after == query.created_before == datetime(2026, 11, 22, 12, 0, 0, 1, UTC)
    for end in (earlier, "2026-11-22T13:00:00.000000001+01:00", "2026-11-22T12:00:00Z"):
        with pytest.raises(BadRequest, match=r"^created_after must be earlier than created_before"):
            parse(created_after=earlier, created_before=end)


VALUES = {
    "ids": "a",
    "id_prefix": "a",
    "name_prefix": "a",
    "status": "failed",
    "type": "foley",
    "created_after": "2026-11-22T12:00:00Z",
    "created_before": "2026-11-22T12:00:00Z",
    "sort": "newest",
}


@pytest.mark.parametrize("other", VALUES)
@pytest.mark.parametrize("name", ["ids", "id_prefix", "name_prefix"])
def test_what_does_not_go_together_is_refused_with_both_names(name: str, other: str) -> None:
    if name == other or (name, other) == ("ids", "status"):
        return
    with pytest.raises(BadRequest, match=r"^\w+ does not go with \w+\.$") as refusal:
        parse(**{name: VALUES[name], other: VALUES[other]})
    assert {name, other} <= {*refusal.value.detail.rstrip(".").split()}


lists = st.builds(
    ListQuery,
    user_id=st.just("me"),
    statuses=filters.map(sorted).map(tuple),
    types=st.sets(st.sampled_from(["animate", "foley"])).map(sorted).map(tuple),
    created_after=st.sampled_from([None, CREATED, datetime(2026, 1, 1, tzinfo=UTC)]),
    created_before=st.sampled_from([None, CREATED + timedelta(microseconds=1), datetime(2027, 1, 1, tzinfo=UTC)]),
    oldest_first=st.booleans(),
)


@given(lists, lists)
def test_a_cursor_is_bound_to_types_times_and_order_too(query: ListQuery, other: ListQuery) -> None:
    cursor = encode_cursor(POSITION, query)
    assert decode_cursor(cursor, query) == POSITION
    if query != other:
        with pytest.raises(BadRequest, match="cursor"):
            decode_cursor(cursor, other)


def test_a_cursor_of_a_search_by_name_holds_the_name_and_stays_short_enough() -> None:
    longest = folded("\ufdfa" * 80)
    position = Position("a" * 128, None, 10**9, 10**9, 10**9, longest)
    query = ListQuery(user_id="me", name_prefix=longest[:3])
    cursor = encode_cursor(position, query)
    assert len(cursor) <= 1024
    assert decode_cursor(cursor, query) == position
    for other in (replace(query, name_prefix=longest[:2]), replace(query, name_prefix=None)):
        with pytest.raises(BadRequest, match="cursor"):
            decode_cursor(cursor, other)


@pytest.mark.parametrize("name", ["dog", None, "\ud800"])
def test_a_cursor_to_a_name_outside_its_search_is_refused(name: str | None) -> None:
    query = ListQuery(user_id="me", name_prefix="cat")
    place = [1795348800123456 if name is None else name]
    payload = json.dumps(["job-1", *place, 2, 20, 57], separators=(",", ":")).encode()
    cursor = base64.urlsafe_b64encode(_seal(payload, query) + payload).rstrip(b"=").decode()
    with pytest.raises(BadRequest, match="cursor"):
        decode_cursor(cursor, query)


@pytest.mark.parametrize(
    ("query", "position"),
    [
        (MINE, replace(POSITION, created_at=None, name="cat")),
        (asking(id_prefix="job"), replace(POSITION, created_at=None, name="cat")),
        (ListQuery(user_id="me", name_prefix="cat"), replace(POSITION, created_at=None)),
        (ListQuery(user_id="me", created_after=CREATED + timedelta(microseconds=1)), POSITION),
        (ListQuery(user_id="me", created_before=CREATED), POSITION),
        (ListQuery(user_id="me", created_after=CREATED), replace(POSITION, created_at=None)),
        (ListQuery(user_id="me", created_before=CREATED), replace(POSITION, created_at=None)),
        (ListQuery(user_id="me", created_before=CREATED), replace(POSITION, created_at=None, name="cat")),
        (ListQuery(user_id="me", deleted=True), replace(POSITION, created_at=None)),
    ],
)
def test_a_cursor_to_a_place_where_the_list_has_no_jobs_is_refused(query: ListQuery, position: Position) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        decode_cursor(encode_cursor(position, query), query)


@pytest.mark.parametrize("query", [MINE, ListQuery(user_id="me", deleted=True), asking(id_prefix="job")])
@pytest.mark.parametrize(("name", "least"), [("page", 1), ("shown", 0), ("total", 0)])
def test_a_cursor_with_a_number_that_no_list_has_is_refused(query: ListQuery, name: str, least: int) -> None:
    def decoded(number: int) -> Position:
        position = replace(replace(POSITION, total=57), **{name: number})  # type: ignore[arg-type]
        return decode_cursor(encode_cursor(position, query), query)

    for number in (least - 1, -(2**40), 10**9 + 1, 2**63):
        with pytest.raises(BadRequest, match="cursor"):
            decoded(number)
    assert [getattr(decoded(number), name) for number in (least, 10**9)] == [least, 10**9]
