"""The answer of a candidate who knows everything."""

from __future__ import annotations

from typing import Any

from exams.scoring import items as kinds


def right_answer(item: Any) -> dict[str, Any]:
    """The payload that earns the point of an `AttemptItem`, in the signs of its form."""
    scored = item.item_version.scored_item
    by_sign = kinds.signs(scored, item.drawn)
    choice = {author: sign for sign, author in by_sign.get("choices", {}).items()}
    left = {author: sign for sign, author in by_sign.get("left", {}).items()}
    match scored.key:
        case kinds.SingleKey(right=right):
            return {"choice": choice[right]}
        case kinds.MultipleKey(right=right):
            return {"choices": sorted(choice[one] for one in right)}
        case kinds.NumericKey(value=value):
            return {"number": str(value)}
        case kinds.OrderingKey(right=right):
            return {"positions": {choice[one]: place for place, one in enumerate(right, start=1)}}
        case kinds.MatchingKey(right=right):
            return {"pairs": {left[one]: choice[other] for one, other in right.items()}}
        case kinds.HotspotKey(right=right):
            return {"lines": sorted(right)}
        case kinds.TextKey(accepted=accepted):
            return {"text": accepted[0].upper() + "."}
    raise AssertionError(item)
