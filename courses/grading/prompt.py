"""Grade a prompt: read it into rules, run the rehearsal agent over the cases, add up.

Requirements count 60 percent, cases 40. A pass needs the exercise's score and every must. What the
reader is not sure of earns nothing and costs nothing but a clearer sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any, Final

from checkride.lib.errors import DomainError
from courses.grading.contract import (
    CaseCheck,
    CaseResult,
    CriterionResult,
    Grader,
    GradeReport,
    GradeRequest,
    Place,
    Problem,
    TraceStep,
)
from courses.grading.digest import grader_digest
from courses.simulators.prompts import agent, machine, traces
from courses.simulators.prompts.reading import Reading, read, to_json

Json = Any
NAME: Final = "prompt reader and rehearsal agent"
VERSION: Final = "2026.11"
SOURCES: Final = (
    "courses/grading/prompt.py",
    "courses/grading/contract.py",
    "courses/simulators/prompts",
)
MAX_BYTES: Final = 64_000
# Each candidate sentence is a whole run; a prompt of many pages would take seconds.
MAX_COUNTERFACTUAL_CHARACTERS: Final = 20_000
REQUIREMENTS_SHARE: Final = 60
CASES_SHARE: Final = 40
MIN_SAMPLES: Final = {"met": 8, "absent": 6, "contradicted": 8}
MIN_CASES: Final = 24
LENGTH: Final = "length"  # the criterion of a budget


@dataclass(frozen=True, slots=True)
class _Run:
    """A reading and everything that follows from it."""

    reading: Reading
    runs: tuple[traces.Trace, ...]
    checks: tuple[tuple[traces.CheckResult, ...], ...]
    score: int
    passed: bool
    too_long_by: int
    earned: float
    possible: float
    held: tuple[bool, ...]


def grade(request: GradeRequest) -> GradeReport:
    """The report on one prompt; a prompt that is too long is a report with a problem."""
    exercise = request.exercise
    grader = Grader(NAME, VERSION, grader_digest(SOURCES, exercise))
    if problem := _problem(request.submission):
        return GradeReport("prompt", 0, False, problem.message, (), (), grader, (problem,))
    run = _run(request.submission, exercise)
    return GradeReport(
        kind="prompt",
        score=run.score,
        passed=run.passed,
        finding=_finding(run, exercise),
        criteria=(*_criteria(run.reading, exercise), *_length(request.submission, exercise)),
        cases=tuple(
            _case(row, run, index, exercise) for index, row in enumerate(exercise["cases"])
        ),
        grader=grader,
        details={
            **to_json(run.reading),
            "parts": {
                "requirements": {
                    "share": REQUIREMENTS_SHARE,
                    "points": run.earned,
                    "possible": run.possible,
                },
                "cases": {"share": CASES_SHARE, "passed": sum(run.held), "total": len(run.held)},
            },
            "missing": _missing(run.reading, exercise),
            "budget": _budget(request.submission, exercise),
            "counterfactual": _counterfactual(request.submission, exercise, run),
        },
    )


def read_submission(request: GradeRequest) -> Json:
    """Rule cards and line marks for the page; nothing is run."""
    if problem := _problem(request.submission):
        return {
            "problem": problem.message,
            "cards": [],
            "lines": [],
            "decisions": [],
            "missing": [],
        }
    reading = read(request.submission, request.exercise)
    return {
        "problem": "",
        **to_json(reading),
        "missing": _missing(reading, request.exercise),
        "budget": _budget(request.submission, request.exercise),
    }


def _budget(prompt: str, exercise: Mapping[str, Json]) -> Json:
    """How long the prompt is and how long it may be, in characters; None without a budget."""
    most = exercise.get("budget", {}).get("characters")
    return None if most is None else {"characters": len(prompt.rstrip()), "most": int(most)}


def _too_long_by(prompt: str, exercise: Mapping[str, Json]) -> int:
    """By how many characters the prompt exceeds its budget, 0 when it does not."""
    budget = _budget(prompt, exercise)
    return max(0, budget["characters"] - budget["most"]) if budget else 0


def _problem(prompt: str) -> Problem | None:
    size = len(prompt.encode("utf-8", errors="replace"))
    if size > MAX_BYTES:
        return Problem(
            f"The prompt has {size:,} bytes; at most {MAX_BYTES:,} can be graded."
            " Your text is kept; shorten it and run it again.",
            code="too-long",
        )
    if "\x00" in prompt:
        return Problem(
            "The prompt holds a character that is no text (NUL)."
            " Your text is kept; remove the character and run it again.",
            code="not-text",
        )
    return None


def _run(prompt: str, exercise: Mapping[str, Json]) -> _Run:
    reading = read(prompt, exercise)
    rules = agent.rules_from(reading, exercise)
    scenario = exercise.get("machine", {})
    made: list[traces.Trace] = []
    checks: list[tuple[traces.CheckResult, ...]] = []
    for case in exercise["cases"]:
        trace = agent.run_case(case, rules, machine=scenario)
        made.append(trace)
        checks.append(agent.checked(case, trace, machine=scenario))
    held = tuple(all(one.held for one in row) for row in checks)
    possible = sum(float(row.get("weight", 1)) for row in exercise["requirements"])
    earned = sum(
        float(row.get("weight", 1))
        for row in exercise["requirements"]
        if reading.decision(row["id"]).verdict == "met"
    )
    share = REQUIREMENTS_SHARE * earned / possible if possible else 0.0
    share += CASES_SHARE * sum(held) / len(held) if held else 0.0
    score = floor(share + 1e-9)
    musts = all(
        reading.decision(row["id"]).verdict == "met"
        for row in exercise["requirements"]
        if row.get("must")
    )
    too_long_by = _too_long_by(prompt, exercise)
    passed = score >= int(exercise.get("pass", {}).get("score", 70)) and musts and not too_long_by
    return _Run(
        reading, tuple(made), tuple(checks), score, passed, too_long_by, earned, possible, held
    )


def _criteria(reading: Reading, exercise: Mapping[str, Json]) -> tuple[CriterionResult, ...]:
    rows: list[CriterionResult] = []
    for row in exercise["requirements"]:
        decision = reading.decision(row["id"])
        weight = float(row.get("weight", 1))
        rows.append(
            CriterionResult(
                id=row["id"],
                says=row["says"],
                verdict=decision.verdict,
                points=weight if decision.verdict == "met" else 0.0,
                possible=weight,
                must=bool(row.get("must", False)),
                reason=decision.reason,
                place=Place(line=decision.line or None),
                confidence=decision.confidence,
            )
        )
    return tuple(rows)


def _length(prompt: str, exercise: Mapping[str, Json]) -> tuple[CriterionResult, ...]:
    """The budget as a must that earns no points; nothing where the exercise has none."""
    budget = _budget(prompt, exercise)
    if budget is None:
        return ()
    over = _too_long_by(prompt, exercise)
    return (
        CriterionResult(
            id=LENGTH,
            says=f"The text has at most {budget['most']:,} characters.",
            verdict="partly" if over else "met",
            points=0.0,
            possible=0.0,
            must=True,
            reason=f"It has {budget['characters']:,}" + (f", {over:,} too many." if over else "."),
        ),
    )


def _missing(reading: Reading, exercise: Mapping[str, Json]) -> list[Json]:
    """Requirements that no line gives, for the list of cards. `says` does not tell the rule: the
    brief does, and finding it there is the exercise."""
    return [
        {
            "requirement": row["id"],
            "says": f"No line tells it what to do {row['lacks']}."
            if row.get("lacks")
            else "No line says what to do.",
            "must": bool(row.get("must", False)),
        }
        for row in exercise["requirements"]
        if (decision := reading.decision(row["id"])).best == "absent" and not decision.line
    ]


def _case(
    row: Mapping[str, Json], run: _Run, index: int, exercise: Mapping[str, Json]
) -> CaseResult:
    trace, checks = run.runs[index], run.checks[index]
    return CaseResult(
        id=str(row["id"]),
        title=str(row.get("title", row["id"])),
        shown=bool(row.get("shown", False)),
        given=agent.given(row),
        did=_did(trace, exercise),
        passed=run.held[index],
        steps=tuple(
            TraceStep(
                number=number,
                kind=event.kind,
                says=_shown(event),
                because=event.because,
                place=Place(line=event.line or None),
                state=event.state,
            )
            for number, event in enumerate(trace, start=1)
        ),
        checks=tuple(CaseCheck(one.says, one.held) for one in checks),
    )


def _shown(event: traces.Event) -> str:
    if event.kind != "call":
        return event.says
    arguments = ", ".join(f"{key}={_argument(value)}" for key, value in event.arguments.items())
    return f"{event.name}({arguments}): {event.says}"


def _argument(value: Json) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _did(trace: traces.Trace, exercise: Mapping[str, Json]) -> str:
    """What the agent did, in a few words for the table of cases."""
    acts: Mapping[str, Json] = exercise.get("machine", {}).get("acts", {})
    words: list[str] = []
    for event in trace:
        if event.kind == "call" and "did" in acts.get(event.name, {}):
            one = str(machine.fill(acts[event.name]["did"], event.arguments))
            if one not in words:
                words.append(one)
        elif event.kind == "say" and event.facts.get("asks_for"):
            words.append(f"Asked for the {str(event.facts['asks_for']).replace('_', ' ')}")
    if not words:
        said = any(event.kind == "say" for event in trace)
        words.append(str(acts.get("reply", {}).get("said", "Refused")) if said else "Did nothing")
    return ", ".join(words)


def _finding(run: _Run, exercise: Mapping[str, Json]) -> str:
    """The verdict in one sentence: the worst thing the agent did, or what is still open."""
    if run.passed and all(run.held):
        return "Your agent did what was wanted in every case."
    over = f" The text is {_count(run.too_long_by, 'character')} too long."
    open_musts = sum(
        1
        for row in exercise["requirements"]
        if row.get("must") and run.reading.decision(row["id"]).verdict != "met"
    )
    wrong = len(run.held) - sum(run.held)
    harm, word = _harm(run, exercise)
    parts: list[str] = []
    if harm:
        parts.append(f"{word} in {_count(harm, 'case')} that it got wrong")
    elif wrong:
        parts.append(f"went wrong in {_count(wrong, 'case')}")
    else:
        parts.append("did what was wanted in every case")
    sentence = "Your agent " + parts[0]
    if open_musts:
        sentence += f", and {_count(open_musts, 'must')} {'is' if open_musts == 1 else 'are'} open"
    return sentence + "." + (over if run.too_long_by else "")


def _harm(run: _Run, exercise: Mapping[str, Json]) -> tuple[int, str]:
    """In how many wrong cases the agent did what cannot be undone, and the word for it."""
    acts: Mapping[str, Json] = exercise.get("machine", {}).get("acts", {})
    for name, act in acts.items():
        harm = sum(
            1
            for trace, held in zip(run.runs, run.held, strict=True)
            if not held and traces.calls(trace, name)
        )
        if "harm" in act and harm:
            return harm, str(act["harm"])
    return 0, ""


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _counterfactual(prompt: str, exercise: Mapping[str, Json], run: _Run) -> Json:
    """The one sentence that would help most: each open requirement's sentence is tried in turn.

    Only a case the learner may see counts as a reason to show it, so that the sentence does not
    give away what the hidden cases ask; None when nothing helps.
    """
    if all(run.held) or len(prompt) > MAX_COUNTERFACTUAL_CHARACTERS:
        return None
    shown_wrong = [
        str(case["id"])
        for case, held in zip(exercise["cases"], run.held, strict=True)
        if case.get("shown") and not held
    ]
    best: tuple[tuple[int, int], dict[str, Json]] | None = None
    for row in exercise["requirements"]:
        decision = run.reading.decision(row["id"])
        sentence = row.get("suggest")
        if decision.verdict == "met" or not sentence:
            continue
        after = len(prompt.rstrip().split("\n")) if prompt.strip() else 0
        edited, replaced = _with_sentence(prompt, sentence, decision.verdict, decision.line, after)
        other = _run(edited, exercise)
        fixed = [
            str(case["id"])
            for case, was, now in zip(exercise["cases"], run.held, other.held, strict=True)
            if now and not was
        ]
        broken = [
            str(case["id"])
            for case, was, now in zip(exercise["cases"], run.held, other.held, strict=True)
            if was and not now
        ]
        if other.score <= run.score:
            continue
        rank = (len([one for one in fixed if one in shown_wrong]) - 2 * len(broken), other.score)
        if best is None or rank > best[0]:
            best = (
                rank,
                {
                    "sentence": sentence,
                    "requirement": row["id"],
                    "after_line": replaced - 1 if replaced else after,
                    "replaces_line": replaced or None,
                    "cases_fixed": fixed,
                    "cases_broken": broken,
                    "score": other.score,
                },
            )
    return best[1] if best else None


def _with_sentence(
    prompt: str, sentence: str, verdict: str, line: int, after: int
) -> tuple[str, int]:
    """The prompt with the sentence at its end, or in place of the line that says the opposite."""
    lines = prompt.split("\n")
    if verdict in {"contradicted", "unsure"} and 0 < line <= len(lines):
        return "\n".join([*lines[: line - 1], sentence, *lines[line:]]), line
    return "\n".join([*lines[:after], sentence]), 0


# --- the author's check ----------------------------------------------------------------------------


def check_exercise(exercise: Mapping[str, Json]) -> list[str]:
    """Whole sentences about what is wrong with a prompt exercise; empty when nothing is.

    Every sample must be read as declared and must not be read as another requirement; every
    reference must land where `expect` declares, and an empty, stuffed or attacking one below 50.
    """
    try:
        return [
            *_check_samples(exercise),
            *_check_cases(exercise),
            *_check_machine(exercise),
            *_check_references(exercise),
        ]
    except DomainError as refusal:
        return [refusal.message]
    except (KeyError, TypeError) as error:
        return [f"The exercise lacks the key {error}."]


def _check_samples(exercise: Mapping[str, Json]) -> list[str]:
    problems: list[str] = []
    for row in exercise["requirements"]:
        samples: Mapping[str, Sequence[str]] = row.get("samples", {})
        for verdict, least in MIN_SAMPLES.items():
            if len(samples.get(verdict, ())) < least:
                problems.append(f"“{row['id']}” has fewer than {least} samples for “{verdict}”.")
        for verdict, texts in samples.items():
            for text in texts:
                reading = read(text, exercise)
                decision = reading.decision(row["id"])
                if decision.verdict != verdict:
                    problems.append(
                        f"“{row['id']}”: the sample “{text}” is declared {verdict} but read as"
                        f" {decision.verdict}."
                    )
                for other in reading.decisions:
                    if other.requirement != row["id"] and other.verdict in {"met", "contradicted"}:
                        problems.append(
                            f"“{row['id']}”: the sample “{text}” is also read as {other.verdict} for"
                            f" “{other.requirement}”."
                        )
    return problems


def _check_cases(exercise: Mapping[str, Json]) -> list[str]:
    problems: list[str] = []
    cases = exercise["cases"]
    identities = [str(case["id"]) for case in cases]
    problems.extend(
        f"The case id “{one}” appears twice."
        for one in sorted({one for one in identities if identities.count(one) > 1})
    )
    if not any(case.get("shown") for case in cases):
        problems.append("No case is shown; a learner needs at least one.")
    if len(cases) < MIN_CASES:
        problems.append(f"There are {len(cases)} cases; at least {MIN_CASES} are needed.")
    return problems


def _check_machine(exercise: Mapping[str, Json]) -> list[str]:
    """The machine is sound, and the cases tell an agent with every rule from one without."""
    names = [str(row["id"]) for row in exercise["requirements"]]
    scenario = exercise.get("machine")
    tools = exercise.get("agent", {}).get("tools", [])
    problems = list(machine.problems_of(scenario, requirements=names, tools=tools))
    if problems or not isinstance(scenario, Mapping):
        return problems
    every = {name: agent.Rule("followed", 1) for name in names}

    def wrong(rules: agent.Rules) -> set[str]:
        return {
            str(case["id"])
            for case in exercise["cases"]
            if not all(
                one.held
                for one in agent.checked(
                    case, agent.run_case(case, rules, machine=scenario), machine=scenario
                )
            )
        }

    problems += [
        f"An agent that follows every rule fails the case “{one}”." for one in sorted(wrong(every))
    ]
    careless = wrong({})
    problems += [
        f"An agent without any rule passes the case “{case['id']}”."
        for case in exercise["cases"]
        if str(case["id"]) not in careless
    ]
    for name in names:
        for standing in ("untold", "opposite"):
            if not wrong({**every, name: agent.Rule(standing, 1)}):
                problems.append(f"No case fails when the rule “{name}” is {standing}.")
    return problems


def _check_references(exercise: Mapping[str, Json]) -> list[str]:
    problems: list[str] = []
    declared: Mapping[str, Mapping[str, Json]] = exercise.get("expect", {})
    for name, text in exercise["references"].items():
        run = _run(text, exercise)
        wanted = declared.get(name, {})
        if "score_at_least" in wanted and run.score < wanted["score_at_least"]:
            problems.append(
                f"The reference “{name}” scores {run.score}, at least {wanted['score_at_least']} is declared."
            )
        if "score_below" in wanted and run.score >= wanted["score_below"]:
            problems.append(
                f"The reference “{name}” scores {run.score}, below {wanted['score_below']} is declared."
            )
        if "passed" in wanted and run.passed != wanted["passed"]:
            problems.append(
                f"The reference “{name}” {'passes' if run.passed else 'does not pass'};"
                " the opposite is declared."
            )
        if name in {"empty", "stuffed", "attack"} and run.score >= 50:
            problems.append(f"The reference “{name}” scores {run.score}; it must stay below 50.")
        if name == "starter" and run.passed:
            problems.append("The reference “starter” passes; there would be nothing to repair.")
        if name == "strong" and not run.passed:
            problems.append(f"The reference “strong” does not pass (score {run.score}).")
    for name in ("strong", "weak", "stuffed", "attack"):
        if name not in exercise["references"]:
            problems.append(f"The reference “{name}” is missing.")
    if _run("", exercise).score >= 50:
        problems.append("An empty prompt scores 50 or more.")
    return problems
