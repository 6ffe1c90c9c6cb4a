"""The pages of the exam, as a browser without script meets them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from checkride.audit.models import AuditRow
from checkride.jobs import queue
from exams import delivery, item_statistics, preparation, receipt_clock, views
from exams.models import Accommodation, Attempt, ResponseEvent

CANARY = "CANARY-7f3a"


@pytest.fixture
def signed_in(client: Client, learner: Any) -> Client:
    client.force_login(learner)
    return client


@pytest.fixture
def candidate(signed_in: Client, open_attempt: Attempt) -> Client:
    return signed_in


def url(name: str, attempt: Attempt, *more: object) -> str:
    return reverse(f"exams:{name}", args=[attempt.pk, *more])


def item_of(attempt: Attempt, kind: str) -> Any:
    items = attempt.items.select_related("item_version")
    return next(item for item in items if item.item_version.document["kind"] == kind)


def posted(page: str) -> dict[str, str]:
    """The hidden fields of the answer's form, as the browser would send them."""
    form = page[page.index('id="answer"') :]
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    return dict(fields)


# Before the start -------------------------------------------------------------------------------


def test_the_overview_is_public_and_says_what_is_recorded(client: Client, pool: Any) -> None:
    page = client.get(reverse("exams:exam", args=["foundations"])).content.decode()

    assert "What is recorded" in page
    assert "Sign in" in page
    assert "24" in page


def test_preparing_shows_the_start_page_and_does_not_start_the_clock(
    signed_in: Client, pool: Any
) -> None:
    response = signed_in.post(reverse("exams:prepare", args=["foundations"]), follow=True)

    assert "Before you start" in response.content.decode()
    assert Attempt.objects.get().state == "ready"


def test_start_leads_to_the_first_item_and_again_to_where_one_was(
    signed_in: Client, ready_attempt: Attempt
) -> None:
    response = signed_in.post(url("start", ready_attempt))

    assert response.url == url("item", ready_attempt, 1)
    assert signed_in.get(url("attempt", ready_attempt)).url == url("item", ready_attempt, 1)


def test_an_unknown_exam_does_not_exist(signed_in: Client, pool: Any) -> None:
    assert signed_in.get("/exams/nothing/").status_code == 404
    assert signed_in.post("/exams/nothing/prepare/").status_code == 404


def test_a_retake_too_early_is_refused_with_its_date(
    candidate: Client, open_attempt: Attempt, finish: Callable[..., Attempt]
) -> None:
    finish(open_attempt, right=2)

    page = candidate.post(reverse("exams:prepare", args=["foundations"]), follow=True)

    assert "The next attempt opens on" in page.content.decode()
    assert Attempt.objects.count() == 1


# Permission -------------------------------------------------------------------------------------

PAGES = [
    ("get", "attempt"),
    ("post", "start"),
    ("get", "status"),
    ("get", "review"),
    ("post", "hand-in"),
    ("get", "receipt"),
    ("get", "receipt-file"),
    ("get", "result"),
]


@pytest.mark.parametrize(("method", "name"), PAGES, ids=[name for _, name in PAGES])
def test_an_attempt_does_not_exist_for_anybody_else(
    client: Client, other_learner: Any, examiner: Any, open_attempt: Attempt, method: str, name: str
) -> None:
    for person in (other_learner, examiner):
        client.force_login(person)
        assert getattr(client, method)(url(name, open_attempt)).status_code == 404


@pytest.mark.parametrize(("method", "name"), [("get", "item"), ("post", "save"), ("post", "flag")])
def test_an_item_does_not_exist_for_anybody_else(
    client: Client, other_learner: Any, open_attempt: Attempt, method: str, name: str
) -> None:
    client.force_login(other_learner)

    assert getattr(client, method)(url(name, open_attempt, 1)).status_code == 404


def test_a_stranger_is_sent_to_the_sign_in_and_a_script_is_told_401(
    client: Client, open_attempt: Attempt
) -> None:
    assert client.get(url("item", open_attempt, 1)).status_code == 302
    response = client.post(url("save", open_attempt, 1), "{}", content_type="application/json")
    assert response.status_code == 401
    assert "kept on this computer" in response.json()["message"]


def test_an_item_beyond_the_form_does_not_exist(candidate: Client, open_attempt: Attempt) -> None:
    assert candidate.get(url("item", open_attempt, 25)).status_code == 404


def test_nothing_of_an_attempt_is_stored_by_a_browser(
    candidate: Client, open_attempt: Attempt
) -> None:
    for name, more in [("item", [1]), ("review", []), ("status", [])]:
        headers = candidate.get(url(name, open_attempt, *more)).headers
        assert headers["Cache-Control"] == "no-store"


# Keys -------------------------------------------------------------------------------------------


def test_no_page_of_an_exam_holds_what_only_the_authors_may_read(
    candidate: Client, open_attempt: Attempt, finish: Callable[..., Attempt]
) -> None:
    pages = [candidate.get(url("item", open_attempt, n)).content for n in range(1, 25)]
    pages += [candidate.get(url(name, open_attempt)).content for name in ("review", "sheets")]
    saved = candidate.post(
        url("save", open_attempt, 1),
        json.dumps({"client_id": "a", "client_seq": 1, "base_rev": 0, "payload": {}}),
        content_type="application/json",
    )
    pages.append(saved.content)
    finish(open_attempt, right=0)
    pages += [
        candidate.get(url(name, open_attempt)).content
        for name in ("receipt", "receipt-file", "result", "status")
    ]

    text = b"".join(pages).decode()
    assert CANARY not in text
    # The key of the numeric items, which no other text holds.
    assert "739182465" not in text


def test_the_ids_that_authors_gave_to_choices_are_on_no_page(
    candidate: Client, open_attempt: Attempt
) -> None:
    ordering, matching = item_of(open_attempt, "ordering"), item_of(open_attempt, "matching")
    pages = [
        candidate.get(url("item", open_attempt, item.position)).content.decode()
        for item in (ordering, matching)
    ]

    values = {*re.findall(r'value="(\w*)"', pages[0]), *re.findall(r'value="(\w*)"', pages[1])}
    assert not values & {"write", "test", "widen", "who", "when", "history", "trace", "board"}
    assert "place-write" not in pages[0]


def test_the_options_of_an_item_look_alike(candidate: Client, open_attempt: Attempt) -> None:
    page = candidate.get(
        url("item", open_attempt, item_of(open_attempt, "single").position)
    ).content.decode()
    options = re.findall(r'<label class="opt">.*?</label>', page, flags=re.DOTALL)

    shapes = {re.sub(r'value="\w"|Plan \w|opt__key">\w', "", option) for option in options}
    assert len(options) == 4
    assert len(shapes) == 1


# Answering without script -----------------------------------------------------------------------

FORMS = [
    ("single", {"choice": "b"}, {"choice": "b"}),
    ("multiple", {"choices": ["a", "b"]}, {"choices": ["a", "b"]}),
    ("numeric", {"number": " 12,5 "}, {"number": "12,5"}),
    (
        "ordering",
        {"place-a": "2", "place-b": "1", "place-c": ""},
        {"positions": {"a": 2, "b": 1}},
    ),
    ("matching", {"pair-1": "b", "pair-2": ""}, {"pairs": {"1": "b"}}),
    ("hotspot", {"lines": "3"}, {"lines": [3]}),
]


@pytest.mark.parametrize(("kind", "fields", "kept"), FORMS, ids=[row[0] for row in FORMS])
def test_every_kind_of_item_can_be_answered_with_a_plain_form(
    candidate: Client,
    open_attempt: Attempt,
    kind: str,
    fields: dict[str, Any],
    kept: dict[str, Any],
) -> None:
    item = item_of(open_attempt, kind)
    address = url("item", open_attempt, item.position)
    hidden = posted(candidate.get(address).content.decode())

    response = candidate.post(address, {**hidden, **fields, "go": "stay"})

    assert response.url == address
    event = ResponseEvent.objects.get()
    assert (event.verdict, event.payload) == ("accepted", kept)
    page = candidate.get(address).content.decode()
    assert "This answer is revision 1" in page
    assert event.receipt in page


def test_next_saves_and_goes_on(candidate: Client, open_attempt: Attempt) -> None:
    item = item_of(open_attempt, "single")
    address = url("item", open_attempt, item.position)
    hidden = posted(candidate.get(address).content.decode())

    response = candidate.post(address, {**hidden, "choice": "a", "go": "7"})

    assert response.url == url("item", open_attempt, 7)
    assert ResponseEvent.objects.count() == 1


def test_posting_a_form_twice_stores_it_once(candidate: Client, open_attempt: Attempt) -> None:
    item = item_of(open_attempt, "single")
    address = url("item", open_attempt, item.position)
    hidden = posted(candidate.get(address).content.decode())

    for _ in range(2):
        candidate.post(address, {**hidden, "choice": "a", "go": "stay"})

    assert ResponseEvent.objects.count() == 1


def test_two_tabs_show_both_answers_and_the_candidate_chooses(
    candidate: Client, open_attempt: Attempt
) -> None:
    item = item_of(open_attempt, "single")
    address = url("item", open_attempt, item.position)
    one = posted(candidate.get(address).content.decode())
    two = posted(candidate.get(address).content.decode())
    candidate.post(address, {**one, "choice": "a", "go": "stay"})
    candidate.post(address, {**two, "choice": "b", "go": "stay"})

    page = candidate.get(address).content.decode()
    assert "Two different answers reached us" in page
    item.refresh_from_db()
    assert item.response.payload == {"choice": "a"}

    candidate.post(address, {**posted(page), "choice": "a", "go": "use-kept"})

    assert type(item).objects.get(pk=item.pk).response.payload == {"choice": "b"}
    assert "Two different answers" not in candidate.get(address).content.decode()


def test_clear_takes_the_answer_away_and_keeps_the_record(
    candidate: Client, open_attempt: Attempt
) -> None:
    item = item_of(open_attempt, "single")
    address = url("item", open_attempt, item.position)
    for go in ("stay", "clear"):
        hidden = posted(candidate.get(address).content.decode())
        candidate.post(address, {**hidden, "choice": "a", "go": go})

    item.refresh_from_db()
    assert item.response.payload == {}
    assert ResponseEvent.objects.count() == 2


def test_the_list_says_answered_begun_flagged_and_not_looked_at(
    candidate: Client, open_attempt: Attempt, save: Callable[..., Any]
) -> None:
    answered, begun = item_of(open_attempt, "single"), item_of(open_attempt, "ordering")
    save(open_attempt, answered.position, {"choice": "a"})
    save(open_attempt, begun.position, {"positions": {"a": 1}})
    candidate.post(url("flag", open_attempt, begun.position), {"flagged": "true"})

    page = candidate.get(url("review", open_attempt)).content.decode()

    assert page.count(", answered</span>") == 1
    assert ", begun, not complete, flagged</span>" in page
    assert page.count(", not looked at yet</span>") == 22


# Saving by script -------------------------------------------------------------------------------


def send(client: Client, attempt: Attempt, position: int, **changes: Any) -> Any:
    body = {"client_id": "tab", "client_seq": 1, "base_rev": 0, "payload": {}, **changes}
    return client.post(url("save", attempt, position), json.dumps(body), "application/json")


def test_a_save_by_script_is_acknowledged_with_hash_and_time_left(
    candidate: Client, open_attempt: Attempt
) -> None:
    position = item_of(open_attempt, "single").position

    reply = send(candidate, open_attempt, position, payload={"choice": "a"})

    assert reply.status_code == 200
    data = reply.json()
    assert (data["code"], data["rev"], len(data["payload_sha256"])) == ("accepted", 1, 64)
    assert 1_700_000 < data["remaining_ms"] <= 1_801_000


def test_a_conflict_answers_409_with_both_values(candidate: Client, open_attempt: Attempt) -> None:
    position = item_of(open_attempt, "single").position
    send(candidate, open_attempt, position, payload={"choice": "a"})

    reply = send(candidate, open_attempt, position, client_id="two", payload={"choice": "b"})

    assert reply.status_code == 409
    assert (reply.json()["yours"], reply.json()["current"]) == ({"choice": "b"}, {"choice": "a"})


def test_a_save_after_the_hand_in_answers_410_and_says_it_is_kept(
    candidate: Client, open_attempt: Attempt
) -> None:
    delivery.hand_in(open_attempt.pk, arrival=delivery.Arrival(lambda: 0.0))

    reply = send(candidate, open_attempt, 1)

    assert reply.status_code == 410
    assert "It is kept and shown on your receipt" in reply.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{",
        "[" * 9000,
        '{"client_id": "t"}',
        '{"client_id": "t", "client_seq": true, "base_rev": 0, "payload": {}}',
        '{"client_id": "t", "client_seq": 1e99, "base_rev": 0, "payload": {}}',
        '{"client_id": "t", "client_seq": 3000000000, "base_rev": 0, "payload": {}}',
        '{"client_id": "t\\u0000", "client_seq": 1, "base_rev": 0, "payload": {}}',
        '{"client_id": "t", "client_seq": 1, "base_rev": 0, "payload": {"choice": "\\u0000"}}',
        '{"client_id": "t", "client_seq": 1, "base_rev": 0, "payload": "' + "x" * 20000 + '"}',
    ],
    ids=lambda body: f"{body[:75]} of {len(body)}",
)
def test_a_broken_save_is_refused_in_words_and_stores_nothing(
    candidate: Client, open_attempt: Attempt, body: str
) -> None:
    reply = candidate.post(url("save", open_attempt, 1), body, "application/json")

    assert reply.status_code == 422
    assert reply.json()["code"] == "bad-response"
    assert not ResponseEvent.objects.exists()


# Closing ----------------------------------------------------------------------------------------


def test_handing_in_needs_the_ticked_box(candidate: Client, open_attempt: Attempt) -> None:
    candidate.post(url("hand-in", open_attempt))
    open_attempt.refresh_from_db()
    assert open_attempt.state == "in_progress"

    response = candidate.post(url("hand-in", open_attempt), {"confirm": "yes"})
    assert response.url == url("receipt", open_attempt)
    open_attempt.refresh_from_db()
    assert (open_attempt.state, open_attempt.closed_by) == ("submitted", "candidate")


def test_an_overdue_attempt_closes_when_its_page_is_opened(
    candidate: Client, open_attempt: Attempt, deadline_was: Callable[..., None]
) -> None:
    deadline_was(open_attempt, 16)

    assert candidate.get(url("item", open_attempt, 1)).url == url("receipt", open_attempt)
    page = candidate.get(url("receipt", open_attempt)).content.decode()
    assert "The time is over. What was saved is handed in." in page


def test_the_receipt_lists_every_answer_and_also_those_that_do_not_count(
    candidate: Client, open_attempt: Attempt, save: Callable[..., Any]
) -> None:
    item = item_of(open_attempt, "single")
    save(open_attempt, item.position, {"choice": "a"})
    save(open_attempt, item.position, {"choice": "b"}, client="two")
    candidate.post(url("hand-in", open_attempt), {"confirm": "yes"})

    page = candidate.get(url("receipt", open_attempt)).content.decode()
    text = candidate.get(url("receipt-file", open_attempt))

    assert "another tab had saved before" in page
    assert text.headers["Content-Disposition"].startswith('attachment; filename="receipt-')
    for event in ResponseEvent.objects.all():
        assert event.payload_sha256 in text.content.decode()
    # The text of the item stays secret.
    assert "needs a decision" not in page + text.content.decode()


def test_a_failed_result_names_gaps_courses_and_the_date_of_the_next_attempt(
    candidate: Client, open_attempt: Attempt, finish: Callable[..., Attempt]
) -> None:
    finish(open_attempt, right=6)

    page = candidate.get(url("result", open_attempt)).content.decode()

    assert "Not passed this time." in page
    assert "6 of 24 right; 17 were needed." in page
    assert "You may sit another form from" in page
    assert page.count('role="img"') == 10


def test_a_passed_result_leads_to_the_credential(
    candidate: Client, open_attempt: Attempt, finish: Callable[..., Attempt]
) -> None:
    finish(open_attempt, right=24)

    page = candidate.get(url("result", open_attempt)).content.decode()

    assert "You passed Agent Foundations." in page
    assert 'href="/record/"' in page


# Examiners --------------------------------------------------------------------------------------


def test_the_examiners_page_does_not_exist_for_a_learner(signed_in: Client, pool: Any) -> None:
    assert signed_in.get(reverse("exams:examiner")).status_code == 404
    assert signed_in.get(reverse("exams:items", args=["foundations"])).status_code == 404


def test_an_examiner_adds_time_with_a_reason(
    client: Client, examiner: Any, open_attempt: Attempt
) -> None:
    client.force_login(examiner)
    page = client.get(reverse("exams:examiner")).content.decode()
    assert "Lena Learner" in page

    client.post(url("extend", open_attempt), {"minutes": "10", "reason": "Fire alarm"})

    before = open_attempt.deadline_at
    open_attempt.refresh_from_db()
    assert before is not None
    assert open_attempt.deadline_at is not None
    assert (open_attempt.deadline_at - before).total_seconds() == 600
    assert AuditRow.objects.filter(action="attempt.extended").count() == 1


def test_an_examiner_grants_more_time_before_the_start(
    client: Client, examiner: Any, ready_attempt: Attempt, learner: Any
) -> None:
    client.force_login(examiner)

    wrong = client.post(
        reverse("exams:accommodate"), {"email": "no@example.org", "time_percent": "150"}
    )
    assert wrong.status_code == 422
    client.post(reverse("exams:accommodate"), {"email": learner.email, "time_percent": "150"})

    ready_attempt.refresh_from_db()
    assert ready_attempt.time_allowed_s == 2700
    assert Accommodation.objects.get().granted_by == examiner


def test_the_examiner_sees_figures_of_items_and_no_text_of_them(
    client: Client,
    examiner: Any,
    open_attempt: Attempt,
    finish: Callable[..., Attempt],
) -> None:
    finish(open_attempt, right=10)
    client.force_login(examiner)

    page = client.get(reverse("exams:items", args=["foundations"])).content.decode()

    assert "0 of 56 items need a look" in page
    assert page.count("too few answers") == 56
    assert "needs a decision" not in page
    assert CANARY not in page
    rows = item_statistics.item_rows("foundations")
    assert sum(row.statistics.attempts for row in rows) == 24
    assert sum(row.statistics.right for row in rows) == 10
    assert {row.exposure_percent for row in rows} == {0, 100}


# The moment of arrival --------------------------------------------------------------------------


def test_the_middleware_is_the_first_of_all(settings: Any) -> None:
    assert settings.MIDDLEWARE[0] == "exams.receipt_clock.ReceiptClockMiddleware"


def test_no_module_of_the_exams_asks_this_machine_for_the_time() -> None:
    asks = re.compile(r"\bnow\(\)|\btime\.time\(|\btoday\(\)")
    sources = Path(views.__file__).parent.rglob("*.py")

    assert [path.name for path in sources if asks.search(path.read_text("utf-8"))] == []


def test_time_spent_on_a_request_is_taken_off_its_moment_of_receipt(
    candidate: Client,
    open_attempt: Attempt,
    deadline_was: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deadline_was(open_attempt, 60)
    # As if the machine had needed 53 seconds since the request was complete.
    monkeypatch.setattr(
        views,
        "seconds_since_arrival",
        lambda request: receipt_clock.seconds_since_arrival(request) + 53,
    )
    position = item_of(open_attempt, "single").position

    reply = send(candidate, open_attempt, position, payload={"choice": "a"})

    assert reply.json()["code"] == "accepted"
    queue.run_pending()


def test_an_open_attempt_is_found_again_from_the_overview(
    candidate: Client, open_attempt: Attempt, learner: Any
) -> None:
    page = candidate.get(reverse("exams:exam", args=["foundations"])).content.decode()

    assert "Your attempt is running" in page
    assert preparation.prepare(learner, "foundations").pk == open_attempt.pk


# What a page costs ------------------------------------------------------------------------------


class Statements:
    """The statements that reach the database, without BEGIN, COMMIT and savepoints."""

    def __enter__(self) -> Statements:
        self._captured = CaptureQueriesContext(connection)
        self._captured.__enter__()
        return self

    def __exit__(self, *problem: Any) -> None:
        self._captured.__exit__(*problem)
        begins_work = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
        self.sent = [
            query["sql"]
            for query in self._captured.captured_queries
            if query["sql"].lstrip().startswith(begins_work)
        ]


def test_a_save_takes_at_most_six_statements(candidate: Client, open_attempt: Attempt) -> None:
    position = item_of(open_attempt, "single").position
    # A session is entered in the list of the person's sessions on its first request.
    candidate.get(url("status", open_attempt))

    with Statements() as first:
        send(candidate, open_attempt, position, payload={"choice": "a"})
    with Statements() as second:
        saved = send(
            candidate, open_attempt, position, client_seq=2, base_rev=1, payload={"choice": "b"}
        )

    assert saved.json()["code"] == "accepted"
    assert len(first.sent) <= 6, "\n".join(first.sent)
    assert len(second.sent) <= 6, "\n".join(second.sent)


def test_an_item_page_takes_at_most_eight_statements_whatever_the_form_holds(
    candidate: Client,
    open_attempt: Attempt,
    save: Callable[..., Any],
    right_answer: Callable[[Any], dict[str, Any]],
) -> None:
    for place in open_attempt.items.select_related("item_version"):
        save(open_attempt, place.position, right_answer(place), client="one")
    # The dearest case: not seen before, answered, and another answer kept beside it.
    address = url("item", open_attempt, 2)
    save(open_attempt, 2, {}, client="two", base_rev=0)
    candidate.get(url("status", open_attempt))

    with Statements() as long:
        assert "Two different answers" in candidate.get(address).content.decode()
    with Statements() as again:
        candidate.get(address)

    # None of them is asked once an item, or a form of 24 would need more than 24.
    assert len(long.sent) <= 8, "\n".join(long.sent)
    # The second look does not note that the item was seen.
    assert len(again.sent) == len(long.sent) - 1
