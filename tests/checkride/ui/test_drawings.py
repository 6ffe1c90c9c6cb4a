"""Numbers become drawings; drawings are SVG attributes, never styles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.template import Context, Engine, TemplateSyntaxError
from django.template.engine import Engine as EngineType

from checkride.ui import drawings
from checkride.ui.icons import icon_names
from checkride.ui.templatetags import ui


def drawn(source: str, **context: object) -> str:
    engine: EngineType = Engine.get_default()
    return engine.from_string("{% load ui %}" + source).render(Context(context))


def test_the_ends_of_the_scale_are_0_and_100_percent() -> None:
    scale = drawings.scale(value=0, low=0, high=100, cut=100)

    assert scale.point == "6.0"
    assert scale.cut == "294.0"
    assert scale.span == drawings.Span("6.0", "288.0")


def test_a_value_outside_the_scale_stays_at_its_end() -> None:
    assert drawings.scale(value=140, low=None, high=None, cut=-3).point == "294.0"
    assert drawings.scale(value=140, low=None, high=None, cut=-3).cut == "6.0"


def test_a_range_given_the_wrong_way_round_is_the_same_range() -> None:
    one = drawings.scale(value=50, low=80, high=20, cut=None)
    other = drawings.scale(value=50, low=20, high=80, cut=None)

    assert one == other


def test_a_scale_without_a_reading_draws_no_point() -> None:
    assert "sc-point" not in drawn('{% scale label="Nothing yet" cut=70 %}')
    assert "sc-cut" in drawn('{% scale label="Nothing yet" cut=70 %}')


def test_the_label_of_a_scale_cannot_break_out_of_its_attribute() -> None:
    svg = drawn("{% scale label=label value=50 %}", label='" onload="alert(1)')

    assert 'onload="' not in svg


def test_the_seal_has_sixty_marks_and_twelve_long_ones() -> None:
    marks = drawings.seal_marks()

    assert (marks.short.count("M"), marks.long.count("M")) == (48, 12)
    assert marks.long.startswith("M60.0 13.5L60.0 6.0M")


def test_the_scale_has_eleven_ticks_and_three_long_ones() -> None:
    ticks = drawings.scale(value=None, low=None, high=None, cut=None).ticks

    assert (ticks.count("V17"), ticks.count(" 6V17")) == (11, 3)
    assert ticks.startswith("M6.0 6V17M34.8 9V17")


def test_a_bar_of_nothing_is_empty_and_one_of_too_much_is_full() -> None:
    assert 'width="0.0"' in drawn("{% bar 3 0 %}")
    assert 'class="sc-fill" width="160.0"' in drawn("{% bar 13 12 %}")


def test_an_icon_that_the_sheet_lacks_is_refused() -> None:
    assert "check" in icon_names()
    with pytest.raises(TemplateSyntaxError, match="no icon 'sparkles'"):
        drawn('{% icon "sparkles" %}')


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (1800, "30 min"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
    ],
)
def test_a_duration_is_told_in_the_unit_one_would_use(seconds: float, words: str) -> None:
    assert ui.duration(seconds) == words


def test_money_and_shares_are_told_with_their_units() -> None:
    assert ui.money(1240.5) == "$1,240.50"
    assert ui.money(-84, 0) == "−$84"
    assert ui.percent(0.705) == "70\u00a0%"
    assert ui.percent(None) == "–"


def test_a_moment_is_shown_in_utc_whatever_zone_it_came_in() -> None:
    at = datetime(2026, 11, 8, 10, 12, tzinfo=timezone(timedelta(hours=1)))

    assert "8 Nov 2026, 09:12 UTC" in str(ui.moment(at))
    assert 'datetime="2026-11-08T09:12:00+00:00"' in str(ui.moment(at))


def test_a_day_follows_utc_at_midnight() -> None:
    just_before = datetime(2026, 11, 9, 0, 30, tzinfo=timezone(timedelta(hours=1)))

    assert "8 November 2026" in str(ui.day(just_before))
    assert "9 November 2026" in str(ui.day(datetime(2026, 11, 9, tzinfo=UTC)))


def test_small_counts_are_written_in_letters() -> None:
    assert (ui.in_words(8), ui.in_words(12), ui.in_words(13)) == ("Eight", "Twelve", "13")
