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


ITEM = """# One item, in the form of docs/authoring/items.md.
checkride: items/1

items:

- id: {id}
  version: 1
  life: draft
  kind: single
  domain: human oversight
  competencies: [G1]
  level: practitioner
  cognition: apply
  exam: [{course}]
  seconds: 75
  difficulty: {{angoff: 0.60}}
  stem: >
    The place, the number and what went wrong, in three sentences. The last one asks?
  options:
    - id: a
      text: "What somebody with a common belief would do"
      believes: "The belief."
      but: "What it overlooks here."
    - id: b
      text: "The key, as long as the others"
      key: true
      why: "Why it is right here."
    - id: c
      text: "What somebody with another belief would do"
      believes: "The other belief."
      but: "What it overlooks here."
    - id: d
      text: "A sensible act that is worse here"
      believes: "The third belief."
      but: "What the stem says against it."
  source: "Document, year, place in it."
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
        "There is no course or exam “{course}” in {root}. Nothing was written; make it first, or "
        "name it with --course."
    )


def write_draft(root: Path, kind: str, name: str, *, course: str = "") -> list[Path]:
    """Write the first draft of a "course", "lesson", "exercise" or "item" and say which files were made.

    Raises `BadName`, `NoSuchCourse` and `AlreadyThere`; nothing is ever overwritten.
    """
    if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) is None:
        raise BadName(name=name)
    title = name.replace("-", " ").capitalize()
    home = root / course / ("items" if kind == "item" else "course.yaml")
    if kind != "course" and (not course or not home.exists()):
        raise NoSuchCourse(course=course, root=root)
    files = {
        "course": {f"{name}/course.yaml": COURSE},
        "item": {f"{course}/items/{name}.yaml": ITEM},
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
