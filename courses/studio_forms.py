"""The forms of the studio: how a process begins, and the world it works in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from courses.simulators.workflows import own_world
from courses.simulators.workflows.edits import free_id
from courses.simulators.workflows.model import KIND_WORDS, Node
from courses.simulators.workflows.own_world import BadFacts, Facts, Part

Json = Any

# The figures that each kind has, in the order of the form.
FIGURES: dict[str, tuple[str, ...]] = {
    "agent": ("minutes", "cost", "shows"),
    "tool": ("minutes", "cost", "fails", "acts", "repeatable"),
    "guard": ("minutes", "cost", "finds", "false_alarms"),
    "human": ("minutes", "staff", "per_hour", "finds", "false_alarms"),
    "escalation": ("minutes", "staff", "per_hour", "cost"),
    "monitor": ("cost", "finds", "false_alarms"),
    "rollback": ("minutes", "cost", "fails"),
}


def _plain(value: Json) -> Json:
    """A figure as a person writes it: 20, not 20.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _share(label: Any, hint: Any = "") -> forms.FloatField:
    return forms.FloatField(label=label, min_value=0, max_value=100, help_text=hint)


def _figure(name: str) -> forms.Field:
    match name:
        case "minutes":
            return forms.FloatField(
                label=_("Minutes for a case, on average"), min_value=0, max_value=10_000
            )
        case "cost":
            return forms.FloatField(label=_("Dollars for each use"), min_value=0, max_value=1e7)
        case "staff":
            return forms.IntegerField(label=_("People"), min_value=1, max_value=500)
        case "per_hour":
            return forms.FloatField(
                label=_("Dollars for an hour of one person"), min_value=0, max_value=1e7
            )
        case "fails":
            return forms.FloatField(label=_("Fails, of 100 times"), min_value=0, max_value=99)
        case "finds":
            return _share(_("Notices, of 100 cases with something wrong"))
        case "false_alarms":
            return _share(_("Objects, of 100 cases in order"))
        case "shows":
            return forms.ChoiceField(
                label=_("Its confidence tells good from bad"),
                choices=[
                    ("well", _("well")),
                    ("somewhat", _("somewhat")),
                    ("not", _("not at all")),
                ],
            )
        case "acts":
            return forms.BooleanField(
                label=_("Can do harm: this is the deed, such as paying or sending"), required=False
            )
        case _:
            return forms.BooleanField(
                label=_("May be tried twice without doing it twice"), required=False
            )


class BeginForm(forms.Form):
    """A new process: from a template, from a BPMN file, or from nothing."""

    title = forms.CharField(
        label=gettext_lazy("What is the process called?"), max_length=80, required=False
    )
    template = forms.ChoiceField(label=gettext_lazy("Begin with"), widget=forms.RadioSelect)
    file = forms.FileField(
        label=gettext_lazy("Or a BPMN file"),
        required=False,
        help_text=gettext_lazy(
            "From Camunda Modeler, Signavio or another BPMN 2.0 program, at most 1 MB."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".bpmn,.xml,application/xml,text/xml"}),
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        field = self.fields["template"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [
            *((row.id, f"{row.title}. {row.says}") for row in own_world.TEMPLATES),
            ("blank", _("An empty map")),
        ]
        field.initial = own_world.TEMPLATES[0].id


class WorldForm(forms.Form):
    """The world in a form: volumes, what can be wrong, who works, what is acceptable."""

    title = forms.CharField(label=gettext_lazy("Name of the process"), max_length=80)
    per_hour = forms.FloatField(
        label=gettext_lazy("Cases an hour"), min_value=0.01, max_value=100_000
    )
    amount = forms.FloatField(
        label=gettext_lazy("What a typical case is worth, in dollars"),
        min_value=0.01,
        max_value=1e7,
        help_text=gettext_lazy("Half of the cases are worth less, half more."),
    )
    spread = forms.ChoiceField(
        label=gettext_lazy("The cases are"),
        choices=[
            ("similar", gettext_lazy("worth about the same")),
            ("varied", gettext_lazy("some small, some large")),
            ("wide", gettext_lazy("mostly small, a few very large")),
        ],
    )
    rush = forms.FloatField(
        label=gettext_lazy("In a rush cases come so many times as fast"),
        min_value=1,
        max_value=20,
        help_text=gettext_lazy("For two of ten hours. 1: there is no rush."),
    )
    review_above = forms.FloatField(
        label=gettext_lazy("A person must see cases above, in dollars"),
        required=False,
        min_value=0.01,
        max_value=1e7,
        help_text=gettext_lazy("Empty: there is no such rule."),
    )
    review_flagged = forms.BooleanField(
        label=gettext_lazy("A person must see what a guard has flagged"), required=False
    )
    outsiders = forms.BooleanField(
        label=gettext_lazy("Cases hold text that outsiders wrote"), required=False
    )
    limit_harm = forms.FloatField(
        label=gettext_lazy("Harm a case at most, in dollars"), required=False, min_value=0
    )
    limit_cost = forms.FloatField(
        label=gettext_lazy("Cost a case at most, in dollars"), required=False, min_value=0
    )
    limit_minutes = forms.FloatField(
        label=gettext_lazy("9 of 10 cases done within, in minutes"),
        required=False,
        min_value=0.1,
        max_value=100_000,
    )
    limit_load = forms.FloatField(
        label=gettext_lazy("People's time taken up, at most of 100"),
        required=False,
        min_value=1,
        max_value=100,
    )
    limit_served = forms.FloatField(
        label=gettext_lazy("Good cases served, at least of 100"),
        required=False,
        min_value=1,
        max_value=100,
    )
    new_kind = forms.ChoiceField(label=gettext_lazy("Add"), required=False)
    new_name = forms.CharField(
        label=gettext_lazy("called"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("Its figures can be changed once it is saved."),
    )

    PLAIN = ("per_hour", "amount", "spread", "rush", "review_above", "review_flagged", "outsiders")
    LIMITS = ("harm", "cost", "minutes", "load", "served")

    def __init__(self, facts: Facts, title: str, data: Any = None, *, used: Any = ()) -> None:
        """`used` holds the parts that a map of the process uses, which therefore stay."""
        self.facts = facts
        self.used = set(used)
        self.made: Facts | None = None
        initial: dict[str, Json] = {"title": title}
        initial |= {name: _plain(getattr(facts, name)) for name in self.PLAIN}
        initial |= {f"limit_{name}": _plain(getattr(facts.limits, name)) for name in self.LIMITS}
        super().__init__(data, initial=initial, auto_id="w-%s")
        kind = self.fields["new_kind"]
        assert isinstance(kind, forms.ChoiceField)  # noqa: S101
        kind.choices = [
            ("", _("nothing")),
            *((one, KIND_WORDS[one].lower()) for one in own_world.PART_KINDS),
        ]
        self._faults()
        self._parts()

    def _faults(self) -> None:
        for number in range(own_world.MAX_FAULTS):
            known = self.facts.faults[number] if number < len(self.facts.faults) else None
            first = number == 0
            self.fields[f"fault{number}_name"] = forms.CharField(
                label=_("What is wrong"), max_length=60, required=first,
                initial=known.name if known else "",
            )  # fmt: skip
            for name, label, most in (
                ("of_100", _("In how many of 100 cases"), 99),
                ("harm_share", _("Harm, of 100 of what the case is worth"), 100),
                ("harm_plus", _("Harm besides, in dollars"), 1e7),
            ):
                self.fields[f"fault{number}_{name}"] = forms.FloatField(
                    label=label, required=first, min_value=0, max_value=most,
                    initial=_plain(getattr(known, name)) if known else None,
                )  # fmt: skip

    def _parts(self) -> None:
        for part in self.facts.parts:
            self.fields[f"part_{part.id}_name"] = forms.CharField(
                label=_("Name"), max_length=60, initial=part.name
            )
            for name in FIGURES[part.kind]:
                field = _figure(name)
                field.initial = _plain(getattr(part, name))
                self.fields[f"part_{part.id}_{name}"] = field
            if part.id not in self.used:
                self.fields[f"part_{part.id}_gone"] = forms.BooleanField(
                    label=_("Remove it"), required=False
                )

    @property
    def plain_fields(self) -> list[Any]:
        return [self[name] for name in ("title", *self.PLAIN[:4])]

    @property
    def rule_fields(self) -> list[Any]:
        return [self[name] for name in self.PLAIN[4:]]

    @property
    def limit_fields(self) -> list[Any]:
        return [self[f"limit_{name}"] for name in self.LIMITS]

    @property
    def fault_rows(self) -> list[list[Any]]:
        names = ("name", "of_100", "harm_share", "harm_plus")
        return [
            [self[f"fault{number}_{name}"] for name in names]
            for number in range(own_world.MAX_FAULTS)
        ]

    @property
    def part_rows(self) -> list[tuple[Part, str, list[Any], bool]]:
        rows = []
        for part in self.facts.parts:
            names = [name for name in self.fields if name.startswith(f"part_{part.id}_")]
            # Two ids may begin alike: `pay` and `pay_late`.
            mine = {f"part_{part.id}_{end}" for end in ("name", "gone", *FIGURES[part.kind])}
            fields = [self[name] for name in names if name in mine]
            wrong = any(field.errors for field in fields)
            rows.append((part, KIND_WORDS[part.kind], fields, wrong))
        return rows

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        made: dict[str, Json] = {name: data[name] for name in self.PLAIN}
        made["limits"] = {name: data[f"limit_{name}"] for name in self.LIMITS}
        made["faults"] = self._faults_in(data)
        made["parts"] = self._parts_in(data)
        if self.errors:
            return data
        try:
            self.made = own_world.read_facts(made)
            own_world.document(self.made, title=data["title"])
        except BadFacts as refusal:
            self.add_error(None, refusal.message)
        return data

    def _faults_in(self, data: dict[str, Any]) -> list[Json]:
        rows = []
        for number in range(own_world.MAX_FAULTS):
            name = data[f"fault{number}_name"]
            figures = {
                key: data[f"fault{number}_{key}"] for key in ("of_100", "harm_share", "harm_plus")
            }
            if not name:
                if any(value for value in figures.values()):
                    self.add_error(f"fault{number}_name", _("Say what is wrong in these cases."))
                continue
            rows.append({"name": name, **{key: value or 0 for key, value in figures.items()}})
        return rows

    def _parts_in(self, data: dict[str, Any]) -> list[Json]:
        rows: list[Json] = []
        for part in self.facts.parts:
            if data.get(f"part_{part.id}_gone"):
                continue
            changes = {
                name: data[f"part_{part.id}_{name}"] for name in ("name", *FIGURES[part.kind])
            }
            rows.append(part.model_dump(mode="json") | changes)
        kind, name = data.get("new_kind"), (data.get("new_name") or "").strip()
        if kind and not name:
            self.add_error("new_name", _("Give it a name."))
        elif name and not kind:
            self.add_error("new_kind", _("Say what it is."))
        elif kind and len(rows) >= own_world.MAX_PARTS:
            self.add_error("new_kind", _("A process has at most 20 parts."))
        elif kind:
            taken = {row["id"]: row for row in rows}
            part_id = free_id(name, taken, kind)
            rows.append(own_world.ordinary(part_id, Node("n", kind, name)).model_dump(mode="json"))
        return rows
