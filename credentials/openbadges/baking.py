"""Baking: putting a signed credential into the picture of its badge, and taking it out again.

Source: Open Badges 3.0, document format. A PNG holds one uncompressed `iTXt` chunk with the
keyword `openbadgecredential`; an SVG one `openbadges:credential` element directly after `<svg>`.
A certificate in PDF carries the credential as an attached file, see `from_pdf`.
"""

from __future__ import annotations

import html
import re
import struct
import zlib
from collections.abc import Iterator

from checkride.lib.errors import DomainError

KEYWORD = b"openbadgecredential"
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
_PNG = b"\x89PNG\r\n\x1a\n"
# Keyword, then: not compressed, no compression method, no language, no translated keyword.
_HEAD = KEYWORD + b"\0\0\0\0\0"

_SVG_OPEN = re.compile(r"<svg\b[^>]*>")
_SVG_CDATA = re.compile(
    r"<openbadges:credential[^>]*>\s*<!\[CDATA\[(.*)\]\]>\s*</openbadges:credential>", re.DOTALL
)
_SVG_VERIFY = re.compile(r"<openbadges:credential\b[^>]*\bverify=\"([^\"]*)\"")


class NotBaked(DomainError):
    code = "not-baked"
    sentence = "The picture holds no credential. Pictures that were copied or resized lose it."


def into_png(png: bytes, credential: str) -> bytes:
    """`png` with `credential` (JSON or JWS) in it; one that was there before is taken out."""
    out = [_PNG]
    for kind, data in _chunks(png):
        if kind == b"iTXt" and data.startswith(KEYWORD + b"\0"):
            continue
        if kind == b"IEND":
            out.append(_chunk(b"iTXt", _HEAD + credential.encode("utf-8")))
        out.append(_chunk(kind, data))
    return b"".join(out)


def from_png(png: bytes) -> str:
    """The credential in a PNG. Raises `NotBaked` when there is none, or more than one."""
    found = [
        data for kind, data in _chunks(png) if kind == b"iTXt" and data.startswith(KEYWORD + b"\0")
    ]
    if len(found) != 1 or not found[0].startswith(_HEAD):
        raise NotBaked()
    try:
        return found[0][len(_HEAD) :].decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotBaked() from error


def into_svg(svg: str, credential: str) -> str:
    """`svg` with `credential` (JSON or JWS) as its first element."""
    opening = _SVG_OPEN.search(svg)
    if not opening:
        raise NotBaked()
    tag = opening.group(0)
    if f'xmlns:openbadges="{NAMESPACE}"' not in tag:
        tag = f'{tag[:-1]} xmlns:openbadges="{NAMESPACE}">'
    if credential.lstrip().startswith("{"):
        # CDATA cannot hold its own end, so it is split over two sections there.
        text = credential.replace("]]>", "]]]]><![CDATA[>")
        baked = f"<openbadges:credential><![CDATA[{text}]]></openbadges:credential>"
    else:
        baked = f'<openbadges:credential verify="{html.escape(credential)}"/>'
    return svg[: opening.start()] + tag + baked + svg[opening.end() :]


def from_svg(svg: str) -> str:
    """The credential in an SVG. Raises `NotBaked` when there is none, or more than one."""
    if svg.count("<openbadges:credential") != 1:
        raise NotBaked()
    if found := _SVG_CDATA.search(svg):
        return found.group(1).replace("]]]]><![CDATA[>", "]]>")
    if found := _SVG_VERIFY.search(svg):
        return html.unescape(found.group(1))
    raise NotBaked()


_PDF_LENGTH = re.compile(rb"/Length\s+(\d{1,7})(?!\d|\s+\d)")
_LONGEST_DICTIONARY = 2_000
_MOST_STREAMS = 2_000
_MOST_STREAM_BYTES = 500_000
_MOST_PDF_BYTES = 8_000_000


class NoneAttached(DomainError):
    code = "none-attached"
    sentence = (
        "There is no signed credential in this PDF. What is printed on it can be copied and "
        "changed, so it proves nothing. Type the code on it."
    )


def from_pdf(pdf: bytes) -> str:
    """The credential attached to a PDF. Raises `NoneAttached` when there is none, or more than one.

    The PDF is not laid out or trusted: every stream in it is read, within bounds, and the one that
    is a JSON credential is taken. Whether it is genuine is the signature's question alone.
    """
    found: set[str] = set()
    budget = _MOST_PDF_BYTES
    place = pdf.find(b"stream")
    for _count in range(_MOST_STREAMS):
        if place < 0 or budget <= 0:
            break
        if pdf[place - 3 : place] != b"end":
            content = _pdf_stream(pdf, place)
            budget -= len(content)
            if (text := _credential_text(content)) is not None:
                found.add(text)
        place = pdf.find(b"stream", place + 6)
    if len(found) != 1:
        raise NoneAttached()
    return found.pop()


def _credential_text(content: bytes) -> str | None:
    text = content.lstrip(b"\xef\xbb\xbf \r\n\t")
    if not text.startswith(b"{") or b"OpenBadgeCredential" not in text:
        return None
    try:
        return text.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None


def _pdf_stream(pdf: bytes, keyword: int) -> bytes:
    """The content of the stream whose keyword stands at `keyword`, at most `_MOST_STREAM_BYTES`;
    empty when it cannot be read."""
    before = pdf[max(0, keyword - _LONGEST_DICTIONARY) : keyword]
    dictionary = before[before.rfind(b"obj") + 3 :]
    start = keyword + 6
    start += 2 if pdf[start : start + 2] == b"\r\n" else 1
    if length := _PDF_LENGTH.search(dictionary):
        end = start + int(length.group(1))
    else:  # the length is written elsewhere in the file
        end = pdf.find(b"endstream", start)
    raw = pdf[start : max(start, min(end, start + _MOST_STREAM_BYTES))]
    if b"/FlateDecode" not in dictionary:
        return raw
    try:
        return zlib.decompressobj().decompress(raw, _MOST_STREAM_BYTES)
    except zlib.error:
        return b""


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not png.startswith(_PNG):
        raise NotBaked()
    place = len(_PNG)
    while place < len(png):
        try:
            length, kind = struct.unpack_from(">I4s", png, place)
        except struct.error as error:
            raise NotBaked() from error
        data = png[place + 8 : place + 8 + length]
        if len(data) != length:
            raise NotBaked()
        yield kind, data
        place += 12 + length


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
