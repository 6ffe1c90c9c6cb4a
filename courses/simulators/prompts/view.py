"""What a frame may ask about one unit: does it order X, forbid X, speak about X, say when?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from courses.simulators.prompts.segments import Mention, Unit
from courses.simulators.prompts.words import MARK, NUMBER, WORD, Token

_ANAPHOR: Final = re.compile(
    r"^\W*(then\b|in (that|this|such) (case|event)|if (so|not|it|they|he|that|this|there"
    r"|none|yes|no)\b|otherwise|instead|else\b"
    r"|as soon as|this|that|these|those|they|it\b|such|so\b|beyond|above|under|over\b"
    r"|below|anything|everything|larger|bigger"
    r"|smaller|none|once|only (then|after|when)|same|past|outside|within|more|guess|no\b"
    r"|not\b|second|reject|stop|should (it|they|there)"
    r"|has it|without|never|do(n't| not)|whatever|until|past|up to|wait|yes|past that"
    r"|exactly|with|after)",
    re.IGNORECASE,
)
_PRONOUN: Final = re.compile(
    r"\b(it|its|them|those|these|this|that|one|such|there|so|do not|don't|they|else|anyway)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Signal:
    """A unit says (`sign` +1) or says the opposite of (-1) one part of a requirement."""

    part: str
    sign: int
    confidence: float
    line: int
    text: str
    why: str
    value: float | None = None  # the number the unit gives, where a number is the point


@dataclass
class View:
    """One unit seen by the templates."""

    unit: Unit
    earlier: Sequence[Unit]
    signals: list[Signal] = field(default_factory=list)

    # --- facts ---------------------------------------------------------------------------------

    @property
    def example(self) -> bool:
        return self.unit.force == "example"

    def own(self, names: str) -> list[Mention]:
        """Mentions in the unit itself, quotations left out."""
        row = self.unit.tokens
        return [
            mention
            for name in names.split("|")
            for mention in self.unit.found.get(name, ())
            if not any(row[k].silent for k in range(mention.start, mention.end))
        ]

    def mentions(self, names: str) -> bool:
        """Whether the unit speaks of it at all, quotations included."""
        return any(self.unit.found.get(name) for name in names.split("|"))

    def around(self, names: str) -> bool:
        """Whether a heading, lead-in, column or question above speaks of it."""
        return any(self.unit.found_around.get(name) for name in names.split("|"))

    def before(self, names: str) -> bool:
        """Whether the sentences this one leans on speak of it."""
        return any(
            unit.found.get(name)
            or (index == 0 and unit.found_around.get(name) and unit.force != "rule")
            for index, unit in enumerate(self.earlier)
            for name in names.split("|")
        )

    def here(self, names: str) -> bool:
        return bool(self.own(names)) or self.around(names) or self.before(names)

    def near(self, names: str) -> bool:
        return bool(self.own(names)) or self.around(names)

    def does(self, names: str) -> list[Mention]:
        """Mentions the unit orders: neither denied nor part of a condition."""
        return [
            mention
            for mention in self.own(names)
            if not self.conditional(mention) and not self.denied(mention)
        ]

    def never(self, names: str) -> list[Mention]:
        """Mentions the unit forbids."""
        return [
            mention
            for mention in self.own(names)
            if not self.conditional(mention) and self.denied(mention)
        ]

    def when(self, names: str) -> bool:
        """Whether it is a circumstance here: in a condition, a heading, the question above."""
        return (
            any(self.conditional(mention) for mention in self.own(names))
            or self.around(names)
            or self.before(names)
        )

    def conditional(self, mention: Mention) -> bool:
        return self.unit.tokens[mention.start].conditional

    def denied(self, mention: Mention) -> bool:
        row = self.unit.tokens
        first = row[mention.start]
        if mention.own_negation:
            # "no second refund" carries its own denial; "not ... without" around it would turn it.
            return first.stem in {"not", "never", "no", "without", "nobody", "nothing"} and False
        if (
            mention.end < len(row)
            and row[mention.end].stem == "not"
            and row[mention.end - 1].stem
            in {"need", "must", "should", "do", "will", "can", "shall"}
        ):
            return True  # "Priya needn't see it"
        if first.negated:
            inner = [row[k] for k in range(mention.start + 1, mention.end) if row[k].kind == WORD]
            return not (
                inner
                and any(not one.negated for one in inner[-1:])
                and any(one.stem in {"not", "never"} for one in inner)
            )
        return any(
            row[k].negated and row[k].kind == WORD and row[k].stem in {"not", "never", "no"}
            for k in range(mention.start + 1, mention.end)
        )

    def words(self) -> set[str]:
        return {token.stem for token in self.unit.tokens if token.kind == WORD}

    def has(self, pattern: str) -> bool:
        """Whether the unit's plain text matches; for turns of phrase, not for topics."""
        return re.search(pattern, self.unit.text, re.IGNORECASE) is not None

    def main(self, pattern: str) -> bool:
        """Whether the text outside conditions and quotations matches."""
        text = " ".join(
            token.text for token in self.unit.tokens if not token.conditional and not token.silent
        )
        return re.search(pattern, text, re.IGNORECASE) is not None

    def bare_human(self) -> bool:
        """Whether the unit is only "human", "a colleague, always": who takes the case."""
        words = [token for token in self.unit.tokens if token.kind == WORD]
        return (
            0 < len(words) <= 5 and bool(self.own("person")) and not self.own("person")[0].start > 2
        )

    def clause_of(self, mention: Mention) -> str:
        """The text of the mention's clause."""
        row = self.unit.tokens
        number = row[mention.start].clause
        return " ".join(token.text for token in row if token.clause == number)

    def only(self) -> bool:
        return bool(
            {"only", "sole", "solely", "exclusive", "exclusiv", "alone", "noth"} & self.words()
        )

    def lacking(self, item: str) -> bool:
        """Whether the circumstance is that the item is not there."""
        unit = self.unit
        row = unit.tokens
        own = self.own(item)
        for mention in own:
            if row[mention.start].negated and (
                row[mention.start].conditional or unit.force in {"question", "given"}
            ):
                return True
            left = max(0, mention.start - 3)
            if any(
                row[k].text.lower() in {"no", "without", "missing", "not"}
                for k in range(left, mention.start)
            ):
                return True
        if unit.branch == "no" and (self.around(item) or self.before(item)):
            return True
        asked = next((one for one in self.earlier if one.force == "question"), None)
        if (
            asked is not None
            and any(asked.found.get(name) for name in item.split("|"))
            and re.match(
                r"\W*(?:if (?:not|no|none|it (?:is|does|has)(?:n't| not))\b|not?\b"
                r"|otherwise|none|missing|absent)",
                unit.text,
                re.I,
            )
        ):
            return True
        if self.own("missing") and (own or self.around(item) or self.before(item)):
            return True
        return bool(
            (self.around("missing") and self.around(item))
            or (self.before("missing") and self.before(item))
        )

    def same_clause(self, one: Mention, other: Mention) -> bool:
        row = self.unit.tokens
        return row[one.start].clause == row[other.start].clause

    def together(self, names: str, others: str) -> bool:
        return any(
            self.same_clause(one, other) for one in self.own(names) for other in self.own(others)
        )

    # --- verdicts ------------------------------------------------------------------------------

    def yes(self, part: str, confidence: float, why: str = "") -> None:
        self._signal(part, 1, confidence, why)

    def no(
        self, part: str, confidence: float, why: str = "", *, value: float | None = None
    ) -> None:
        self._signal(part, -1, confidence, why, value)

    def _signal(
        self, part: str, sign: int, confidence: float, why: str, value: float | None = None
    ) -> None:
        if self.example:
            confidence *= 0.9
        self.signals.append(
            Signal(part, sign, round(confidence, 3), self.unit.line, self.unit.text, why, value)
        )


def earlier_units(unit: Unit) -> list[Unit]:
    """The sentences before that this one leans on: at most two, nearest first."""
    out: list[Unit] = []
    current = unit
    previous = unit.previous
    while previous is not None and len(out) < 2:
        if previous.force == "inert" and previous.why != "a quotation":
            break
        if previous.force == "label" or previous.block != current.block:
            break
        same_line = previous.line == current.line
        leans = bool(_ANAPHOR.match(current.text)) or previous.force in {"question", "given"}
        if same_line:
            if not out or leans or _PRONOUN.search(current.text):
                out.append(previous)
            else:
                break
        elif (
            leans and (previous.force in {"question", "given"} or not _is_bullet_start(current))
        ) or current.force == "example":
            out.append(previous)
        else:
            break
        current, previous = previous, previous.previous
    return out


def _is_bullet_start(unit: Unit) -> bool:
    return unit.first_in_line and unit.context == "" and unit.question == "" and unit.branch == ""


def content_tokens(row: Sequence[Token]) -> Iterator[Token]:
    return (token for token in row if token.kind in (WORD, NUMBER) and token.kind != MARK)
