"""The entries of the app bar."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Entry:
    """One link of the main navigation; a page marks itself with the context name `nav_section`."""

    section: str
    label: str | Promise
    href: str


PUBLIC = (
    Entry("tracks", _("Tracks"), "/tracks/"),
    Entry("employers", _("For employers"), "/employers/"),
    Entry("instructors", _("For instructors"), "/instructors/"),
    Entry("verify", _("Check a credential"), "/verify/"),
)

LEARNER = (
    Entry("today", _("Today"), "/today/"),
    Entry("tracks", _("Tracks"), "/tracks/"),
    Entry("practice", _("Practice"), "/practice/"),
    Entry("exams", _("Exams"), "/exams/"),
    Entry("record", _("Record"), "/record/"),
)
