"""axe-core finds no violations in any state of the page at any width."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from infra.stage import ROOT
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.e2e.states import VISITS, Visit

AXE = (ROOT / "frontend/node_modules/axe-core/axe.min.js").read_text()
PICTURES = ROOT / "artifacts" / "screenshots"
HEIGHT = 900
ZOOMED = (320, 256)
"""A window of 1280 by 1024 pixels at 400 %: https://www.w3.org/TR/WCAG22/#reflow"""
LARGE = "element => element.clientHeight / innerHeight"
WINDOWS = (ZOOMED, *((width, HEIGHT) for width in (360, 768, 1440, 2560)))
_OF_THE_LAYOUT = ("color-contrast", "scrollable-region-focusable")
"""axe-core's rules that may judge the same elements differently at another width."""
_LOOK = """
    async ({ isFirst, ofTheLayout }) => {
        const elements = [document.documentElement.outerHTML, ...[...document.querySelectorAll("*")].map(element =>
            element.checkVisibility({ visibilityProperty: true }) ? "visible" : "hidden")].join(" ")
            .replace(/>[^<]*</g, text => text.replace(/\\d+/g, "0"));
        if (isFirst) window.judged = new Set();
        const rules = window.judged.has(elements) ? { runOnly: ofTheLayout } : {};
        window.judged.add(elements);
        const { violations } = await axe.run(document, { resultTypes: ["violations"], ...rules });
        const { scrollWidth, clientWidth } = document.documentElement;
        return { violations, sideways: scrollWidth - clientWidth };
    }
"""
"""Judges the page's elements, and where they were judged before, the layout alone.

Numbers in texts make no other elements: some tell how much time has passed.
"""
_TEXT_HAS_ITS_COLOUR = """
    () => {
        const { getPropertyValue } = CSSStyleDeclaration.prototype;
        const forced = matchMedia("(forced-colors: active)");
        CSSStyleDeclaration.prototype.getPropertyValue = function (name) {
            const hidden = name === "-webkit-text-fill-color" && forced.matches;
            return hidden ? "" : getPropertyValue.call(this, name);
        };
    }
"""
"""In forced colours, hides from axe-core a property that it prefers to the colour, and that they leave alone."""


def violations(page: Page, *, rules: Collection[str] = ()) -> list[str]:
    """The violations that axe-core finds, each with its elements. `rules` limits what it checks."""
    _bring_axe(page)
    only = f", runOnly: {list(rules)}" if rules else ""
    run = f"axe.run(document, {{ resultTypes: ['violations']{only} }})"
    return _described(page.evaluate(f"{run}.then(found => found.violations)"))


def sideways(page: Page) -> int:
    """How many pixels wider the page is than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def expect_fits_and_no_violations(page: Page, state: str, *, full_page: bool = False) -> None:
    """In each window, and in the widest one in forced colours.

    Where the page has the same elements as before, only what depends on the layout or on colours is checked again.
    With SCREENSHOTS in the environment, the state is saved as a screenshot.
    """
    _bring_axe(page)
    for width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        if os.environ.get("SCREENSHOTS"):
            PICTURES.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=PICTURES / f"{state}-{width}.png", full_page=full_page)
        seen = page.evaluate(_LOOK, {"isFirst": (width, height) == WINDOWS[0], "ofTheLayout": _OF_THE_LAYOUT})
        found = _described(seen["violations"])
        assert not found, f"{state} at {width} pixels:\n" + "\n".join(found)
        assert seen["sideways"] == 0, f"{state} at {width} pixels"
    page.emulate_media(forced_colors="active")
    found = violations(page, rules=_OF_THE_LAYOUT)
    page.emulate_media(forced_colors="none")
    assert not found, f"{state} in forced colours:\n" + "\n".join(found)


def _bring_axe(page: Page) -> None:
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE)
        page.evaluate(_TEXT_HAS_ITS_COLOUR)


def _described(found: list[dict[str, Any]]) -> list[str]:
    return [
        f"{rule['id']}: {rule['help']}\n  " + "\n  ".join(node["html"][:200] for node in rule["nodes"])
        for rule in found
    ]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("visit", VISITS)
def test_axe_finds_no_violations_and_everything_fits_the_window(
    jobs_page: JobsPage, shelf: Shelf, expected_errors: list[str], visit: Visit
) -> None:
    expected_errors.append("Failed to load resource")  # some states are about failures
    page = jobs_page.page
    window = page.viewport_size
    assert window is not None
    for state in visit(jobs_page, shelf):
        expect_fits_and_no_violations(page, state, full_page=state.startswith("cards"))
        page.set_viewport_size(window)


def test_the_page_is_usable_with_tab_at_200_percent_zoom_and_with_forced_colours(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    job = shelf.add()
    jobs_page.open()
    jobs_page.tile(job, "source video").wait_for()
    expect_everything_on_the_card_reached_with_tab(jobs_page, job)
    jobs_page.page.set_viewport_size({"width": 640, "height": 450})
    expect_usable_at_200_percent_zoom(jobs_page, job)
    jobs_page.page.set_viewport_size({"width": 1280, "height": HEIGHT})
    jobs_page.page.emulate_media(forced_colors="active")
    expect_buttons_and_the_chosen_filter_told_apart(jobs_page, job)


def expect_everything_on_the_card_reached_with_tab(jobs_page: JobsPage, job: str) -> None:
    name = job[:8]
    tiles = {"reference image": "REF", "source video": "SRC", "output video": "OUTPUT"}
    expected = {
        *(f"Preview the {medium} of job {name} \u2013 {label}" for medium, label in tiles.items()),
        *(f"{action} job {name}" for action in ("Download", "Copy link for", "Details of", "Delete")),
    }
    reached = set()
    for _ in range(25):
        jobs_page.page.keyboard.press("Tab")
        reached.add(jobs_page.focused())
    assert expected <= reached


def expect_usable_at_200_percent_zoom(jobs_page: JobsPage, job: str) -> None:
    """At 200 % zoom a window of 1280 pixels is 640 CSS pixels wide: https://www.w3.org/TR/WCAG22/#resize-text"""
    for action in ("Download", "Copy link", "Details", "Delete"):
        jobs_page.button(job, action).click(trial=True)
    jobs_page.button(job, "Delete").click()
    button = jobs_page.dialog.get_by_role("button", name="Delete job")
    button.scroll_into_view_if_needed()
    expect(button).to_be_in_viewport(ratio=1)
    assert sideways(jobs_page.page) == 0
    jobs_page.dialog.get_by_role("button", name="Keep it").click()
    expect(jobs_page.dialog).to_have_count(0)


def expect_buttons_and_the_chosen_filter_told_apart(jobs_page: JobsPage, job: str) -> None:
    jobs_page.page.mouse.move(1, 1)
    background = "element => getComputedStyle(element).backgroundColor"
    chosen, other = (jobs_page.filter(status).evaluate(background) for status in ("All", "Failed"))
    assert chosen != other
    unpressed = jobs_page.grid_toggle.evaluate(background)
    jobs_page.grid_toggle.click()
    jobs_page.page.mouse.move(1, 1)
    expect(jobs_page.grid_toggle).not_to_have_css("background-color", str(unpressed))
    for action in ("Download", "Copy link", "Details", "Delete"):
        expect(jobs_page.button(job, action)).to_have_css("border-top-width", "1px")


def test_the_page_is_usable_at_400_percent_zoom(jobs_page: JobsPage, shelf: Shelf) -> None:
    job = shelf.add("failed", error_message=f"https://nuumee.test/{'x' * 300}\n\u05d3\u05d9")
    page = jobs_page.page
    page.set_viewport_size({"width": ZOOMED[0], "height": ZOOMED[1]})
    jobs_page.open("?status=failed")
    expect(jobs_page.filter("Failed")).to_be_in_viewport(ratio=1)
    page.get_by_role("checkbox").check()
    for covering in (page.get_by_role("banner"), page.get_by_role("region", name="Selected jobs")):
        expect(covering).to_have_css("position", "static")
    assert sideways(page) == 0
    jobs_page.button(job, "Details").click()
    reason = jobs_page.dialog.get_by_text("https://nuumee.test/")
    assert reason.evaluate("element => element.scrollWidth <= element.clientWidth")
    expect(reason).to_have_attribute("dir", "auto")
    expect(reason).to_have_css("white-space-collapse", "preserve-breaks")
    more = jobs_page.dialog.get_by_role("button", name="More")
    more.click()
    assert reason.evaluate("element => element.scrollHeight <= element.clientHeight")
    page.keyboard.press("Escape")
    jobs_page.button(job, "Delete").click()
    focused = jobs_page.dialog.get_by_role("button", name="Keep it")
    expect(focused).to_be_focused()
    expect(focused).to_be_in_viewport(ratio=1)
    focused.click()
    jobs_page.tile(job, "reference image").click()
    image = jobs_page.dialog.get_by_role("img").last
    assert image.evaluate(LARGE) == pytest.approx(0.7, abs=0.01)
    for action in ("Next medium", "Details"):
        jobs_page.dialog.get_by_role("button", name=action).click(trial=True)
    assert sideways(page) == 0


def test_screenshots_are_ignored_by_git() -> None:
    assert str(Path(PICTURES).relative_to(ROOT).parts[0]) + "/" in (ROOT / ".gitignore").read_text().splitlines()
