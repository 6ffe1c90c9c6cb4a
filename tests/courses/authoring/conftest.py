from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

PARAGRAPH = "The clerk reads the log and marks the first line that is not true. "

LESSON = """---
id: f-one
title: One lesson
course: F
minutes: 10
competencies: [E4]
sources:
  - id: reason
    text: "James Reason, Human error, BMJ 320 (2000)."
---

# One lesson

{prose}

What people call luck is often a check.[^reason]

<figure id="fig-a">
<svg viewBox="0 0 10 10" role="img" aria-labelledby="t d" xmlns="http://www.w3.org/2000/svg">
<title id="t">A line</title><desc id="d">One line from left to right.</desc><path d="M0 5h10"/>
</svg>
<figcaption>A line.</figcaption>
</figure>

```log
1 read order
2 pay order
```

## Check yourself

```check
stem: "Which line is false?"
options:
  - text: "The first"
    tempts: "It is read first."
    but: "The order was read."
  - text: "The second"
    key: true
    why: "Nobody was paid."
```

```check
stem: "Who notices?"
options:
  - text: "The clerk"
    key: true
    why: "She counts."
  - text: "The system"
    but: "It notices nothing."
```

## Your decision

Stop the agent, or keep it running. Write down what you give up.
"""

COURSE = """checkride: course/1
id: foundations
letter: F
title: Foundations
summary: What an agent is.
for_whom: Everybody.
state: open
lessons: [f-one]
exercises: []
competencies: [E4]
minutes: 60
outcomes: [Finds the first false line.]
"""

FRAMEWORK = """checkride: framework/1
version: "1"
domains: [{id: E, name: Evaluation, summary: Reads numbers.}]
competencies:
  - id: E4
    domain: E
    statement: can find root causes
    levels: {foundation: a, practitioner: b, lead: c}
    safety_domains: [observability]
safety_domains: [{id: observability, name: Observability, summary: Seen.}]
organisational_controls: []
"""

TRACK = """checkride: track/1
id: operator
name: Agent operator
roles: [Agent operator]
summary: Keeps agents running.
stresses: [E]
day: [{at: "08:40", does: Reads the summary.}]
employers_ask: [Finds causes.]
you_already_have: [{job: Clerk, brings: Care, missing: Traces}]
path: [{course: foundations}, {exam: agent-foundations}]
hours: 6
credential: Agent Foundations
"""


@pytest.fixture
def lesson_text() -> str:
    return LESSON.format(prose=PARAGRAPH * 55)


@pytest.fixture
def content(tmp_path: Path, lesson_text: str) -> Path:
    """A small curriculum without faults."""
    (tmp_path / "foundations" / "lessons").mkdir(parents=True)
    (tmp_path / "tracks").mkdir()
    (tmp_path / "framework.yaml").write_text(FRAMEWORK)
    (tmp_path / "foundations" / "course.yaml").write_text(COURSE)
    (tmp_path / "foundations" / "lessons" / "f-one.md").write_text(lesson_text)
    (tmp_path / "tracks" / "operator.yaml").write_text(TRACK)
    (tmp_path / "glossary.yaml").write_text(
        "terms: [{term: agent, means: A program that acts., lesson: f-one}]\n"
    )
    return tmp_path


@pytest.fixture
def edit(content: Path) -> Callable[[str, str, str], Path]:
    """Replace a text in one file of the curriculum and give the folder back."""

    def change(file: str, old: str, new: str) -> Path:
        path = content / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return content

    return change
