"""Codes, keys, lists and pictures as text and bytes."""

from __future__ import annotations

import random
import secrets
from datetime import UTC, datetime

import pytest

from credentials import seal
from credentials.openbadges import baking, dates, encoding, keys, shortcode, statuslist
from credentials.ranges import plausible_percent

NOON = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)


def test_a_new_code_reads_back_as_itself() -> None:
    for _ in range(200):
        code = shortcode.new(secrets.randbelow)

        assert shortcode.read(shortcode.grouped(code)) == code


def test_a_code_is_read_whatever_its_case_spaces_and_likely_misreadings() -> None:
    code = next(
        code
        for code in iter(lambda: shortcode.new(secrets.randbelow), "")
        if "0" in code and "1" in code
    )

    typed = f" {shortcode.grouped(code).lower().replace('0', 'o').replace('1', 'l')} "

    assert shortcode.read(typed.replace("-", " - ")) == code


def test_every_single_wrong_character_is_noticed() -> None:
    code = shortcode.new(random.Random(3).randrange)
    for place in range(shortcode.LENGTH):
        for other in set(shortcode.ALPHABET) - {code[place]}:
            with pytest.raises(shortcode.CodeMistyped):
                shortcode.read(code[:place] + other + code[place + 1 :])


def test_every_exchange_of_two_characters_is_noticed() -> None:
    code = "7K3MQ9TX4B2H8VDT"
    assert shortcode.read(code) == code
    for one in range(shortcode.LENGTH):
        for two in range(one + 1, shortcode.LENGTH):
            letters = list(code)
            letters[one], letters[two] = letters[two], letters[one]
            if "".join(letters) != code:
                with pytest.raises(shortcode.CodeMistyped):
                    shortcode.read("".join(letters))


@pytest.mark.parametrize(
    "text", ["", "7K3M", "7K3M-Q9TX-4B2H-8VDT-9", "U" * 16, "é" * 16, "ﬃ" * 99]
)
def test_what_cannot_be_a_code_is_called_mistyped(text: str) -> None:
    with pytest.raises(shortcode.CodeMistyped):
        shortcode.read(text)


def test_a_code_holds_seventy_five_random_bits() -> None:
    assert len(shortcode.ALPHABET) == 32
    drawn: list[int] = []
    shortcode.new(lambda below: drawn.append(below) or 0)
    assert drawn == [32] * 15


def test_base58_keeps_leading_zeros_and_refuses_foreign_letters() -> None:
    assert encoding.base58btc(b"\0\0hello") == "11Cn8eVZg"
    assert encoding.from_base58btc("11Cn8eVZg") == b"\0\0hello"
    with pytest.raises(encoding.BadEncoding):
        encoding.from_base58btc("0OIl")


def test_a_multikey_begins_as_the_standard_says_and_reads_back() -> None:
    key = keys.new_key("ed25519", at=NOON)

    text = encoding.multikey(key.public_bytes)

    assert text.startswith("z6Mk")
    assert encoding.from_multikey(text) == key.public_bytes


@pytest.mark.parametrize("text", ["", "z", "z6Mk", "u7QF", "z" + "1" * 40])
def test_what_is_no_ed25519_multikey_is_refused(text: str) -> None:
    with pytest.raises(encoding.BadEncoding):
        encoding.from_multikey(text)


def test_base64url_refuses_padding_and_stray_bits() -> None:
    for text in ("YQ==", "YR", "Y Q", "Y+Q/"):
        with pytest.raises(encoding.BadEncoding):
            encoding.from_base64url(text)


@pytest.mark.parametrize(
    ("site", "did"),
    [
        ("https://checkride.example", "did:web:checkride.example"),
        ("http://127.0.0.1:8000", "did:web:127.0.0.1%3A8000"),
    ],
)
def test_the_did_follows_from_the_address_of_the_site(site: str, did: str) -> None:
    assert keys.did_web(site) == did


def test_a_key_is_named_after_its_month_and_never_after_itself() -> None:
    key = keys.new_key("ed25519", at=NOON)

    assert key.kid == "key-2026-11"
    assert keys.new_key("rsa", at=NOON, taken=["jwt-2026-11"]).kid == "jwt-2026-11-2"


def test_private_keys_survive_their_file() -> None:
    ring = (keys.new_key("ed25519", at=NOON),)

    (again,) = keys.keyring_from_json(keys.keyring_to_json(ring))

    assert again.public_bytes == ring[0].public_bytes
    assert again.created == NOON


# Revocation lists ------------------------------------------------------------------------------


def test_bit_zero_of_a_list_is_the_left_most() -> None:
    bits = statuslist.decoded(statuslist.encoded([0, 9]))

    assert bits[0] == 0b1000_0000
    assert bits[1] == 0b0100_0000
    assert statuslist.indexes(bits) == (0, 9)
    assert statuslist.is_set(bits, 9)
    assert not statuslist.is_set(bits, 1)


def test_an_empty_list_has_the_length_that_hides_who_is_asked_about() -> None:
    assert len(statuslist.decoded(statuslist.encoded([]))) * 8 == 131_072


def test_equal_lists_have_equal_bytes() -> None:
    assert statuslist.encoded([7, 131_071]) == statuslist.encoded([131_071, 7])


def test_a_list_that_unpacks_to_a_bomb_is_refused() -> None:
    import gzip

    bomb = "u" + encoding.base64url(gzip.compress(bytes(50_000_000)))

    with pytest.raises(statuslist.BadStatusList):
        statuslist.decoded(bomb)


@pytest.mark.parametrize("text", [None, "", "u", "H4sI", "uAAAA", "uH4sIAAAAAAACAw"])
def test_a_damaged_list_says_nothing(text: object) -> None:
    with pytest.raises(statuslist.BadStatusList):
        statuslist.decoded(text)


def test_an_entry_beyond_the_list_is_no_clean_entry() -> None:
    bits = statuslist.decoded(statuslist.encoded([]))

    with pytest.raises(statuslist.BadStatusList):
        statuslist.is_set(bits, 131_072)


# Dates and pictures ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["2026-11-10", "2026-11-10T12:00:00+00:00", "2026-02-30T00:00:00Z", 5]
)
def test_only_one_spelling_of_a_date_is_read(text: object) -> None:
    assert dates.read("2026-11-10T12:00:00Z") == NOON
    with pytest.raises(dates.BadDate):
        dates.read(text)


@pytest.mark.parametrize("credential", ['{"a": "b]]>c", "ü": 1}', "aaa.bbb.ccc"])
def test_a_credential_comes_out_of_its_picture_as_it_went_in(credential: str) -> None:
    png = baking.into_png(seal.png(), credential)
    svg = baking.into_svg(seal.svg("A & B"), credential)

    assert baking.from_png(png) == credential
    assert baking.from_svg(svg) == credential


def test_baking_twice_leaves_one_credential_in_the_picture() -> None:
    png = baking.into_png(baking.into_png(seal.png(), "{}"), '{"second": true}')

    assert baking.from_png(png) == '{"second": true}'


def test_a_baked_picture_is_still_a_picture() -> None:
    import io

    from PIL import Image

    with Image.open(io.BytesIO(baking.into_png(seal.png(), "{}"))) as image:
        image.load()
        assert image.size == (512, 512)
        assert image.info["openbadgecredential"] == "{}"


def test_a_baked_drawing_is_still_xml() -> None:
    from xml.etree import ElementTree

    root = ElementTree.fromstring(baking.into_svg(seal.svg("Seal"), '{"a": "b]]>c"}'))  # noqa: S314

    assert root[0].tag == "{https://purl.imsglobal.org/ob/v3p0}credential"
    assert root[0].text == '{"a": "b]]>c"}'


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n\0\0", seal.png()])
def test_a_picture_without_a_credential_says_so(data: bytes) -> None:
    with pytest.raises(baking.NotBaked):
        baking.from_png(data)


def test_the_plausible_range_is_the_published_one() -> None:
    # Wilson's interval for 11 of 12 at 90 %, worked out by hand: 0.699 to 0.981.
    assert plausible_percent(11, 12) == (70, 98)
    assert plausible_percent(0, 3) == (0, 47)
    assert plausible_percent(3, 3) == (53, 100)
