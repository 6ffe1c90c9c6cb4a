"""An employer's look-up with what is really in hand: a PDF, a link to somewhere else, nothing."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client


def _sent(client: Client, content: bytes) -> str:
    answer = client.post("/verify/file/", {"file": SimpleUploadedFile("credential", content)})
    return answer.content.decode()


def test_a_pdf_is_answered_with_what_to_do_instead(client: Client, running_signer: Any) -> None:
    assert "Type the code on it." in _sent(client, b"%PDF-1.7 a copy of a certificate")


def test_an_empty_file_is_answered_with_what_to_do(client: Client, running_signer: Any) -> None:
    assert "The file is empty. Ask for it again." in _sent(client, b"")


def test_a_link_to_another_site_is_answered_with_where_it_leads(
    client: Client, running_signer: Any
) -> None:
    answer = client.get("/verify/", {"code": "https://forger.example/credentials/5e7a1c2e"})

    assert "This link leads to forger.example, which is not us." in answer.content.decode()
