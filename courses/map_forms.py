"""The forms of the step-by-step map editor. Each form that is filled in right gives commands.

Whoever fills them in has never written code: conditions are made of questions with a number, and
only who wants to writes the condition itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from courses.simulators.workflows import conditions, edits
from courses.simulators.workflows.model import (
    KIND_WORDS,
    MAX_CONDITION_CHARACTERS,
    MAX_LOOPS,
    MAX_NAME_CHARACTERS,
    MAX_NOTE_CHARACTERS,
    MAX_RETRIES,
    Edge,
    Kind,
    MapProblem,
    Node,
    WorkflowMap,
)
from courses.simulators.workflows.reading import MAY
from courses.simulators.workflows.world import World
from courses.simulators.workflows.writing import duration_text

Json = Any
Choices = list[tuple[str, Any]]

ROWS = (1, 2, 3)
OUTCOMES: Sequence[tuple[str, str | Promise]] = (
    ("served", gettext_lazy("End: the customer is served")),
    ("served_by_human", gettext_lazy("End: a person has served the customer")),
    ("refused", gettext_lazy("End: the case is refused")),
    ("undone", gettext_lazy("End: the action is taken back")),
)
# Each question with the variable it asks about; “#” stands for the number beside it.
QUESTIONS: Sequence[tuple[str, str, str | Promise]] = (
    ("confidence < #", "confidence", gettext_lazy("the agent's confidence is below")),
    ("confidence >= #", "confidence", gettext_lazy("the agent's confidence is at least")),
    ("amount > #", "amount", gettext_lazy("the amount is above")),
    ("amount <= #", "amount", gettext_lazy("the amount is at most")),
    ("flagged", "flagged", gettext_lazy("a guard has flagged it")),
    ("not flagged", "flagged", gettext_lazy("no guard has flagged it")),
    ("alarm", "alarm", gettext_lazy("a monitor has raised an alarm")),
    ("not alarm", "alarm", gettext_lazy("no monitor has raised an alarm")),
    ("verdict == 'approve'", "verdict", gettext_lazy("the person approved")),
    ("verdict == 'reject'", "verdict", gettext_lazy("the person refused")),
    ("verdict == 'rework'", "verdict", gettext_lazy("the person sent it back")),
    ("verdict == 'none'", "verdict", gettext_lazy("no person has decided")),
)
# The choice “as usual” is empty: then nothing about it stands in the map.
PRIORITIES: Sequence[tuple[str, str | Promise]] = (
    ("", gettext_lazy("as usual")),
    ("1", gettext_lazy("1: served first")),
    ("2", gettext_lazy("2: before the usual")),
    ("3", gettext_lazy("3: the usual, written down")),
    ("4", gettext_lazy("4: after the usual")),
    ("5", gettext_lazy("5: served last")),
)
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,6})?")


class MapForm(forms.Form):
    """A form about one map; `take` puts what the reader of maps says at the right field."""

    # What the reader calls a setting, where the form calls it otherwise.
    CALLED: Mapping[str, str] = {}

    def __init__(self, map_: WorkflowMap, world: World, data: Any = None, **options: Any) -> None:
        self.map = map_
        self.world = world
        options.setdefault("auto_id", "f-%s")
        super().__init__(data, **options)
        self.build()

    def build(self) -> None:
        """Make the fields that depend on the map."""

    def take(self, problems: Iterable[MapProblem]) -> None:
        for problem in problems:
            name = self.CALLED.get(problem.field or "", problem.field or "")
            self.add_error(name if name in self.fields else None, problem.message)

    def commands(self) -> list[edits.Command]:
        raise NotImplementedError


def steps_to_choose(map_: WorkflowMap, fits: Any = lambda node: True) -> Choices:
    return [
        (node.id, f"{node.name} ({KIND_WORDS[node.kind].lower()})")
        for node in map_.nodes
        if fits(node)
    ]


def kinds_to_choose(world: World) -> Choices:
    """What a step can be, in groups: blocks by their kind, and what needs no block."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for block in world.blocks:
        heading = KIND_WORDS[block.kind]
        groups.setdefault(heading, []).append((f"{block.kind}:{block.id}", block.name))
    return [
        ("", _("Choose one")),
        ("trigger", _("Trigger: where cases arrive")),
        ("gateway", _("Gateway: asks, and sends cases different ways")),
        *((heading, rows) for heading, rows in groups.items()),
        (_("End"), [(f"end:{value}", str(words)) for value, words in OUTCOMES]),
    ]


def _what(node: Node) -> str:
    if node.kind == "end":
        return f"end:{node.outcome}"
    return f"{node.kind}:{node.block}" if node.block else node.kind


def _settings(what: str) -> dict[str, Json]:
    kind, _colon, rest = what.partition(":")
    settings: dict[str, Json] = {"kind": kind}
    if kind == "end":
        settings["outcome"] = rest
    elif rest:
        settings["block"] = rest
    return settings


class TitleForm(MapForm):
    title = forms.CharField(label=gettext_lazy("Title of the map"), max_length=MAX_NAME_CHARACTERS)

    def commands(self) -> list[edits.Command]:
        return [edits.SetTitle(do="set_title", title=self.cleaned_data["title"])]


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that the exercise sells. `choices` begin with the usual one, whose value is empty."""

    id: str
    label: str
    hint: str
    choices: Sequence[tuple[str, str]]


def offers(world: World) -> list[Offer]:
    """What can be bought, with the prices, as a form or a list shows it."""
    found = []
    for option in world.options:
        block = world.block(option.block)
        share = block.hours.share if block.hours else 1.0
        usual = _people(option.default)
        choices = [("", _("%(people)s, as usual") % {"people": usual})]
        for number in range(option.least, option.most + 1):
            if number < option.default:
                words = _("%(people)s; saves nothing but work that is not done")
                choices.append((str(number), words % {"people": _people(number)}))
            elif number > option.default:
                hourly = (number - option.default) * option.cost_per_hour
                words = _("%(people)s, for $%(hour)s an hour more: $%(case)s on every case")
                figures = {
                    "people": _people(number),
                    "hour": f"{hourly:,.10g}",
                    "case": f"{hourly * share / world.mean_per_hour:,.2f}",
                }
                choices.append((str(number), words % figures))
        label = _("%(block)s: how many people") % {"block": block.name}
        found.append(Offer(option.id, label, option.says, choices))
    for row in world.versions:
        block = world.block(row.block)
        said = {version.id: version.says for version in row.versions}
        usual = _("%(version)s, as usual") % {"version": row.default}
        choices = [("", _with(usual, said[row.default]))]
        choices += [(name, _with(name, says)) for name, says in said.items() if name != row.default]
        label = _("%(block)s: which version") % {"block": block.name}
        found.append(Offer(row.block, label, row.says, choices))
    return found


def _people(number: int) -> str:
    return ngettext("%(n)s person", "%(n)s people", number) % {"n": number}


def _with(words: str, says: str) -> str:
    return f"{words}: {says}" if says else words


class OptionsForm(MapForm):
    """What the map buys of what its exercise sells."""

    def build(self) -> None:
        chosen = dict(self.map.options)
        for offer in offers(self.world):
            self.fields[offer.id] = forms.ChoiceField(
                label=offer.label, help_text=offer.hint, required=False, choices=offer.choices
            )
            # A number that is the usual one is shown as such.
            value = str(chosen.get(offer.id, ""))
            self.initial[offer.id] = value if value in dict(offer.choices) else ""

    def commands(self) -> list[edits.Command]:
        people = {option.id for option in self.world.options}
        bought: dict[str, int | str | None] = {}
        for name in self.fields:
            value = self.cleaned_data[name]
            bought[name] = (int(value) if name in people else value) if value else None
        return [edits.SetOptions(do="set_options", set=bought)]


class AddStepForm(MapForm):
    """A new step behind another one, or the first."""

    CALLED: Mapping[str, str] = {
        "kind": "what",
        "block": "what",
        "outcome": "what",
    }

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=MAX_NAME_CHARACTERS,
        help_text=gettext_lazy("What happens here, as a colleague would say it."),
        error_messages={"required": gettext_lazy("Give the step a name.")},
    )
    what = forms.ChoiceField(
        label=gettext_lazy("What it is"),
        error_messages={"required": gettext_lazy("Say what the step is.")},
    )
    undoes = forms.ChoiceField(
        label=gettext_lazy("Takes back"),
        required=False,
        help_text=gettext_lazy("Only for a rollback: the step whose action it takes back."),
    )
    where = forms.ChoiceField(label=gettext_lazy("Where it stands"), required=False)

    def __init__(self, *arguments: Any, after: str = "", **options: Any) -> None:
        self.after = after
        super().__init__(*arguments, **options)

    def build(self) -> None:
        self._choices("what").choices = kinds_to_choose(self.world)
        if any(block.kind == "rollback" for block in self.world.blocks):
            acting = steps_to_choose(self.map, lambda node: node.kind == "tool")
            self._choices("undoes").choices = [("", _("Nothing")), *acting]
        else:
            del self.fields["undoes"]
        places = self._places()
        if len(places) > 1:
            self._choices("where").choices = places
            self.fields["where"].initial = places[0][0]
        else:
            del self.fields["where"]

    def _choices(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        return field

    def _places(self) -> Choices:
        places: Choices = []
        by_id = {node.id: node for node in self.map.nodes}
        before = by_id.get(self.after)
        if before is not None and before.kind != "end":
            ways = list(self.map.out(before.id))
            free = not any(way.on == "ok" and way.when is None for way in ways)
            if free:
                places.append(("linked", _("“%(name)s” leads to it") % {"name": before.name}))
            places += [
                (
                    f"into:{way.sentence}",
                    _("between “%(a)s” and “%(b)s”%(how)s")
                    % {"a": before.name, "b": by_id[way.dst].name, "how": _how(way)},
                )
                for way in ways
            ]
        places.append(("alone", _("nothing leads to it yet")))
        return places

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if str(data.get("what", "")).startswith("rollback:") and not data.get("undoes"):
            self.add_error("undoes", _("Say which step this rollback takes back."))
        return data

    def commands(self) -> list[edits.Command]:
        data = self.cleaned_data
        step = {"name": data["name"], **_settings(data["what"])}
        if step["kind"] == "rollback":
            step["undoes"] = data["undoes"]
        where = data.get("where") or "alone"
        return [
            edits.AddStep(
                do="add_step",
                step=step,
                after=self.after or None,
                into=where.removeprefix("into:") if where.startswith("into:") else None,
                linked=where == "linked",
            )
        ]


def _how(way: Edge) -> str:
    if way.on == "error":
        return _(" (on error)")
    if way.on == "timeout":
        return _(" (no answer)")
    if way.when is not None:
        return f" ({way.when})"
    return _(" (otherwise)") if way.otherwise else ""


class StepForm(AddStepForm):
    """The settings of a step that is there already."""

    retries = forms.IntegerField(
        label=gettext_lazy("Tries again after a failure"),
        required=False,
        min_value=0,
        max_value=MAX_RETRIES,
        help_text=gettext_lazy("How many times. Empty: never."),
    )
    backoff = forms.CharField(
        label=gettext_lazy("Waits before it tries again"),
        required=False,
        max_length=9,
        help_text=gettext_lazy("Such as 30s, 2m or 1h."),
    )
    patience = forms.CharField(
        label=gettext_lazy("Waits for an answer at most"),
        required=False,
        max_length=9,
        help_text=gettext_lazy("Such as 30m or 2h. Empty: for ever."),
    )
    priority = forms.ChoiceField(
        label=gettext_lazy("Priority"),
        required=False,
        choices=PRIORITIES,
        help_text=gettext_lazy("Among all who wait for the same people."),
    )
    actor = forms.CharField(
        label=gettext_lazy("Done by"),
        required=False,
        max_length=32,
        help_text=gettext_lazy("One word for a role, such as reviewer. Shows who checks whom."),
    )
    tools = forms.MultipleChoiceField(
        label=gettext_lazy("Tools in the agent's own hands"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=MAX_NOTE_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("For yourself; it is not graded."),
    )
    id = forms.CharField(
        label=gettext_lazy("Short name in the text"),
        max_length=32,
        help_text=gettext_lazy("Small letters, digits and _."),
    )

    OPTIONAL = ("retries", "backoff", "patience", "priority", "actor", "tools", "note")

    def __init__(
        self, map_: WorkflowMap, world: World, node: Node, data: Any = None, **options: Any
    ) -> None:
        self.node = node
        super().__init__(map_, world, data, initial=self._initial(node), **options)

    @staticmethod
    def _initial(node: Node) -> dict[str, Json]:
        return {
            "name": node.name,
            "what": _what(node),
            "undoes": node.undoes or "",
            "retries": node.retries,
            "backoff": "" if node.backoff_s is None else duration_text(node.backoff_s),
            "patience": "" if node.patience_s is None else duration_text(node.patience_s),
            "priority": "" if node.priority is None else str(node.priority),
            "actor": node.actor or "",
            "tools": list(node.tools or ()),
            "note": node.note or "",
            "id": node.id,
        }

    def build(self) -> None:
        self.after = ""
        super().build()
        kind: Kind = self.node.kind
        for name in self.OPTIONAL:
            if name not in MAY[kind]:
                del self.fields[name]
        self._same_kind(kind)
        if kind != "rollback":
            self.fields.pop("undoes", None)
        if "tools" in self.fields:
            tools = [(b.id, b.name) for b in self.world.blocks if b.kind == "tool"]
            field = self.fields["tools"]
            assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101
            field.choices = tools

    def _same_kind(self, kind: Kind) -> None:
        """A step stays of its kind; it can be another block of that kind or another end."""
        if kind in ("trigger", "gateway"):
            del self.fields["what"]
        elif kind == "end":
            self._choices("what").choices = [(f"end:{value}", words) for value, words in OUTCOMES]
        else:
            blocks = [b for b in self.world.blocks if b.kind == kind]
            self._choices("what").choices = [(f"{kind}:{b.id}", b.name) for b in blocks]

    def commands(self) -> list[edits.Command]:
        data = self.cleaned_data
        what = data.get("what") or self.node.kind
        settings: dict[str, Json] = {"name": data["name"], **_settings(what)}
        kind: Kind = self.node.kind
        if kind == "rollback":
            settings["undoes"] = data["undoes"]
        for name in self.OPTIONAL:
            if name in self.fields and name in MAY.get(kind, ()):
                value = data.get(name)
                settings[name] = value if value not in ("", [], None) else None
        if settings.get("priority") is not None:
            settings["priority"] = int(settings["priority"])
        # A time to wait without a retry waits for nothing; the reader would refuse it.
        if settings.get("retries") in (None, 0) and "backoff" in settings and not data["backoff"]:
            settings["backoff"] = None
        done: list[edits.Command] = [
            edits.ChangeStep(do="change_step", id=self.node.id, set=settings)
        ]
        if data["id"] != self.node.id:
            done.append(edits.RenameStep(do="rename_step", id=self.node.id, to=data["id"]))
        return done


class WayForm(MapForm):
    """A way out of a step: where to, and when."""

    CALLED: Mapping[str, str] = {"when": "own", "default": "how", "on": "how", "max": "most"}

    dst = forms.ChoiceField(
        label=gettext_lazy("Leads to"),
        error_messages={"required": gettext_lazy("Say which step it leads to.")},
    )
    how = forms.ChoiceField(label=gettext_lazy("When a case goes there"))
    join = forms.ChoiceField(
        label=gettext_lazy("Of these questions"),
        required=False,
        choices=[
            ("or", gettext_lazy("one must be true")),
            ("and", gettext_lazy("all must be true")),
        ],
    )
    own = forms.CharField(
        label=gettext_lazy("Or write the condition yourself"),
        required=False,
        max_length=MAX_CONDITION_CHARACTERS,
        help_text=gettext_lazy("Such as: flagged or confidence < 0.80 or amount > 400."),
    )
    most = forms.IntegerField(
        label=gettext_lazy("The same case at most"),
        required=False,
        min_value=1,
        max_value=MAX_LOOPS,
        help_text=gettext_lazy(
            "Times. Needed where a way leads back, so that no case goes round for ever."
        ),
    )

    def __init__(
        self,
        map_: WorkflowMap,
        world: World,
        node: Node,
        data: Any = None,
        *,
        way: Edge | None = None,
        **options: Any,
    ) -> None:
        self.node = node
        self.way = way
        super().__init__(map_, world, data, **options)

    def build(self) -> None:
        dst, how = self.fields["dst"], self.fields["how"]
        assert isinstance(dst, forms.ChoiceField)  # noqa: S101
        assert isinstance(how, forms.ChoiceField)  # noqa: S101
        targets = steps_to_choose(self.map, lambda node: node.kind != "trigger")
        dst.choices = [("", _("Choose a step")), *targets]
        how.choices = self._hows()
        if self.node.kind == "gateway":
            self._questions()
        else:
            for name in ("join", "own", "most"):
                del self.fields[name]
        if self.way is not None:
            self.initial.update(self._shown(self.way))
        elif self.node.kind == "gateway":
            ways = list(self.map.out(self.node.id))
            has_last = any(way.otherwise for way in ways)
            self.initial["how"] = "question" if has_last or not ways else "otherwise"
        else:
            used = {way.on for way in self.map.out(self.node.id)}
            left = [value for value, _words in how.choices if value not in used]
            self.initial["how"] = left[0] if left else "ok"

    def _hows(self) -> Choices:
        if self.node.kind == "gateway":
            return [
                ("question", _("when the questions below say so")),
                ("otherwise", _("otherwise: when no other way was taken")),
            ]
        found: Choices = [("ok", _("when the step is done"))]
        if self.node.kind in ("tool", "agent", "guard", "rollback"):
            found.append(("error", _("when the step fails")))
        if self.node.kind == "human":
            found.append(("timeout", _("when nobody answers in time")))
        return found

    def _questions(self) -> None:
        asked: Choices = [
            (form, str(words)) for form, name, words in QUESTIONS if name in self.world.visible
        ]
        for row in ROWS:
            self.fields[f"q{row}"] = forms.ChoiceField(
                label=_("Question %(n)s") % {"n": row},
                required=False,
                choices=[("", _("no question")), *asked],
            )
            self.fields[f"n{row}"] = forms.CharField(
                label=_("Number for question %(n)s") % {"n": row}, required=False, max_length=17
            )
        names = ", ".join(self.world.visible)
        self.fields["own"].help_text = _(
            "Such as: flagged or confidence < 0.80 or amount > 400. Can be asked about: %(names)s."
        ) % {"names": names}

    @property
    def rows(self) -> list[tuple[Any, Any]]:
        """The questions, each with its number."""
        if "q1" not in self.fields:
            return []
        return [(self[f"q{row}"], self[f"n{row}"]) for row in ROWS]

    def _shown(self, way: Edge) -> dict[str, Json]:
        shown: dict[str, Json] = {"dst": way.dst, "how": way.on, "most": way.most}
        if self.node.kind == "gateway":
            shown["how"] = "otherwise" if way.otherwise else "question"
        if way.when is not None:
            shown |= questions_of(way.when, self.world.visible) or {"own": way.when}
        return shown

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.node.kind != "gateway" or data.get("how") != "question":
            return data
        parts = []
        for row in ROWS:
            form, number = data.get(f"q{row}") or "", (data.get(f"n{row}") or "").strip()
            number = number.replace(",", "")
            if not form:
                if number:
                    self.add_error(f"q{row}", _("Choose what the number belongs to."))
                continue
            if "#" in form:
                if not _NUMBER.fullmatch(number):
                    self.add_error(f"n{row}", _("Write a number, such as 0.80 or 400."))
                    continue
            elif number:
                self.add_error(f"n{row}", _("This question has no number. Leave this empty."))
            parts.append(form.replace("#", number))
        own = (data.get("own") or "").strip()
        if own and parts:
            self.add_error("own", _("Choose questions or write the condition, not both."))
        elif not own and not parts and not self.errors:
            self.add_error("q1", _("Choose a question, or let this be the “otherwise” way."))
        data["when"] = own or f" {data.get('join') or 'or'} ".join(parts)
        return data

    def commands(self) -> list[edits.Command]:
        data = self.cleaned_data
        asks = self.node.kind == "gateway"
        question = asks and data["how"] == "question"
        way = edits.WayForm(
            src=self.node.id,
            dst=data["dst"],
            on="ok" if asks else data["how"],
            when=data["when"] if question else None,
            default=asks and not question,
            max=data.get("most") if asks else None,
        )
        if self.way is None:
            return [edits.Connect(do="connect", way=way)]
        return [edits.ChangeWay(do="change_way", way=self.way.sentence, to=way)]


def questions_of(when: str, visible: Sequence[str]) -> dict[str, str] | None:
    """The condition as rows of questions, or None when it does not fit in them."""
    try:
        condition = conditions.parse(when, visible)
    except conditions.BadCondition:
        return None
    join = "or"
    parts: tuple[conditions.Condition, ...] = (condition,)
    if isinstance(condition, conditions.Junction):
        join, parts = condition.word, condition.parts
    if len(parts) > len(ROWS):
        return None
    shown = {"join": join}
    for row, part in zip(ROWS, parts, strict=False):
        asked = _question_of(part)
        if asked is None:
            return None
        shown[f"q{row}"], shown[f"n{row}"] = asked
    return shown


def _question_of(part: conditions.Condition) -> tuple[str, str] | None:
    known = {form for form, _name, _words in QUESTIONS}
    number = ""
    match part:
        case conditions.Ask(variable=name):
            form = name
        case conditions.Not(part=conditions.Ask(variable=name)):
            form = f"not {name}"
        case conditions.Compare(variable=name, operator=sign, constant=str(word)):
            form = f"{name} {sign} '{word}'"
        case conditions.Compare(variable=name, operator=sign, constant=float(value)):
            form = f"{name} {sign} #"
            number = (
                f"{value:.2f}"
                if name == "confidence" and round(value, 2) == value
                else f"{value:.15g}"
            )
        case _:
            return None
    return (form, number) if form in known else None
