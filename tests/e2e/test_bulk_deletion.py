"""Deleting several jobs at once. Each has its own result."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.faults import ALL_MATCHING, ONE_JOB, HeldBack, failed_load, problem
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.e2e.test_deletion import delete
from tests.waiting import wait_until


def test_jobs_are_selected_deselected_also_by_changing_the_filter_and_deleted_together_with_all_their_files(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    kept, *gone = (shelf.add() for _ in range(3))
    assert [len(shelf.objects(job)) for job in (kept, *gone)] == [3, 3, 3]
    jobs_page.open()
    checkbox(jobs_page, kept).check()
    bar(jobs_page).get_by_role("button", name="Select all 3").click()
    expect(bar(jobs_page)).to_contain_text("3 selected")
    for job in (kept, *gone):
        expect(checkbox(jobs_page, job)).to_be_checked()
    bar(jobs_page).get_by_role("button", name="Clear").click()
    expect(bar(jobs_page)).to_have_count(0)
    for job in (kept, *gone):
        expect(checkbox(jobs_page, job)).not_to_be_checked()

    for job in gone:
        checkbox(jobs_page, job).check()
    bar(jobs_page).get_by_role("button", name="Delete").click()
    expect(jobs_page.dialog).to_have_accessible_name("Delete 2 jobs?")
    jobs_page.dialog.get_by_role("button", name="Delete 2 jobs").click()
    expect(jobs_page.toasts).to_contain_text("2 jobs deleted")
    expect(jobs_page.dialog).to_have_count(0)
    jobs_page.expect_ids([kept])
    jobs_page.expect_counts(all=1, completed=1)
    expect(jobs_page.card(kept)).to_be_focused()
    expect(bar(jobs_page)).to_have_count(0)
    wait_until(lambda: [shelf.objects(job) for job in gone] == [[], []])
    assert len(shelf.objects(kept)) == 3

    checkbox(jobs_page, kept).check()
    jobs_page.filter("Completed").click()
    jobs_page.expect_ids([kept])
    expect(checkbox(jobs_page, kept)).not_to_be_checked()
    expect(bar(jobs_page)).to_have_count(0)


def test_after_one_job_or_a_whole_page_the_next_jobs_move_up_and_are_no_news(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    ids = shelf.add_many(23, "failed")
    jobs_page.open()
    gone = ids.pop(3)
    delete(jobs_page, gone)
    jobs_page.expect_ids(ids[:20])
    jobs_page.expect_range(1, 20, 22)
    jobs_page.expect_counts(all=22, failed=22)
    expect(jobs_page.card(ids[3])).to_be_focused()

    checkbox(jobs_page, ids[0]).check()
    expect_nothing_covered_at_the_page_s_end(jobs_page)
    bar(jobs_page).get_by_role("button", name="Select all 20").click()
    bar(jobs_page).get_by_role("button", name="Delete").click()
    jobs_page.dialog.get_by_role("button", name="Delete 20 jobs").click()
    jobs_page.expect_ids(ids[20:])
    expect(jobs_page.announcer).not_to_contain_text("new job")
    expect(page.locator("li.animate-arrive")).to_have_count(0)


def test_all_that_match_are_selected_also_those_that_came_back_unless_the_user_has_done_something_else(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    oldest = shelf.add(media=False)
    newest = shelf.add_many(20)[0]
    select_all = page.get_by_role("button", name="Select all 21 that match")
    jobs_page.open("?page=2")
    jobs_page.button(oldest, "Delete").click()
    jobs_page.dialog.get_by_role("button", name="Delete job").click()
    jobs_page.toasts.get_by_role("button", name="Undo").click()
    expect(jobs_page.toasts.filter(has_text=f"Job {oldest[:8]} restored")).to_be_visible()

    jobs_page.filter("All").click()
    checkbox(jobs_page, newest).check()
    select_all.click()
    expect(bar(jobs_page)).to_contain_text("21 selected")
    expect(jobs_page.announcer).to_have_text("21 selected.")

    bar(jobs_page).get_by_role("button", name="Clear").click()
    checkbox(jobs_page, newest).check()
    HeldBack(page, ALL_MATCHING)
    with page.expect_request(ALL_MATCHING):
        select_all.click()
    with page.expect_event("requestfailed", lambda request: bool(ALL_MATCHING.search(request.url))):
        bar(jobs_page).get_by_role("button", name="Clear").click()
    checkbox(jobs_page, newest).check()
    expect(bar(jobs_page)).to_contain_text("1 selected")
    expect(select_all).to_be_enabled()
    expect(bar(jobs_page)).to_contain_text("1 selected")
    told = "The selection has changed meanwhile. The jobs that match were not selected."
    expect(jobs_page.announcer).to_have_text(told)


def test_a_selected_job_that_a_new_one_pushes_off_the_page_is_deselected_and_the_page_says_so(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    first, *_, last = shelf.add_many(20)
    jobs_page.open()
    for job in (first, last):
        checkbox(jobs_page, job).check()
    expect(bar(jobs_page)).to_contain_text("2 selected")
    new = shelf.add("failed", media=False)
    page.get_by_role("button", name="Refresh the list").click()
    expect(jobs_page.toasts).to_contain_text(f"No longer on this page, and no longer selected{last[:8]}")
    expect(bar(jobs_page)).to_contain_text("1 selected")
    jobs_page.button(new, "Delete").click()
    jobs_page.dialog.get_by_role("button", name="Delete job").click()
    expect(checkbox(jobs_page, last)).not_to_be_checked()
    expect(checkbox(jobs_page, first)).to_be_checked()


def test_each_result_is_shown_while_other_deletions_wait_and_jobs_that_come_back_are_not_selected(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    slow, quick = shelf.add_many(2, "failed")
    jobs_page.open()
    held = HeldBack(page, ONE_JOB, only=slow)
    choose_all(jobs_page)
    jobs_page.dialog.get_by_role("button", name="Delete 2 jobs").click()
    expect(result(jobs_page, quick)).to_contain_text("Deleted")
    expect(result(jobs_page, slow).get_by_label("Being deleted")).to_be_visible()
    expect(jobs_page.cards).to_have_count(0)
    held.let_go()
    expect(jobs_page.toasts).to_contain_text("2 jobs deleted")

    jobs_page.toasts.get_by_role("button", name="Undo").click()
    expect(jobs_page.toasts.filter(has_text="2 jobs restored")).to_be_visible()
    jobs_page.expect_ids([slow, quick])
    for job in (slow, quick):
        expect(checkbox(jobs_page, job)).not_to_be_checked()
    expect(bar(jobs_page)).to_have_count(0)


def test_the_dialog_says_which_failed_and_why_and_retries_them(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("503"))
    ids = shelf.add_many(3, "failed")

    def refuse_one(route: Route) -> None:
        if route.request.url.endswith(ids[1]):
            problem(route, 503, "Pub/Sub is not available now.")
        else:
            route.continue_()

    page.route(ONE_JOB, refuse_one)
    jobs_page.open()
    choose_all(jobs_page)
    jobs_page.dialog.get_by_role("button", name="Delete 3 jobs").click()
    expect(result(jobs_page, ids[1])).to_contain_text("Pub/Sub is not available now.")
    for job in (ids[0], ids[2]):
        expect(result(jobs_page, job)).to_contain_text("Deleted")
    expect(jobs_page.toasts).to_contain_text(f"1 of 3 jobs could not be deleted{ids[1][:8]}")
    expect(jobs_page.toasts.get_by_role("button", name="Undo the others")).to_be_visible()
    expect(jobs_page.card(ids[1])).to_be_attached()
    wait_until(lambda: jobs_page.ids() == [ids[1]])

    page.unroute(ONE_JOB)
    jobs_page.dialog.get_by_role("button", name="Try the failed job again").click()
    expect(jobs_page.dialog).to_have_count(0)
    expect(page.get_by_role("heading", name="No videos yet")).to_be_visible()
    deletions = [request.url.split("/")[-1] for request in jobs_page.requests if request.method == "DELETE"]
    assert sorted(deletions) == sorted([*ids, ids[1]])


def test_a_session_that_ends_midway_leads_to_sign_in(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("401"))
    ids = shelf.add_many(2)
    page.route(ONE_JOB, lambda route: problem(route, 401, "The session has ended."))
    jobs_page.open()
    choose_all(jobs_page)
    jobs_page.dialog.get_by_role("button", name="Delete 2 jobs").click()
    page.wait_for_url("**/sign-in/?*")
    expect(page.get_by_text("Your session has ended")).to_be_visible()
    deletions = [request.url.split("/")[-1] for request in jobs_page.requests if request.method == "DELETE"]
    assert set(deletions) == set(ids)
    assert max(map(deletions.count, ids)) == 2  # sent again with a new token, once
    assert all(shelf.document(job).get().exists for job in ids)


def expect_nothing_covered_at_the_page_s_end(jobs_page: JobsPage) -> None:
    page = jobs_page.page
    window = page.viewport_size
    assert window is not None
    next_page = page.get_by_role("button", name="Next")
    for width in (360, 768, 1440):
        page.set_viewport_size({"width": width, "height": 640})
        page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
        expect(next_page).to_be_in_viewport()
        above, below = next_page.bounding_box(), bar(jobs_page).bounding_box()
        assert above, width
        assert below, width
        assert above["y"] + above["height"] <= below["y"], width
    page.set_viewport_size(window)


def bar(jobs_page: JobsPage) -> Locator:
    return jobs_page.page.get_by_role("region", name="Selected jobs")


def checkbox(jobs_page: JobsPage, job_id: str) -> Locator:
    return jobs_page.card(job_id).get_by_role("checkbox", name=f"Select job {job_id[:8]}")


def choose_all(jobs_page: JobsPage) -> None:
    """Select every job and open the confirmation."""
    jobs_page.cards.first.get_by_role("checkbox").check()
    bar(jobs_page).get_by_role("button", name="Select all").click()
    bar(jobs_page).get_by_role("button", name="Delete").click()


def result(jobs_page: JobsPage, job_id: str) -> Locator:
    return jobs_page.dialog.get_by_role("listitem").filter(has_text=job_id[:8])
