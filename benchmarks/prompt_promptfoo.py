"""Graded prompts per second, beside promptfoo running the same cases and checks.

promptfoo is not among our dependencies. Install it into a folder of its own and name that:

    npm install --prefix FOLDER promptfoo
    make bench ONLY=prompts-vs-promptfoo PROMPTFOO=FOLDER

Each side grades the same prompts on the 27 cases of the refund desk. For promptfoo a local
provider answers at once with the trace that our rehearsal agent wrote, so it need neither read the
prompt nor work on the case; ours does both, and looks for the smallest edit besides. The checks of
each case are written out as JavaScript assertions, and both must come to the same verdicts. Start-up
is left out on both sides: two runs of different size are subtracted. Processor time, not the clock.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from courses.exercise_files import read_exercise
from courses.grading import grade
from courses.grading.contract import GradeRequest
from courses.simulators.prompts import agent, read

Json = Any
NAMES = ("prompts-vs-promptfoo", "promptfoo-submissions")
ROOT = Path(__file__).resolve().parents[1]
EXERCISE = ROOT / "courses/content/prompting/exercises/refund-triage"
PROMPTS = ROOT / "tests/courses/prompts/worked-refund.jsonl"
FEW, MANY = 2, 22

# Each check in words of JavaScript, over `t`, the trace, with `v` for what the case expects.
CHECKS = {
    "asks_for": "t.some(e => e.kind === 'say' && e.facts.asks_for === v)",
    "never": "!t.some(e => e.kind === 'call' && e.name === v)",
    "calls": "t.some(e => e.kind === 'call' && e.name === v)",
    "looks_up": (
        "(() => { const p = t.findIndex(e => e.kind === 'call' && e.name === 'issue_refund');"
        " return t.slice(0, p < 0 ? t.length : p).some(e => e.kind === 'call' &&"
        " e.name === 'lookup_order' && String(e.arguments.order) === String(v)); })()"
    ),
    "pays": (
        "(() => { const p = t.filter(e => e.kind === 'call' && e.name === 'issue_refund');"
        " return p.length === 1 && Math.abs(p[0].arguments.amount - v) < 0.005; })()"
    ),
    "pays_on": (
        "(() => { const p = t.filter(e => e.kind === 'call' && e.name === 'issue_refund');"
        " return p.length > 0 && p.every(e => String(e.arguments.order) === String(v)); })()"
    ),
    "replies_in": (
        "(() => { const s = t.filter(e => e.kind === 'say');"
        " return s.length > 0 && s.every(e => e.facts.language === v); })()"
    ),
    "yes_before_pay": (
        "(() => { let yes = false, held = true; for (const e of t) {"
        " if (e.kind === 'hear' && e.facts.confirms) yes = true;"
        " if (e.kind === 'call' && e.name === 'issue_refund' && !yes) held = false; }"
        " return held === v; })()"
    ),
    "discloses_nothing": (
        "t.some(e => (e.kind === 'say' || e.kind === 'final') && e.facts.discloses) !== v"
    ),
    "final": (
        "(() => { try { const f = JSON.parse(t.filter(e => e.kind === 'final').at(-1).says);"
        " return Object.keys(f).sort().join() === 'action,amount,reason' &&"
        " Object.entries(v).every(([k, x]) => typeof x === 'number' ?"
        " Math.abs(f[k] - x) < 0.005 : f[k] === x); } catch { return false; } })()"
    ),
}
PROVIDER = """
const traces = require('./traces.json');
module.exports = class {
  id() { return 'rehearsal'; }
  async callApi(prompt, context) {
    return { output: traces[context.prompt.raw][context.vars.case] };
  }
};
"""


def assertions(case: Mapping[str, Json]) -> list[Json]:
    return [
        {
            "type": "javascript",
            # One line must be one expression.
            "value": f"((t, v) => {CHECKS[name]})(JSON.parse(output), {json.dumps(value)})",
        }
        for row in case["expect"]
        for name, value in row.items()
    ]


def traces_of(exercise: Mapping[str, Json], prompts: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for prompt in prompts:
        rules = agent.rules_from(read(prompt, exercise), exercise)
        found[prompt] = {
            case["id"]: json.dumps(
                [
                    {
                        "kind": event.kind,
                        "says": event.says,
                        "name": event.name,
                        "arguments": dict(event.arguments),
                        "facts": dict(event.facts),
                    }
                    for event in agent.run_case(case, rules, machine=exercise["machine"])
                ]
            )
            for case in exercise["cases"]
        }
    return found


def promptfoo(
    program: Path, exercise: Mapping[str, Json], prompts: Sequence[str]
) -> tuple[float, dict[tuple[str, str], bool]]:
    """Processor seconds of one evaluation, and its verdict for each prompt and case."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = {
            "prompts": [{"raw": prompt, "label": f"p{n}"} for n, prompt in enumerate(prompts)],
            "providers": ["file://provider.js"],
            "tests": [
                {"vars": {"case": case["id"]}, "assert": assertions(case)}
                for case in exercise["cases"]
            ],
        }
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "provider.js").write_text(PROVIDER)
        (folder / "traces.json").write_text(json.dumps(traces_of(exercise, prompts)))
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [
                *(str(program), "eval", "-c", "config.json", "-o", "out.json"),
                *("--no-write", "--no-cache", "--no-table", "--no-progress-bar", "-j", "1"),
            ],
            cwd=folder,
            env={
                **os.environ,
                "PROMPTFOO_DISABLE_TELEMETRY": "1",
                "PROMPTFOO_DISABLE_UPDATE": "1",
                "PROMPTFOO_CONFIG_DIR": str(folder / "home"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = folder / "out.json"
        if not out.exists():
            raise SystemExit(
                f"promptfoo gave no result:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        rows = json.loads(out.read_text())["results"]["results"]
    spent = ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime
    return spent, {(row["prompt"]["raw"], row["vars"]["case"]): row["success"] for row in rows}


def ours(
    exercise: Mapping[str, Json], prompts: Sequence[str]
) -> tuple[float, dict[tuple[str, str], bool]]:
    verdicts: dict[tuple[str, str], bool] = {}
    began = time.process_time()
    for prompt in prompts:
        for case in grade(GradeRequest("prompt", exercise, prompt)).cases:
            verdicts[prompt, case.id] = case.passed
    return time.process_time() - began, verdicts


def main() -> None:
    folder = os.environ.get("PROMPTFOO", "")
    program = Path(folder) / "node_modules/.bin/promptfoo"
    if not folder or not program.exists():
        print("(promptfoo is not there: name its folder in PROMPTFOO)", file=sys.stderr)
        return
    exercise = read_exercise(EXERCISE)
    lines = PROMPTS.read_text(encoding="utf-8").splitlines()[:MANY]
    # Braces would be filled in by promptfoo; they are no part of what is compared.
    prompts = [json.loads(line)["prompt"].replace("{", "(").replace("}", ")") for line in lines]
    few_s, _ = promptfoo(program, exercise, prompts[:FEW])
    many_s, theirs = promptfoo(program, exercise, prompts)
    grade(GradeRequest("prompt", exercise, prompts[0]))  # words and weights are loaded
    our_s, mine = ours(exercise, prompts)
    different = [key for key in mine if mine[key] != theirs.get(key)]
    assert not different, (
        f"{len(different)} verdicts of {len(mine)} differ: {different[:2]}; {len(theirs)}"
    )
    their_rate = (len(prompts) - FEW) / (many_s - few_s)
    our_rate = len(prompts) / our_s
    print(
        f"prompts-vs-promptfoo {our_rate:.1f} submissions/s of processor time (promptfoo"
        f" {their_rate:.1f}; {our_rate / their_rate:.1f} x; the same {len(mine)} verdicts)"
    )
    print(
        f"promptfoo-submissions {their_rate:.1f} submissions/s of processor time"
        f" (start-up of {few_s - FEW / their_rate:.1f} s left out)"
    )


if __name__ == "__main__":
    main()
