"""The labelled texts that the stages are trained on: lines of the corpus, samples, whole prompts.

The corpus is a folder of text files. `# name` begins a requirement; `+`, `-` and `0` begin a line
that gives it, says its opposite, or does neither. `= template | says` describes a requirement that
no exercise of ours has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from courses.exercise_files import read_exercise

Json = Any
ROOT: Final = Path(__file__).resolve().parents[4]
EXERCISES: Final = ROOT / "courses/content/prompting/exercises"
CORPUS: Final = Path(__file__).with_name("corpus")
PROMPTS: Final = ROOT / "tests/courses/prompts"
LABELS: Final = {"+": "met", "-": "contradicted", "0": "absent"}
OTHER_DESKS: Final[Json] = {
    "id": "other-desks",
    "title": "desk",
    "about": ["employee", "post", "leave", "handbook", "campaign"],
    "requirements": [],
    "agent": {"tools": []},
}
HOMES: Final = {
    "refund-": "refund-triage",
    "invoice-": "invoice-processing",
    "other-": "other-desks",
}
# Requirements of other exercises that say the same of other things: the words to put in place.
_RENTAL: Final = {"order number": "rental number", "orders?": "rental", "refund": "deposit return"}
_EMPLOYEE: Final = {"customers": "employees", "customer": "employee", "mails?": "message"}
BORROWED: Final[Mapping[tuple[str, str], Sequence[tuple[str, str, Mapping[str, str]]]]] = {
    ("refund-triage", "reply-language"): (
        ("repair-a-prompt", "reply-language", {}),
        ("hr-policy-assistant", "reply-language", _EMPLOYEE),
    ),
    ("refund-triage", "injection-resistance"): (
        ("repair-a-prompt", "mail-is-data", {}),
        ("hr-policy-assistant", "message-is-data", _EMPLOYEE),
        (
            "campaign-agents-file",
            "comments-are-data",
            {"customers?": "people", "mails?": "comment"},
        ),
    ),
    ("refund-triage", "ask-missing-order"): (("repair-a-prompt", "ask-rental", _RENTAL),),
    ("refund-triage", "refund-limit"): (
        (
            "repair-a-prompt",
            "deposit-limit",
            {"100": "150", "a hundred": "150", "refund": "return"},
        ),
        ("campaign-agents-file", "budget", {"100": "500", "refund(?:ed|s)?": "spend"}),
    ),
    ("refund-triage", "json-output"): (("repair-a-prompt", "json-answer", {"reason": "rental"}),),
    ("refund-triage", "duplicate-check"): (("repair-a-prompt", "look-first", _RENTAL),),
    ("refund-triage", "policy-grounding"): (
        (
            "hr-policy-assistant",
            "handbook-only",
            {"refund policy": "handbook", "policy": "handbook"},
        ),
        (
            "campaign-agents-file",
            "facts-only",
            {"refund policy": "fact sheet", "policy": "fact sheet"},
        ),
    ),
    ("refund-triage", "confirm-irreversible"): (
        ("hr-policy-assistant", "confirm-leave", {"customer": "employee", "refunds?": "leave"}),
        ("campaign-agents-file", "approval-first", {"the customer": "Imke", "refunds?": "post"}),
    ),
    ("other-desks", "no-colleague-data"): (("hr-policy-assistant", "personal-data", {}),),
    ("other-desks", "grievance-to-human"): (("hr-policy-assistant", "grievances", {}),),
    ("other-desks", "cite-section"): (("hr-policy-assistant", "cite-section", {}),),
}
# Sets of prompts by the exercise they were written for: those that the stages are trained on, and
# those that are kept from training, to fit the combination (calibration-*) and to measure it.
WORKED: Final = {
    "refund-triage": (
        "blind-refund", "worked-refund", "worked-refund-2", "worked-refund-3", "worked-refund-4",
        "worked-refund-5", "worked-refund-6", "worked-refund-7",
    ),
    "invoice-processing": ("worked-invoice",),
}  # fmt: skip
KEPT: Final = {
    "refund-triage": ("calibration-refund", "measured-refund"),
    "invoice-processing": ("calibration-invoice", "measured-invoice"),
}
MEASURING: Final = frozenset({"measured-refund", "measured-invoice"})


@dataclass(frozen=True, slots=True)
class Labelled:
    """One text; `labels` of a line names one requirement, of a prompt all of them."""

    source: str
    exercise: str
    text: str
    labels: Mapping[str, str]

    @property
    def is_line(self) -> bool:
        return self.source in {"line", "sample"}


def exercises() -> dict[str, Json]:
    """Every prompt exercise by its id, and one that stands for desks we do not have."""
    found: dict[str, Json] = {}
    for folder in sorted(path for path in EXERCISES.iterdir() if path.is_dir()):
        exercise = read_exercise(folder)
        found[str(exercise["id"])] = exercise
    found["other-desks"] = OTHER_DESKS
    return found


def corpus(known: Mapping[str, Json]) -> Iterator[Labelled]:
    """The lines of the corpus, and those that another exercise borrows with its own words."""
    for path in sorted(CORPUS.glob("*.txt")):
        home = next((one for name, one in HOMES.items() if path.name.startswith(name)), "")
        requirement = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if match := re.fullmatch(r"# ([a-z-]+)", line):
                requirement = match.group(1)
            elif line[:2] in {"+ ", "- ", "0 "} and home in known:
                label = LABELS[line[0]]
                yield Labelled("line", home, line[2:], {requirement: label})
                for exercise, name, words in BORROWED.get((home, requirement), ()):
                    if exercise in known:
                        text = _in_other_words(line[2:], words)
                        yield Labelled("line", exercise, text, {name: label})


def _in_other_words(text: str, words: Mapping[str, str]) -> str:
    for word, other in words.items():
        text = re.sub(rf"\b{word}\b", other, text, flags=re.IGNORECASE)
    return text


def other_requirements() -> dict[str, str]:
    """What the corpus' own requirements say, by name."""
    found: dict[str, str] = {}
    for path in sorted(CORPUS.glob("*.txt")):
        requirement = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if match := re.fullmatch(r"# ([a-z-]+)", line):
                requirement = match.group(1)
            elif line.startswith("= "):
                found[requirement] = line.split(" | ", 1)[1]
    return found


def samples(known: Mapping[str, Json]) -> Iterator[Labelled]:
    """The samples that the authors of the exercises declared."""
    for name, exercise in known.items():
        for row in exercise["requirements"]:
            for label, texts in row["samples"].items():
                for text in texts:
                    yield Labelled("sample", name, text, {row["id"]: label})


def prompts(exercise: str, names: Sequence[str], folder: Path = PROMPTS) -> Iterator[Labelled]:
    """The labelled prompts of the named sets."""
    for name in names:
        for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield Labelled(name, exercise, row["prompt"], row["labels"])


def requirement_names(known: Mapping[str, Json]) -> dict[str, list[str]]:
    """The requirements of each exercise, in order."""
    names = {
        name: [row["id"] for row in exercise["requirements"]] for name, exercise in known.items()
    }
    names["other-desks"] = list(other_requirements())
    return names
