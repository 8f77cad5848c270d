"""Deleting several jobs at once, with all their files. For what else the page does, see page-deletion.test.tsx."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.waiting import wait_until


def test_jobs_are_selected_deselected_and_deleted_together_with_all_their_files(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    others = shelf.add_many(18, "failed")
    kept, *gone = (shelf.add() for _ in range(3))
    assert [len(shelf.objects(job)) for job in (kept, *gone)] == [3, 3, 3]
    jobs_page.open()
    checkbox(jobs_page, kept).check()
    expect(bar(jobs_page)).to_contain_text("1 selected")
    expect_nothing_covered_at_the_page_s_end(jobs_page)
    bar(jobs_page).get_by_role("button", name="Clear").click()
    expect(bar(jobs_page)).to_have_count(0)
    expect(checkbox(jobs_page, kept)).not_to_be_checked()

    for job in gone:
        checkbox(jobs_page, job).check()
    bar(jobs_page).get_by_role("button", name="Delete").click()
    expect(jobs_page.dialog).to_have_accessible_name("Delete 2 jobs?")
    jobs_page.dialog.get_by_role("button", name="Delete 2 jobs").click()
    expect(jobs_page.toasts).to_contain_text("2 jobs deleted")
    expect(jobs_page.dialog).to_have_count(0)
    jobs_page.expect_ids([kept, *others])
    jobs_page.expect_counts(all=19, completed=1, failed=18)
    expect(jobs_page.card(kept)).to_be_focused()
    expect(bar(jobs_page)).to_have_count(0)
    wait_until(lambda: [shelf.objects(job) for job in gone] == [[], []])
    assert len(shelf.objects(kept)) == 3


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
