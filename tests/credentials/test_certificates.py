"""Certificates on paper: names in every script we have typefaces for, and the file that travels inside."""

from __future__ import annotations

import zlib

import pytest

from credentials import typefaces
from credentials.openbadges import baking

CREDENTIAL = '{"type": ["VerifiableCredential", "OpenBadgeCredential"], "name": "“Foundations”"}'


def _pdf(*streams: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        b"%d 0 obj\n<< %s /Length %d >>\nstream\n%s\nendstream\nendobj\n"
        % (number, extra, len(data), data)
        for number, (extra, data) in enumerate(streams, start=1)
    )
    return b"%PDF-1.7\n" + body + b"%%EOF"


@pytest.mark.parametrize("packed", [False, True])
def test_the_credential_is_found_among_the_streams_of_a_pdf(packed: bool) -> None:
    data = CREDENTIAL.encode()
    attached = (b"/Filter /FlateDecode", zlib.compress(data)) if packed else (b"", data)

    assert baking.from_pdf(_pdf((b"", b"BT (words) Tj ET"), attached)) == CREDENTIAL


def test_a_length_that_stands_elsewhere_in_the_file_is_found_too() -> None:
    data = zlib.compress(CREDENTIAL.encode())
    pdf = b"%PDF-1.7\n1 0 obj << /Filter /FlateDecode /Length 9 0 R >> stream\r\n" + data

    assert baking.from_pdf(pdf + b"\nendstream endobj") == CREDENTIAL


@pytest.mark.parametrize(
    "pdf",
    [
        b"%PDF-1.7 nothing",
        _pdf((b"", CREDENTIAL.encode()), (b"", CREDENTIAL.replace("Found", "Other").encode())),
        _pdf((b"/Filter /FlateDecode", b"no deflate")),
        # A bomb of 40 MB is read only as far as a credential can reach.
        _pdf((b"/Filter /FlateDecode", zlib.compress(b"{" + b" " * 40_000_000))),
        b"%PDF-1.7" + b"stream\n<<" * 60_000,
    ],
    ids=["none", "two", "broken", "bomb", "many"],
)
def test_a_pdf_without_exactly_one_credential_says_what_to_do(pdf: bytes) -> None:
    with pytest.raises(baking.NoneAttached, match="Type the code on it"):
        baking.from_pdf(pdf)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Дмитро", "source-serif-4-cyrillic.woff2"),
        ("Ελένη", "source-serif-4-greek.woff2"),
        ("Nguyễn", "source-serif-4-vietnamese.woff2"),
        ("محمد", "noto-naskh-arabic-arabic.woff2"),
        ("שרה", "noto-serif-hebrew-hebrew.woff2"),
        ("प्रिया", "noto-serif-devanagari-devanagari.woff2"),
        ("山田やま", "noto-serif-jp-"),
        ("王小明", "noto-serif-sc-"),
        ("김민준", "noto-serif-kr-"),
    ],
)
def test_a_name_brings_the_typeface_of_its_script_and_no_other(name: str, file: str) -> None:
    assert typefaces.can_set(name)
    wanted = typefaces.style(f"certifies that {name}")

    assert typefaces.SCHEME + file in wanted
    assert wanted.count("@font-face") < 9


def test_a_name_in_a_script_without_a_typeface_is_known_before_it_is_printed() -> None:
    assert not typefaces.can_set("สมชาย")
