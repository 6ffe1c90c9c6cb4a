"""Prompt exercises: read a prompt into rules and run a rehearsal agent by them."""

from courses.simulators.prompts.reading import (
    Decision,
    LineMark,
    Reading,
    RuleCard,
    read,
    to_json,
)

__all__ = ["Decision", "LineMark", "Reading", "RuleCard", "read", "to_json"]
