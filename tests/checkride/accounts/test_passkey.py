"""A passkey, made and used in a real browser with an authenticator that the browser imitates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.xdist_group("live_site")

MAKE_PERSON = """
from allauth.account.models import EmailAddress
from checkride.accounts.models import User
user = User.objects.create_user("pia-passkey@example.org", "a long passphrase", name="Pia Roth")
EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
"""


def plug_in_an_authenticator(page: Page) -> None:
    """A platform authenticator whose owner always shows her finger."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_a_passkey_is_made_and_signs_in_without_the_password(
    live_site: Any, browser: Browser
) -> None:
    live_site.manage("shell", "-v", "0", "-c", MAKE_PERSON)
    context = browser.new_context(base_url=live_site.url)
    page = context.new_page()
    plug_in_an_authenticator(page)
    page.goto("/accounts/login/")
    page.fill("input[name=login]", "pia-passkey@example.org")
    page.fill("input[name=password]", "a long passphrase")
    page.keyboard.press("Enter")
    page.wait_for_url("**/today/")

    page.goto("/accounts/2fa/webauthn/add/")
    if "reauthenticate" in page.url:
        page.fill("input[name=password]", "a long passphrase")
        page.keyboard.press("Enter")
        page.wait_for_url("**/webauthn/add/")
    page.get_by_label("What you call it").fill("The kitchen laptop")
    page.get_by_label("Sign in with it alone").check()
    page.get_by_role("button", name="Add").click()
    # What opens the account when the key is lost comes next.
    page.wait_for_url(lambda url: "webauthn/add" not in url)
    page.goto("/accounts/2fa/webauthn/")
    page.get_by_role("rowheader", name="The kitchen laptop").wait_for()

    context.clear_cookies()
    page.goto("/accounts/login/?next=/accounts/2fa/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("heading", name="Passkeys and second step").wait_for()
    context.close()
