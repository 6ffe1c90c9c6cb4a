"""What a check of the content has to say: a file, a line and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One problem in one place. An "error" keeps the content from being published."""

    file: str
    line: int
    sentence: str
    weight: Literal["error", "hint"] = "error"

    def __str__(self) -> str:
        word = "" if self.weight == "error" else "hint: "
        return f"{self.file}:{self.line}: {word}{self.sentence}"


class Findings:
    """Collects findings while files are read; the reader goes on after each."""

    def __init__(self) -> None:
        self._rows: list[Finding] = []

    def error(self, file: Path | str, line: int, sentence: str) -> None:
        self._rows.append(Finding(str(file), line, sentence))

    def hint(self, file: Path | str, line: int, sentence: str) -> None:
        self._rows.append(Finding(str(file), line, sentence, "hint"))

    @property
    def all(self) -> tuple[Finding, ...]:
        return tuple(sorted(set(self._rows)))

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(row for row in self.all if row.weight == "error")
