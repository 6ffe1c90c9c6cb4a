"""Refusals that carry a code for programs and a sentence for people."""

from __future__ import annotations


class DomainError(Exception):
    """Something a person asked for cannot be done.

    A subclass is named after the fact. `code` is stable and read by programs; `sentence` is a
    `str.format` pattern that says what happened, what is safe and what to do, filled from the
    keyword arguments given to the constructor.
    """

    code = "refused"
    sentence = "This cannot be done."

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.message)

    @property
    def message(self) -> str:
        return self.sentence.format(**self.facts)
