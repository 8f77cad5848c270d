"""Names of built-in JavaScript properties, such as `constructor`, cause no harm in an address.

A job's type may be such a name too: test_cards.py.
"""

from __future__ import annotations

from playwright.sync_api import Page, expect

NAMES = ("__proto__", "constructor")


def test_a_sign_in_reason_with_such_a_name_is_ignored(page: Page) -> None:
    for name in NAMES:
        page.goto(f"/sign-in/?reason={name}")
        expect(page.get_by_role("button", name="Sign in")).to_be_enabled()
        expect(page.get_by_label("Password")).to_be_visible()
        expect(page.get_by_role("status")).to_have_count(0)
