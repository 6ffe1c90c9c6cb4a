"""Read an exercise's folder into one plain document.

An exercise is a folder with `exercise.yaml`, the files it names (brief, references) and nothing
else. The document is what graders receive, what is stored for a learner and what is hashed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from checkride.lib import strict_yaml
from checkride.lib.errors import DomainError

Json = Any


class BadExercise(DomainError):
    code = "bad-exercise"
    sentence = "{file}:{line}: {problem}"

    def __init__(self, *, file: str, problem: str, line: int = 1) -> None:
        super().__init__(file=file, line=line, problem=problem)


def read_exercise(folder: Path) -> dict[str, Json]:
    """The exercise in `folder` with its texts put in.

    The result is the parsed `exercise.yaml` (format `checkride: exercise/1`) where
    `brief` holds the Markdown text, `references` maps each name to its text, `discussion` and
    `starter`, if named, hold theirs, and `machine` holds that file parsed. Raises
    `BadExercise` with file and line.
    """
    path = folder / "exercise.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadExercise(file=str(path), problem="there is no such file.") from None
    except UnicodeDecodeError:
        raise BadExercise(file=str(path), problem="the file is not UTF-8 text.") from None
    try:
        data = strict_yaml.load(text)
    except strict_yaml.BadYaml as error:
        raise BadExercise(file=str(path), line=error.line, problem=error.problem) from error
    if not isinstance(data, dict) or data.get("checkride") != "exercise/1":
        raise BadExercise(file=str(path), problem="the first line must be “checkride: exercise/1”.")
    for key in ("kind", "id", "title", "brief", "competencies", "references"):
        if key not in data:
            raise BadExercise(file=str(path), problem=f"the key “{key}” is missing.")
    for key in ("brief", "discussion", "starter"):
        if key in data:
            data[key] = _text(folder, data[key], path)
    if "machine" in data:
        data["machine"] = _machine(folder, data["machine"], path)
    data["references"] = {
        name: _text(folder, file, path) for name, file in data["references"].items()
    }
    return data


def _machine(folder: Path, name: str, origin: Path) -> Json:
    """What the rehearsal agent does in the cases; see `courses.simulators.prompts.machine`."""
    try:
        return strict_yaml.load(_text(folder, name, origin))
    except strict_yaml.BadYaml as error:
        file = str(folder / name)
        raise BadExercise(file=file, line=error.line, problem=error.problem) from error


def _text(folder: Path, name: str, origin: Path) -> str:
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise BadExercise(file=str(origin), problem=f"“{name}” lies outside the exercise's folder.")
    try:
        return target.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadExercise(file=str(origin), problem=f"the file “{name}” does not exist.") from None
