"""A run of a person's own process in sentences for somebody who was not there: in short, and next.

`details` is that of a grader's report on a map that could run (see `grading.workflow_map`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from courses.simulators.workflows.checks import GATES, MUSTS
from courses.simulators.workflows.own_world import Facts, Fault, Part
from courses.simulators.workflows.safety_domains import by_domain

Json = Any

MAX_STEPS = 8
BUSY = 0.85
NO_LIMIT = 1e9
LEAST_LIMIT = 0.001
LEAST_SHARE = 0.0005

# What to do about an open check; its finding says where.
ADVICE: Mapping[str, str] = {
    "W01": "Give the map one place where cases arrive, with nothing leading back into it.",
    "W02": "Lead a way to the step, or take it out.",
    "W03": "Give the step a way on to an end.",
    "W04": "Say what follows the step.",
    "W05": "Give the gateway one way for all other cases.",
    "W06": "Leave the step one normal way out, and let a gateway ask where there are more.",
    "W07": "Put the questions of the gateway in another order, or take out the one that never holds.",
    "W08": "Draw where a case goes when the step fails.",
    "W09": "Say how long a case waits for an answer, and who is asked then.",
    "W10": "Say how often one case may go round.",
    "W11": "Let a person see these cases before the step.",
    "W12": "Lead a refusal to an end, past the step.",
    "W13": "After a time without an answer, ask somebody else; do not go on.",
    "W14": "When a step fails, lead the case to a person.",
    "W15": "Put a check of the text before the step.",
    "W16": "Log the step on every way to an end.",
    "W17": "Plan how the step is taken back, and draw it.",
    "W18": "Let the undo come only after the step.",
    "W19": "Try the step again only if a second time changes nothing.",
    "W20": "Let somebody else approve than who proposed.",
    "W21": "Take the tool out of the agent's own hands.",
    "W22": "Name who acts on an alarm.",
    "W23": "After silence, ask somebody with more authority, whose time is limited.",
    "W24": "Send these people fewer cases, or have more of them.",
    "W25": "Look the facts up before anybody proposes.",
    "W26": "When the step fails, lead the case to a person or try again; do not count it as done.",
}
LIMITS: Mapping[str, str] = {
    "harm_per_case": (
        "Look at the case with the most harm in the replay, and let a check or a person stop "
        "cases of its kind"
    ),
    "cost_per_case": "See which step costs most, and send it fewer cases",
    "cycle_p90_min": "Shorten the longest queue: fewer cases to those people, or more of them",
    "staff_load": "Send the busiest people fewer cases, or have more of them",
    "good_served": "See where good cases are refused or lost, and give them another way",
}


def in_short(details: Mapping[str, Json], end_names: Mapping[str, str]) -> tuple[str, ...]:
    """What the run says, in three to five sentences. `end_names` gives each end's name by id."""
    day = details["scenarios"][0]
    ends = sorted(day["ends"].items(), key=lambda row: -row[1])
    places = [
        f"{_of_100(share)} {'at' if number else 'end at'} “{end_names.get(end, end)}”"
        for number, (end, share) in enumerate(ends)
        if share >= LEAST_SHARE
    ]
    said = [f"Of 100 cases, {_and(places)}."]
    values = {row["id"]: row["text"] for row in details["targets"]}
    said.append(
        f"On average a case costs {values['cost_per_case']} and does {values['harm_per_case']} of "
        "harm. Harm is the money that is lost because something wrong was acted on."
    )
    limited = [row for row in details["targets"] if is_limit(row["full"])]
    missed = [row["says"] for row in limited if row["utility"] < 1]
    if not limited:
        said.append("No limit was set, so nothing here is called too much.")
    elif missed:
        said.append(
            f"{len(limited) - len(missed)} of {len(limited)} limits are met. Not met: {_and(missed)}."
        )
    else:
        said.append(f"All {len(limited)} limits are met.")
    states = by_domain(details["findings"])
    opened = [row.name for row in states if row.state == "open"]
    unseen = [row.name for row in states if row.state == "not judged"]
    count = {0: "none is", 1: "one is"}.get(len(opened), f"{len(opened)} are")
    names = f": {_and(opened)}" if opened else ""
    rest = f" A map cannot show {_and(unseen)}." if unseen else ""
    said.append(f"Of the eight safety domains, {count} open{names}.{rest}")
    return tuple(said)


def next_steps(details: Mapping[str, Json]) -> tuple[str, ...]:
    """What to do next, the most pressing first: broken rules, limits, open checks, tight places."""
    findings = details["findings"]
    order = {code: number for number, code in enumerate((*GATES, *MUSTS))}
    pressing = [row for row in findings if row["code"] in order]
    others = [row for row in findings if row["code"] not in order]
    steps = [_mend(row) for row in sorted(pressing, key=lambda row: order[row["code"]])]
    for row in details["targets"]:
        if is_limit(row["full"]) and row["utility"] < 1:
            worst = min(row["by_scenario"], key=lambda day: day["utility"])
            steps.append(
                f"{row['says']}: {worst['text']} on “{worst['title'].lower()}”, where the limit is "
                f"{row['full_text']}. {LIMITS[row['id']]}."
            )
    steps += [_mend(row) for row in others]
    loads = details["scenarios"][0]["pools"]
    steps += [
        f"Watch the time of {pool['name']}: {pool['load'] * 100:.0f} % of it is taken up, so a few "
        "more cases make a long queue."
        for pool in loads
        if BUSY <= pool["load"] < 1 and not any(row["code"] == "W24" for row in findings)
    ]
    if len(steps) >= MAX_STEPS:
        left = len(steps) - MAX_STEPS + 2
        steps = [
            *steps[: MAX_STEPS - 2],
            f"Then mend the {left} further findings in the table below.",
        ]
    steps.append(
        "Ask the people who do this work whether the figures under “What was assumed” are right. "
        "Change them where they are not, and run the map again."
    )
    return tuple(steps)


def _mend(row: Mapping[str, Json]) -> str:
    return f"{row['says']} {ADVICE[row['code']]}"


def is_limit(value: float) -> bool:
    """Whether a target is a limit that somebody set, and not only a figure that is measured."""
    return LEAST_LIMIT < value < NO_LIMIT


def assumed(facts: Facts) -> tuple[str, ...]:
    """What the owner said about the work, a sentence for each part and each kind of mistake."""
    said = [
        f"{fault.name}: {fault.of_100:g} of 100 cases. Acting on one harms {_harm(fault)}."
        for fault in facts.faults
    ]
    return (*said, *(_part(part) for part in facts.parts))


def _harm(fault: Fault) -> str:
    parts = []
    if fault.harm_share:
        share = (
            "the whole amount"
            if fault.harm_share == 100
            else f"{fault.harm_share:g} % of the amount"
        )
        parts.append(share)
    if fault.harm_plus:
        parts.append(f"${fault.harm_plus:,.10g}")
    return " and ".join(parts) or "nobody"


def _part(part: Part) -> str:
    takes = f"{part.minutes:g} min" if part.minutes >= 1 else f"{part.minutes * 60:g} s"
    facts = [f"{takes} a case" if part.minutes else "at once"]
    if part.cost:
        facts.append(f"${part.cost:,.10g} a case")
    words = {
        "agent": "an AI agent",
        "tool": "a program that does something",
        "guard": "a check",
        "human": "people who decide",
        "escalation": "people who are asked last",
        "monitor": "a watch afterwards",
        "rollback": "an undo",
    }[part.kind]
    if part.kind in ("human", "escalation"):
        people = "1 person" if part.staff == 1 else f"{part.staff} people"
        facts[:0] = [people]
        if part.per_hour:
            facts.append(f"${part.per_hour:,.10g} an hour")
    if part.kind in ("guard", "human", "monitor"):
        facts.append(f"finds {part.finds:g} of 100 mistakes")
        facts.append(f"objects to {part.false_alarms:g} of 100 good cases")
    if part.kind in ("tool", "rollback") and part.fails:
        facts.append(f"fails {part.fails:g} times in 100")
    if part.kind == "tool" and part.acts:
        facts.append("can do harm")
    return f"{part.name}, {words}: {', '.join(facts)}."


def _of_100(share: float) -> str:
    number = share * 100
    return f"{number:.0f}" if number >= 9.95 else f"{number:.1f}"


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
