"""What `sanitize_html` lets through, and what it does not."""

from __future__ import annotations

import pytest

from checkride.lib.html import link_addresses, sanitize_html


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<p onclick='alert(1)'>x</p>",
        "<p style='position:fixed'>x</p>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='data:text/html,x'>x</a>",
        "<iframe src='https://example.org'></iframe>",
        "<form action='/accounts/logout/'><button>x</button></form>",
        "<img src=x onerror=alert(1)>",
        "<svg><script>alert(1)</script></svg>",
        "<svg><use href='https://example.org/x.svg#a'/></svg>",
        "<svg><a href='javascript:alert(1)'><text>x</text></a></svg>",
        "<svg><foreignObject><p>x</p></foreignObject></svg>",
        "<svg><path fill='url(https://example.org/x)' d='M0 0'/></svg>",
        "<svg><animate attributeName='href' values='javascript:alert(1)'/></svg>",
        "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    ],
)
def test_nothing_that_runs_loads_or_restyles_survives(hostile: str) -> None:
    for figures in (False, True):
        clean = sanitize_html(hostile, figures=figures).lower()
        for word in (
            "alert",
            "javascript:",
            "data:",
            "style=",
            "onclick",
            "onerror",
            "<iframe",
            "<form",
            "<img",
            "<script",
            "<use",
            "foreignobject",
            "<animate",
            "url(https",
        ):
            assert word not in clean


def test_prose_keeps_its_markup() -> None:
    html = '<h2 id="a">A</h2><p><strong>b</strong> <code>c</code> <a href="/tracks/">d</a></p>'
    clean = sanitize_html(html)
    assert '<h2 id="a">A</h2>' in clean
    assert "<strong>b</strong> <code>c</code>" in clean
    assert 'href="/tracks/"' in clean


def test_a_figure_keeps_its_drawing_only_where_figures_are_allowed() -> None:
    figure = (
        '<figure><svg viewBox="0 0 9 9" role="img" aria-labelledby="t"><title id="t">T</title>'
        '<path d="M0 0h9" stroke-dasharray="5 4" marker-end="url(#arrow)"></path></svg></figure>'
    )
    kept = sanitize_html(figure, figures=True)
    assert 'viewBox="0 0 9 9"' in kept
    assert 'stroke-dasharray="5 4"' in kept
    assert 'marker-end="url(#arrow)"' in kept
    assert "<svg" not in sanitize_html(figure)


def test_a_bare_address_becomes_a_link_but_not_inside_code() -> None:
    linked = sanitize_html(
        link_addresses("<p>see https://example.org <code>https://x.org</code></p>")
    )
    assert '<a href="https://example.org"' in linked
    assert "<code>https://x.org</code>" in linked


def test_quotes_in_code_are_not_escaped_twice() -> None:
    html = "<pre><code>reply(&quot;yes&quot;) &lt;b&gt;</code></pre><p>&quot;yes&quot; &amp; no</p>"
    linked = sanitize_html(link_addresses(html))
    assert "&amp;quot;" not in linked
    assert "&amp;lt;" not in linked
    assert "&lt;b&gt;" in linked
