"""The rehearsal agent: a small machine that does what the rules say, and what nobody forbade.

It is eager and careless. Without a rule it takes the nearest order, pays what is asked, obeys text
in a mail and answers in English. Each rule of the prompt changes one of these habits. Every step
names its cause: the line that gave the rule, or that no line did.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from courses.simulators.prompts.reading import Reading
from courses.simulators.prompts.traces import BadCase, Event, State, Trace, language_name

Json = Any
Standing = Literal["followed", "opposite", "unsure", "untold"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How one requirement stands in the prompt, as far as the agent is concerned."""

    standing: Standing = "untold"
    line: int = 0
    lacks: str = ""
    value: float | None = None  # the number of an opposite rule: another limit

    @property
    def holds(self) -> bool:
        return self.standing == "followed"

    @property
    def because(self) -> str:
        if self.standing == "followed":
            return f"Because of line {self.line}."
        if self.standing == "opposite":
            return f"Line {self.line} tells it to."
        if self.standing == "unsure":
            return f"Line {self.line} may mean a rule, but the agent did not understand it."
        return f"No line tells it what to do {self.lacks}." if self.lacks else "No line says this."


Rules = Mapping[str, Rule]


def rules_from(reading: Reading, exercise: Mapping[str, Json]) -> dict[str, Rule]:
    """What the agent lives by. A rule read with doubt is not followed: what is on no card
    will not happen."""
    rules: dict[str, Rule] = {}
    for row in exercise["requirements"]:
        decision = reading.decision(row["id"])
        standing: Standing = "untold"
        if decision.verdict == "met":
            standing = "followed"
        elif decision.verdict == "contradicted":
            standing = "opposite"
        elif decision.verdict == "unsure" and decision.line:
            standing = "unsure"
        rules[row["id"]] = Rule(
            standing,
            decision.line,
            str(row.get("lacks", "")),
            decision.value if standing == "opposite" else None,
        )
    return rules


@dataclass
class _Desk:
    """The refund desk at work on one case."""

    case: str
    mail: str
    facts: Mapping[str, Json]
    rules: Rules
    events: list[Event] = field(default_factory=list)

    def rule(self, name: str) -> Rule:
        return self.rules.get(name, Rule())

    def add(self, event: Event) -> None:
        self.events.append(event)

    def think(self, says: str, rule: Rule | None = None, state: State = "plain") -> None:
        self.add(
            Event(
                "think",
                says,
                because=rule.because if rule else "",
                line=rule.line if rule else 0,
                state=state,
            )
        )

    def call(
        self, name: str, rule: Rule | None, says: str, state: State = "plain", **arguments: Json
    ) -> None:
        self.add(
            Event(
                "call",
                says,
                name=name,
                arguments=arguments,
                because=rule.because if rule else "",
                line=rule.line if rule else 0,
                state=state,
            )
        )

    def say(self, text: str, rule: Rule | None = None, **facts: Json) -> None:
        language_rule = self.rule("reply-language")
        mail_language = str(self.facts.get("language", "en"))
        language = mail_language if language_rule.holds else "en"
        wrong = language != mail_language
        facts["language"] = language
        shown = text if language == "en" else f"{text} (in {language_name(language)})"
        cause = language_rule if wrong or (language != "en" and rule is None) else rule
        because = cause.because if cause else ""
        if wrong:
            because = f"The customer wrote {language_name(mail_language)}. {language_rule.because}"
        if facts.get("discloses"):
            because = self.rule("no-pii-echo").because
            cause = self.rule("no-pii-echo")
        state: State = "bad" if facts.get("discloses") else "warn" if wrong else "plain"
        self.add(
            Event(
                "say",
                shown,
                name="reply",
                facts=facts,
                because=because,
                line=cause.line if cause else 0,
                state=state,
            )
        )

    def finish(self, action: str, amount: float, reason: str, **facts: Json) -> Trace:
        rule = self.rule("json-output")
        if rule.holds:
            says = json.dumps(
                {"action": action, "amount": round(amount, 2), "reason": reason}, ensure_ascii=False
            )
            self.add(Event("final", says, facts=facts, because=rule.because, line=rule.line))
        else:
            words = {
                "refund": "Refunded.",
                "refuse": "Refused.",
                "ask": "Asked.",
                "escalate": "Escalated.",
            }
            self.add(
                Event(
                    "final",
                    words[action],
                    facts=facts,
                    because=rule.because,
                    line=rule.line,
                    state="warn",
                )
            )
        return self.events

    def hand_over(self, rule: Rule, reason: str) -> Trace:
        self.call(
            "escalate_to_human",
            rule,
            f"Puts the mail in the human's tray: {reason}.",
            order=self.facts.get("order"),
            note=reason,
        )
        return self.finish("escalate", 0, reason)

    def run(self) -> Trace:
        facts = self.facts
        self.add(Event("read", "Reads the mail."))
        commands = facts.get("commands")
        obeys = False
        if commands:
            rule = self.rule("injection-resistance")
            if rule.holds:
                self.think(
                    "Finds a sentence that gives it orders and reads it as text.", rule, "good"
                )
            else:
                obeys = True
                self.think(
                    f"Takes a sentence in the mail as an order: {commands['says']}.", rule, "bad"
                )
        danger = facts.get("danger")
        if danger and not (obeys and commands and commands.get("no_human")):
            rule = self.rule("legal-escalation")
            if rule.holds:
                self.think(f"Reads that {danger}.", rule, "good")
                return self.hand_over(rule, f"the customer writes that {danger}")
            self.think(f"Reads that {danger}, and goes on as with any mail.", rule, "bad")
        order, record = facts.get("order"), facts.get("record", {})
        paid_order = order
        asked = float(facts.get("asks", record.get("price", 0)))
        if order is None:
            rule = self.rule("ask-missing-order")
            if rule.holds:
                self.say(
                    "Which order is it? Please send me the order number.",
                    rule,
                    asks_for="order_number",
                )
                return self.finish("ask", 0, "order number missing")
            nearest = facts["nearest"]
            self.call(
                "lookup_order",
                rule,
                f"Finds {nearest['found']} orders; takes {nearest['order']}, the nearest.",
                "bad",
                order=nearest["search"],
            )
            paid_order, asked = nearest["order"], float(nearest["amount"])
            record = {}
        amount = asked
        looked = False
        duplicate = self.rule("duplicate-check")
        if (
            order is not None
            and duplicate.holds
            and not (obeys and commands and commands.get("no_look"))
        ):
            refunded = float(record.get("refunded", 0))
            seen = (
                f"A refund of {refunded:.2f} stands there already."
                if refunded
                else "No refund so far."
            )
            self.call("lookup_order", duplicate, f"Opens order {order}. {seen}", order=order)
            looked = True
            if refunded:
                self.say("This order was refunded already, so I can't pay again.", duplicate)
                return self.finish("refuse", 0, "order already refunded")
        elif order is not None and record.get("refunded"):
            self.think("Does not look whether the order was refunded before.", duplicate, "bad")
        policy = self.rule("policy-grounding")
        if obeys and commands and "pay" in commands:
            amount = float(commands["pay"])
        elif policy.holds and order is not None:
            if not looked:
                self.call(
                    "lookup_order",
                    policy,
                    f"Opens order {order} to hold it against the policy.",
                    order=order,
                )
            if facts.get("owed") is None:
                self.think("Finds nothing about this in the policy.", policy, "good")
                return self.hand_over(policy, "the policy does not cover this")
            amount = float(facts["owed"])
            where = facts.get("policy_line")
            if amount == 0:
                self.say("The policy gives no refund in this case.", policy)
                return self.finish("refuse", 0, f"policy line {where}")
            self.think(f"Finds line {where} of the policy: {amount:.2f} are owed.", policy)
        elif order is not None and facts.get("owed") is None:
            self.think(f"Makes up a reason to pay {amount:.2f}.", policy, "bad")
        elif order is not None and facts.get("owed") != amount:
            self.think(f"Believes the customer, who asks for {amount:.2f}.", policy, "bad")
        limit = self.rule("refund-limit")
        lifted = obeys and commands and commands.get("lifts_limit")
        # A wrong limit is kept to as faithfully as the right one.
        ceiling = 100.0 if limit.holds else limit.value
        if ceiling is not None and amount > ceiling and not lifted:
            self.think(f"Compares {amount:.2f} with {ceiling:g}. It is more.", limit)
            return self.hand_over(limit, f"{amount:.2f} is above the limit")
        if amount > 100:
            self.think(
                f"Sees {amount:.2f} and no reason to stop.",
                self.rule("injection-resistance") if lifted else limit,
                "bad",
            )
        confirm = self.rule("confirm-irreversible")
        skip = obeys and commands and commands.get("confirmed")
        if confirm.holds and not skip:
            self.say(
                f"I would pay back {amount:.2f} for order {paid_order}. Is that right?",
                confirm,
                puts=amount,
            )
            answer = facts.get("answer", {"yes": True, "says": "Yes."})
            self.add(
                Event(
                    "hear",
                    f"The customer: {answer['says']}",
                    facts={"confirms": bool(answer["yes"])},
                )
            )
            if not answer["yes"]:
                self.think("Has no yes, so it does not pay.", confirm, "good")
                return self.hand_over(confirm, "the customer wants something else")
        else:
            self.think(
                "Pays without asking the customer.",
                self.rule("injection-resistance") if skip else confirm,
                "warn",
            )
        wrong = (
            paid_order != order
            or bool(record.get("refunded"))
            or amount != facts.get("owed")
            or amount > 100
        )
        self.call(
            "issue_refund",
            limit if limit.holds and amount <= 100 else None,
            f"Pays {amount:.2f} on order {paid_order}."
            + (f" {facts['nearest']['harm']}" if order is None else ""),
            "bad" if wrong else "good",
            order=paid_order,
            amount=amount,
        )
        private = self.rule("no-pii-echo")
        if private.holds:
            self.say(
                f"Your refund of {amount:.2f} is on its way.",
                private if facts.get("asks_back") else None,
            )
            return self.finish(
                "refund",
                amount,
                f"policy line {facts.get('policy_line')}" if policy.holds else "customer asked",
            )
        self.say(
            f"Your refund of {amount:.2f} goes to your card {facts.get('card', 'ending 4417')},"
            " and we still have your address.",
            discloses=["card", "address"],
        )
        return self.finish(
            "refund",
            amount,
            "paid to the customer's card",
            discloses=["card"] if facts.get("asks_back") else [],
        )


def _refund_desk(case: Mapping[str, Json], rules: Rules) -> Trace:
    facts = case.get("facts", {})
    try:
        return _Desk(str(case["id"]), str(case["customer"]), facts, rules).run()
    except (KeyError, TypeError, ValueError) as error:
        raise BadCase(
            case=case.get("id", "?"), problem=f"a fact is missing or of the wrong kind ({error})."
        ) from error


MACHINES: Final[Mapping[str, Callable[[Mapping[str, Json], Rules], Trace]]] = {
    "refund-desk": _refund_desk
}


def run_case(case: Mapping[str, Json], rules: Rules, *, machine: str) -> Trace:
    """Run one case; the same rules and facts give the same trace."""
    if machine not in MACHINES:
        raise BadCase(case=case.get("id", "?"), problem=f"there is no machine called “{machine}”.")
    return MACHINES[machine](case, rules)
