"""Numbers, money and spelling."""

from __future__ import annotations

import pytest

from courses.simulators.prompts.words import Speller, stem, tokens


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("$100", 100, "usd"),
        ("100 US dollars", 100, "usd"),
        ("USD 5,000.00", 5000, "usd"),
        ("five grand", 5000, None),
        ("one hundred bucks", 100, "usd"),
        ("a hundred dollars", 100, "usd"),
        ("two hundred and fifty dollars", 250, "usd"),
        ("2 %", 2, "percent"),
        ("two per centum", 2, "percent"),
        ("one fiftieth", 2, "percent"),
        ("80 in 100", 80, "percent"),
        ("10k", 10_000, None),
        ("€50", 50, "other-money"),
        ("three-digit", 100, "digits"),
    ],
)
def test_a_number_has_its_value_and_unit(text: str, value: float, unit: str | None) -> None:
    number = next(token for token in tokens(text) if token.value is not None)
    assert number.value == pytest.approx(value)
    assert number.unit == unit


def test_contractions_are_opened() -> None:
    assert [token.text for token in tokens("Don't, it's theirs")] == [
        "do", "not", ",", "it", "is", "theirs",
    ]  # fmt: skip


def test_tool_names_fall_apart_into_words() -> None:
    assert [token.text for token in tokens("order.already_refunded")] == [
        "order", "already", "refunded",
    ]  # fmt: skip


def test_forms_of_one_word_share_a_stem() -> None:
    assert stem("reimburse") == stem("reimbursed") == stem("reimbursing")
    assert stem("confirmation") == stem("confirms")
    assert stem("note") != stem("not")


def test_a_slip_is_mended_and_a_real_word_is_kept() -> None:
    speller = Speller({"refund", "customer", "human"}, {"refunds"})
    assert speller.mend("refnud") == "refund"
    assert speller.mend("custmer") == "customer"
    assert speller.mend("humane") == "human"
    assert Speller({"human"}, {"humane"}).mend("humane") == "humane"
