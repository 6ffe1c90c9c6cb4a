"""First drafts of content files: `python -m courses.authoring new lesson s-handoffs ...`.

A draft has the right form and is not fit to be published: the check says what is still to write.
"""

from __future__ import annotations

import re
from pathlib import Path

from checkride.lib.errors import DomainError

LESSON = """---
id: {id}
title: "{title}"
course: {course}
minutes: 12
competencies: []
sources: []
invented: []
---

# {title}

Open with an incident: the hour, the place, the number, and the wrong repair.

## The one idea

Say what sorts the cases, and how one uses it tomorrow.

## Worked example

```log
1 09:00 read    what came in
2 09:01 decide  what it made of it
```

## Check yourself

```check
stem: "A case that the idea decides."
options:
  - text: "What somebody with a common belief would choose"
    tempts: "The belief."
    but: "What speaks against it here."
  - text: "The key"
    key: true
    why: "Why it is right here."
```

## Your decision

Two or three choices that each give something up.
"""

COURSE = """checkride: course/1
id: {id}
letter: X
title: "{title}"
summary: ""
for_whom: ""
state: planned
lessons: []
exercises: []
competencies: []
minutes: 0
outcomes: []
"""

EXERCISE = """checkride: exercise/1
kind: prompt
id: {id}
title: "{title}"
competencies: []
minutes: 45
brief: brief.md
agent: {{tools: [], answer: json}}
requirements: []
cases: []
pass: {{score: 70, musts: all}}
references: {{strong: refs/strong.md, weak: refs/weak.md, stuffed: refs/stuffed.md, attack: refs/attack.md}}
"""


class AlreadyThere(DomainError):
    code = "already-there"
    sentence = "{path} exists already. Nothing was written; choose another id."


class BadName(DomainError):
    code = "bad-name"
    sentence = "“{name}” is no id. Use small letters, digits and hyphens; nothing was written."


class NoSuchCourse(DomainError):
    code = "no-such-course"
    sentence = (
        "There is no course “{course}” in {root}. Nothing was written; make the course first."
    )


def write_draft(root: Path, kind: str, name: str, *, course: str = "") -> list[Path]:
    """Write the first draft of a "course", "lesson" or "exercise" and say which files were made.

    Raises `BadName`, `NoSuchCourse` and `AlreadyThere`; nothing is ever overwritten.
    """
    if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) is None:
        raise BadName(name=name)
    title = name.replace("-", " ").capitalize()
    if kind != "course" and not (root / course / "course.yaml").exists():
        raise NoSuchCourse(course=course, root=root)
    files = {
        "course": {f"{name}/course.yaml": COURSE},
        "lesson": {f"{course}/lessons/{name}.md": LESSON},
        "exercise": {
            f"{course}/exercises/{name}/exercise.yaml": EXERCISE,
            f"{course}/exercises/{name}/brief.md": "# {title}\n",
            **{
                f"{course}/exercises/{name}/refs/{reference}.md": ""
                for reference in ("strong", "weak", "stuffed", "attack")
            },
        },
    }[kind]
    targets = {root / path: text for path, text in files.items()}
    for target in targets:
        if target.exists():
            raise AlreadyThere(path=target)
    for target, text in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.format(id=name, title=title, course=course), encoding="utf-8")
    return list(targets)
