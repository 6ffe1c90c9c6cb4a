"""The life of an item: draft, reviewed by two people, on trial, in use, retired. Pure.

A standing belongs to one version: a new text is read anew. Two people are two accounts: whoever
wrote an item or sent it to review has read it once already and cannot be its second reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from checkride.lib.errors import DomainError

Life = Literal["draft", "reviewed", "pilot", "operational", "retired"]
Deed = Literal["send", "review", "return", "pilot", "use", "retire", "reopen"]

DEEDS: Final[tuple[Deed, ...]] = get_args(Deed)
REASON: Final = (5, 500)

# From which lives each deed leads to which.
_STEPS: Final[dict[Deed, tuple[frozenset[Life], Life]]] = {
    "send": (frozenset({"draft"}), "draft"),
    "review": (frozenset({"draft"}), "reviewed"),
    "return": (frozenset({"reviewed", "pilot"}), "draft"),
    "pilot": (frozenset({"reviewed"}), "pilot"),
    # Straight from review is for the time before anybody can try an item: an exam that is not open.
    "use": (frozenset({"reviewed", "pilot"}), "operational"),
    "retire": (frozenset({"draft", "reviewed", "pilot", "operational"}), "retired"),
    "reopen": (frozenset({"retired"}), "draft"),
}


class StepRefused(DomainError):
    code = "step-refused"
    sentence = "The item stays as it is: {problem}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a version stands. `sent_by` names the person who sent it to review, None before that
    and once it is no draft any more."""

    life: Life
    sent_by: str | None = None


def after(standing: Standing, deed: Deed, *, by: str, reason: str) -> Standing:
    """The standing after a deed of a person.

    Raises `StepRefused` for a deed that does not follow, without a reason, and for a review by the
    person who sent the item.
    """
    origins, life = _STEPS[deed]
    if standing.life not in origins:
        raise StepRefused(problem=f"“{deed}” is not possible while it is {standing.life}.")
    if not REASON[0] <= len(reason.strip()) <= REASON[1]:
        raise StepRefused(problem=f"give a reason of {REASON[0]} to {REASON[1]} characters.")
    match deed:
        case "send":
            if standing.sent_by is not None:
                raise StepRefused(problem="it was sent to review already.")
            return Standing("draft", by)
        case "review" if standing.sent_by is None:
            raise StepRefused(problem="nobody has sent it to review yet.")
        case "review" if standing.sent_by == by:
            raise StepRefused(problem="you sent it to review, so somebody else has to read it.")
        case _:
            return Standing(life)


def possible(standing: Standing, *, by: str) -> tuple[Deed, ...]:
    """What this person may do next, in the order of a life."""
    found: list[Deed] = []
    for deed in DEEDS:
        try:
            after(standing, deed, by=by, reason="because of it")
        except StepRefused:
            continue
        found.append(deed)
    return tuple(found)
