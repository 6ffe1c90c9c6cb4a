"""Template tags of the design system. They draw; they query nothing."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BaseForm, BoundField
from django.template.context import Context
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from checkride.ui import drawings, navigation
from checkride.ui.built import asset_url, built_url
from checkride.ui.icons import icon_names

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the sheet; a word must stand beside it.

    Raises `TemplateSyntaxError` for a name that the sheet does not have.
    """
    if name not in icon_names():
        raise template.TemplateSyntaxError(
            f"There is no icon {name!r}. Take one of: {', '.join(sorted(icon_names()))}."
        )
    return format_html('<svg class="icon" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.simple_tag
def built(name: str) -> str:
    """The address of a file made by the front-end build; empty where it was not built."""
    return built_url(name)


@register.simple_tag
def asset(name: str) -> str:
    """The address of a static file of the page frame, which error pages need as well."""
    return asset_url(name)


@register.inclusion_tag("ui/_navigation.html", takes_context=True)
def main_navigation(context: Context) -> dict[str, Any]:
    """The links of the app bar: a learner's own pages after sign-in, else the public ones."""
    user = context.get("user")
    return {
        "entries": navigation.LEARNER if _is_signed_in(user) else navigation.PUBLIC,
        "current": context.get("nav_section", ""),
    }


@register.inclusion_tag("ui/_duties.html", takes_context=True)
def duties(context: Context) -> dict[str, Any]:
    """A line of links for those who hold a role beyond learning; nothing for the others."""
    user = context.get("user")
    return {
        "entries": navigation.duties(user) if _is_signed_in(user) else (),
        "current": context.get("nav_section", ""),
    }


@register.inclusion_tag("ui/_scale.svg")
def scale(
    *,
    label: str,
    value: float | None = None,
    low: float | None = None,
    high: float | None = None,
    cut: float | None = None,
) -> dict[str, Any]:
    """An instrument scale in percent. `label` is read out instead of the drawing.

    Write the numbers into the label: "Risk and security: 86 percent, plausibly 55 to 97".
    """
    return {
        "label": label,
        "scale": drawings.scale(value=value, low=low, high=high, cut=cut),
    }


@register.inclusion_tag("ui/_bar.svg")
def bar(value: float, of: float) -> dict[str, Any]:
    """A progress bar of real numbers; the same numbers must stand beside it in words."""
    share = 0.0 if of <= 0 else min(1.0, max(0.0, value / of))
    return {"filled": f"{share * 160:.1f}"}


@register.inclusion_tag("ui/_seal.svg")
def seal(*, small: bool = False) -> dict[str, Any]:
    """The Checkride seal."""
    return {"marks": drawings.seal_marks(), "small": small}


@register.inclusion_tag("ui/forms/field.html")
def field(
    bound: BoundField, *, label: str = "", hint: str | bool = "", **attributes: str | bool
) -> dict[str, Any]:
    """One form field with label, hint and error; `label` and `hint` replace the form's own.

    False takes the hint away.

    Further arguments become attributes of the control, underscores as hyphens, and False takes
    one away: `{% field form.code class="input--code" placeholder=False %}`.
    """
    if label:
        bound.label = label
    if hint is False:
        bound.help_text = ""
    elif isinstance(hint, str) and hint:
        bound.help_text = hint
    return {"field": bound, "control": _control(bound, attributes)}


@register.inclusion_tag("ui/forms/error_summary.html")
def error_summary(form: BaseForm, **labels: str) -> dict[str, Any]:
    """What is wrong with a form, above it, each error linked to its field.

    `labels` renames fields for the whole page, which shows a field below as it is called here.
    """
    for name, label in labels.items():
        form[name].label = label
    bound = [form[name] for name in form.errors if name in form.fields]
    return {
        "form": form,
        "linked": [one for one in bound if not one.is_hidden],
        "unlinked": [
            *form.non_field_errors(),
            *(error for one in bound if one.is_hidden for error in one.errors),
        ],
    }


@register.inclusion_tag("ui/_pagination.html", takes_context=True)
def pagination(context: Context, page: Page[Any], name: str = "page") -> dict[str, Any]:
    """Links to the neighbouring pages and the first and last ones; nothing for a single page."""
    request = context.get("request")
    query = request.GET.copy() if request is not None else None

    def address(number: int) -> str:
        if query is None:
            return f"?{name}={number}"
        query[name] = str(number)
        return f"?{query.urlencode()}"

    return {
        "page": page,
        "previous": address(page.previous_page_number()) if page.has_previous() else "",
        "next": address(page.next_page_number()) if page.has_next() else "",
    }


@register.filter
def percent(value: float | Decimal | None, digits: int = 0) -> str:
    """A share (0 to 1) as "70 %"; a missing one as a dash."""
    return "–" if value is None else f"{value * 100:.{digits}f}\u00a0%"


@register.filter
def money(value: float | Decimal | None, digits: int = 2) -> str:
    """An amount in dollars with thousands set off: "$1,240.50"; a missing one as a dash."""
    if value is None:
        return "–"
    sign = "−" if value < 0 else ""
    return f"{sign}${abs(value):,.{digits}f}"


@register.filter
def day(at: date | datetime | None) -> SafeString | str:
    """A day in words inside `<time>`: "8 November 2026"."""
    if at is None:
        return "–"
    if isinstance(at, datetime):
        at = at.astimezone(UTC).date()
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), date_format(at, "j F Y"))


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """A point in time inside `<time>`, always in UTC and saying so: "8 Nov 2026, 09:12 UTC"."""
    if at is None:
        return "–"
    at = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}">{}</time>',
        at.isoformat(timespec="seconds"),
        date_format(at, "j M Y, H:i") + " UTC",
    )


@register.filter
def clock_time(at: datetime | None) -> SafeString | str:
    """The time of day to the second, UTC: "10:42:07", as the save state shows it."""
    if at is None:
        return "–"
    at = at.astimezone(UTC)
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), f"{at:%H:%M:%S}")


@register.filter
def duration(seconds: float | None) -> str:
    """A span in words, whole minutes from one minute on: "45 s", "20 min", "1 h 30 min"."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return _("%(n)s s") % {"n": whole}
    hours, minutes = divmod(whole // 60, 60)
    if not hours:
        return _("%(n)s min") % {"n": minutes}
    if not minutes:
        return _("%(n)s h") % {"n": hours}
    return _("%(h)s h %(m)s min") % {"h": hours, "m": minutes}


@register.filter
def in_words(count: int) -> str:
    """A small count in letters, as a heading wants it: 8 becomes "Eight"; from 13 on in figures."""
    words = (
        _("None"),
        _("One"),
        _("Two"),
        _("Three"),
        _("Four"),
        _("Five"),
        _("Six"),
        _("Seven"),
        _("Eight"),
        _("Nine"),
        _("Ten"),
        _("Eleven"),
        _("Twelve"),
    )
    return words[count] if 0 <= count < len(words) else str(count)


@register.filter
def listed(values: Iterable[object]) -> str:
    """Values as a sentence lists them: "3, 8 and 12"."""
    return str(get_text_list([str(value) for value in values], _("and")))


def _is_signed_in(user: Any) -> bool:
    return bool(user is not None and user.is_authenticated)


def _control(bound: BoundField, attributes: dict[str, str | bool]) -> SafeString:
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    return bound.as_widget(attrs=given) if given else bound.as_widget()
