"""Saving the videos of several jobs into a folder or as a zip file."""

from __future__ import annotations

import hashlib
import json
import random
import re
import time
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.faults import HeldBack
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import OUTPUT, Shelf
from tests.e2e.test_accessibility import expect_fits_and_no_violations
from tests.waiting import wait_until

LENGTH = 5_000_000
"""Of a video, in bytes."""
# Nothing can choose a folder in a test, so the browser's own storage is the folder.
FOLDER = "window.showDirectoryPicker = () => navigator.storage.getDirectory()"
_FILES = """async () => {
    const folder = await navigator.storage.getDirectory();
    const found = {};
    for await (const [name, handle] of folder.entries()) {
        const content = await (await handle.getFile()).arrayBuffer();
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
        const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
        found[name] = name.endsWith(".json") ? new TextDecoder().decode(content) : hex;
    }
    return found;
}"""
# Reads no file: one may go while it is read.
_NAMES = "async () => Array.fromAsync((await navigator.storage.getDirectory()).keys())"
NO_FOLDERS = "delete window.showDirectoryPicker"
_EMPTIED = """async () => {
    const folder = await navigator.storage.getDirectory();
    for (const name of await Array.fromAsync(folder.keys())) await folder.removeEntry(name);
}"""
_NO_LIST = """() => void (window.showDirectoryPicker = async () => {
    const folder = await navigator.storage.getDirectory();
    const handle = folder.getFileHandle.bind(folder);
    folder.getFileHandle = (name, options) => name === "jobs.json"
        ? Promise.reject(new DOMException("", "NoModificationAllowedError")) : handle(name, options);
    return folder;
})"""


@pytest.fixture
def videos(tmp_path: Path) -> list[Path]:
    """Two that differ everywhere, each of several of the pieces in which they are saved."""
    files = [tmp_path / f"{seed}.mp4" for seed in range(2)]
    for seed, file in enumerate(files):
        file.write_bytes(OUTPUT.read_bytes() + random.Random(seed).randbytes(LENGTH - OUTPUT.stat().st_size))
    return files


def test_selected_videos_are_saved_into_a_folder_and_not_twice_and_a_list_that_cannot_be_written_is_told(
    jobs_page: JobsPage, page: Page, shelf: Shelf, videos: list[Path], expected_errors: list[str]
) -> None:
    expected_errors.append("status of 404")
    page.add_init_script(FOLDER)
    first, second = (
        shelf.add(name=name, instead={OUTPUT: video})
        for name, video in zip((None, "Second try"), videos, strict=True)
    )
    failed = shelf.add("failed", media=False)
    gone = shelf.add(media=False, output_video_path=f"{shelf.user_id}/gone/output.mp4")
    jobs_page.open()
    boxes = page.get_by_role("checkbox")
    boxes.first.check()
    boxes.last.click(modifiers=["Shift"])
    bar = page.get_by_role("region", name="Selected jobs")
    expect(bar).to_contain_text("4 selected")
    for _ in range(2):
        bar.get_by_role("button", name="Download").click()
        expect(jobs_page.dialog).to_contain_text("1 of the selected jobs has no output video")
        # A screen reader tells what comes into a region that it knows, and may miss one that comes with its text.
        status = jobs_page.dialog.get_by_role("status").element_handle()
        jobs_page.dialog.get_by_role("button", name="Choose a folder").click()
        expect(jobs_page.dialog.get_by_role("status")).to_have_text("2 videos saved, 1 not.")
        assert status.inner_text() == "2 videos saved, 1 not."
        expect(jobs_page.dialog.get_by_role("list")).to_contain_text(gone[:8])
        page.keyboard.press("Escape")
    files = page.evaluate(_FILES)
    listed = {one["id"]: one for one in json.loads(files.pop("jobs.json"))}
    names = f"nuumee-{first}.mp4", f"nuumee-Second try {second[:8]}.mp4"
    assert files == {
        name: hashlib.sha256(video.read_bytes()).hexdigest() for name, video in zip(names, videos, strict=True)
    }
    assert listed.keys() == {first, second, gone}
    assert failed not in listed
    assert (listed[second]["name"], listed[second]["bytes"]) == ("Second try", LENGTH)

    page.evaluate(_EMPTIED)
    page.evaluate(_NO_LIST)
    bar.get_by_role("button", name="Download").click()
    jobs_page.dialog.get_by_role("button", name="Choose a folder").click()
    expect(jobs_page.dialog.get_by_role("alert")).to_have_text(
        "What was received is in the folder, but not the list of the jobs. The browser may not write there."
    )
    expect_fits_and_no_violations(page, "list_not_saved")
    assert sorted(page.evaluate(_NAMES)) == sorted(files)


def test_a_zip_file_is_made_once_and_no_stray_key_or_click_throws_it_away(
    jobs_page: JobsPage, page: Page, shelf: Shelf, videos: list[Path]
) -> None:
    page.add_init_script(NO_FOLDERS)
    job = shelf.add(name="First try", instead={OUTPUT: videos[0]})
    held = HeldBack(page, re.compile(r"/output$"))
    jobs_page.open()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("region", name="Selected jobs").get_by_role("button", name="Download").click()
    expect_fits_and_no_violations(page, "saving_as_a_zip_file")
    jobs_page.dialog.get_by_role("button", name="Save as a zip file").dblclick()
    expect(jobs_page.dialog.get_by_role("progressbar")).to_be_visible()
    page.keyboard.press("Escape")
    page.mouse.click(5, 5)
    expect(jobs_page.dialog.get_by_role("progressbar")).to_be_visible()
    with page.expect_download() as saving:
        held.let_go()
    expect(jobs_page.dialog.get_by_role("status")).to_have_text("1 video saved.")
    assert sum(request.url.endswith("/output") for request in jobs_page.requests) == 1
    with zipfile.ZipFile(saving.value.path()) as saved:
        name = f"nuumee-First try {job[:8]}.mp4"
        assert saved.namelist() == [name, "jobs.json"]
        assert saved.read(name) == videos[0].read_bytes()
        assert json.loads(saved.read("jobs.json"))[0]["id"] == job
    page.keyboard.press("Escape")
    expect(jobs_page.dialog).to_have_count(0)

    # The browser keeps a copy of its own until the page is used an hour later.
    page.reload()
    jobs_page.expect_ids([job])
    page.mouse.move(100, 100)
    page.get_by_role("region", name="Notifications").wait_for(state="attached")
    [kept] = page.evaluate(_NAMES)
    assert kept.startswith("nuumee-jobs ")
    page.clock.install(time=time.time() + 3_660)
    page.reload()
    jobs_page.expect_ids([job])
    page.mouse.move(101, 101)
    wait_until(lambda: not page.evaluate(_NAMES))
