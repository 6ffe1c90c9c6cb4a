"""The headers of reliability.md, on every kind of answer."""

from __future__ import annotations

import re

import pytest
from django.test import Client, override_settings

PAGES = ["/", "/accounts/login/", "/no-such-page", "/livez", "/styleguide/"]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_security_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert "camera=()" in headers["Permissions-Policy"]
    assert re.fullmatch(r"[0-9a-f]{12}", headers["X-Request-ID"])


def test_scripts_run_by_the_nonce_of_this_answer_only(client: Client) -> None:
    nonces = set()
    for _ in range(2):
        response = client.get("/")
        (nonce,) = set(
            re.findall(r"script-src [^;]*'nonce-([^']+)'", response["Content-Security-Policy"])
        )
        assert f'nonce="{nonce}"' in response.content.decode()
        nonces.add(nonce)
    assert len(nonces) == 2


@pytest.mark.parametrize("path", PAGES)
def test_pages_hold_no_inline_style_and_no_inline_handler(client: Client, path: str) -> None:
    text = client.get(path).content.decode()

    assert not re.search(r"<[^>]+\sstyle=", text)
    assert not re.search(r"<[^>]+\son[a-z]+=", text)
    assert not re.search(r'<script(?![^>]*(\bnonce=|type="application/json"))', text)


@override_settings(SECURE_HSTS_SECONDS=63072000, SECURE_SSL_REDIRECT=True)
def test_plain_http_is_sent_to_https(client: Client) -> None:
    response = client.get("/")

    assert response.status_code == 301
    assert response["Location"].startswith("https://")
