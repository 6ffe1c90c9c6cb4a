"""A rule beside an order to repeat a deed without knowing is no rule that is met."""

from __future__ import annotations

from pathlib import Path

import pytest

from courses.exercise_files import read_exercise
from courses.simulators.prompts import read

ROOT = Path(__file__).resolve().parents[3]
INVOICES = read_exercise(ROOT / "courses/content/prompting/exercises/invoice-processing")
RULE = "Two errors: stop, hand over.\n"


def verdict(text: str) -> str:
    return read(text, INVOICES, stages="frames").decision("stop-on-tool-error").verdict


@pytest.mark.parametrize(
    "after",
    [
        "Payments that get no answer: never mind whether it was sent, send it again.",
        "Never mind whether it was sent, send it again.",
        "If a payment fails, no matter whether the money left, just send it once more.",
        "Do not look whether the payment went through; post it again.",
    ],
)
def test_sending_again_without_knowing_is_never_read_as_met(after: str) -> None:
    assert verdict(RULE + after) != "met"
    assert verdict(after) != "met"


@pytest.mark.parametrize(
    "after",
    [
        "Look whether the money left before you send a payment again.",
        "Never send a payment again without looking whether it went through.",
    ],
)
def test_looking_first_leaves_the_rule_met(after: str) -> None:
    assert verdict(RULE + after) == "met"
