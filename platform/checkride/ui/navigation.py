"""The entries of the app bar, by the names of their addresses."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Entry:
    """One link of the main navigation; a page marks itself with the context name `nav_section`."""

    section: str
    label: str | Promise
    view: str


@dataclass(frozen=True)
class Duty(Entry):
    """A link for those only of whom `asks`, an attribute of the user, is true."""

    asks: str


PUBLIC = (
    Entry("tracks", _("Tracks"), "courses:tracks"),
    Entry("employers", _("For employers"), "home:employers"),
    Entry("instructors", _("For instructors"), "home:instructors"),
    Entry("verify", _("Check a credential"), "credentials:verify"),
)

LEARNER = (
    Entry("today", _("Today"), "courses:today"),
    Entry("tracks", _("Tracks"), "courses:tracks"),
    Entry("practice", _("Practice"), "courses:practice"),
    Entry("exams", _("Exams"), "exams:index"),
    Entry("record", _("Record"), "credentials:record"),
)

DUTIES = (
    Duty("examiner", _("Running exams"), "exams:examiner", "is_examiner"),
    Duty("unsure", _("Unsure readings"), "courses:unsure", "is_examiner"),
    Duty("officer", _("Issued credentials"), "credentials:officer", "is_credential_officer"),
    Duty("model", _("Real model"), "courses:model-operator", "is_administrator"),
    Duty("administration", _("Administration"), "admin:index", "is_staff"),
)


def duties(user: object) -> tuple[Duty, ...]:
    """The links that come with the roles this person holds."""
    return tuple(duty for duty in DUTIES if getattr(user, duty.asks, False))
