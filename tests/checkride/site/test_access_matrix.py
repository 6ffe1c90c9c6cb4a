"""Who gets what answer at every address: the site walked by seven people, beside a reviewed table.

`access_matrix.txt` holds the reviewed answers. These tests compare, and they check the table itself
against the rules that no review may bend: what belongs to somebody else does not exist.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from checkride.accounts.models import DevelopmentMail
from checkride.accounts.roles import Role
from checkride.lib import clock
from courses import practice, studio, study
from courses.models import ContentVersion, Draft, Note, ReplacedDraft, ReviewCard
from credentials import apikeys, identity, two_people, watching
from exams import delivery, rehearsal

from ...courses.site.conftest import content, curriculum_folder, loaded, strong
from ...credentials.conftest import issued, key_folder, released_pass, running_signer
from ...exams.conftest import finish, pool, read_pool, ready_attempt, right_answer, save

__all__ = [  # pytest finds them by name
    "content",
    "curriculum_folder",
    "finish",
    "issued",
    "key_folder",
    "loaded",
    "pool",
    "read_pool",
    "ready_attempt",
    "released_pass",
    "right_answer",
    "running_signer",
    "save",
]

pytestmark = pytest.mark.django_db

TABLE = Path(__file__).with_name("access_matrix.txt")
ROLES = ("anonymous", "owner", "other", "instructor", "examiner", "officer", "admin")
# What is kept apart: third-party pages, walked as groups by tests of their own.
GROUPS = ("admin:", "allauth:")
ACCOUNT_PAGES = (
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/sessions/",
    "/accounts/2fa/totp/",
    "/accounts/2fa/recovery-codes/",
)
PRIVATE = {"ready", "running", "released", "rehearsal", "submission", "holding", "process"}
NOBODYS = {"404", "405", "sign-in", "401"}

MAP_ROUTES = (
    "courses:map-bpmn",
    "courses:map-edit",
    "courses:map-commands",
    "courses:import",
    "courses:put-back",
)


@dataclass(frozen=True)
class Row:
    """One line of the table: the answer to each person, in the order of `ROLES`."""

    route: str
    method: str
    thing: str
    answers: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.route:33}{self.method:6}{self.thing:12}" + "".join(
            f"{word:11}" for word in self.answers
        )


def table() -> list[Row]:
    rows = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        route, method, thing, *answers = line.split()
        assert len(answers) == len(ROLES), f"“{line}” needs an answer for each of {ROLES}"
        rows.append(Row(route, method, thing, tuple(answers)))
    return rows


def routes() -> dict[str, list[str]]:
    """Every address of the root urlconf by name, with the names of its parameters."""

    def walk(resolver: URLResolver, names: str) -> Iterator[tuple[str, list[str]]]:
        for entry in resolver.url_patterns:
            if isinstance(entry, URLResolver):
                yield from walk(entry, f"{names}{entry.namespace}:" if entry.namespace else names)
                continue
            assert isinstance(entry, URLPattern)
            theirs = entry.callback.__module__.startswith("allauth.")
            name = entry.name or str(entry.pattern)
            yield f"{'allauth:' if theirs else names}{name}", list(entry.pattern.converters)

    return dict(walk(get_resolver(), ""))


def own_routes() -> list[str]:
    return [route for route in routes() if not route.startswith(GROUPS)]


# The walk -----------------------------------------------------------------------------------------


@pytest.fixture
def people(
    learner: Any, other_learner: Any, instructor: Any, examiner: Any, officer: Any, admin: Any
) -> dict[str, str]:
    """The session of each role. All who have an account gave their password a moment ago."""
    users = (learner, other_learner, instructor, examiner, officer, admin)
    sessions = {"anonymous": ""}
    for role, user in zip(ROLES[1:], users, strict=True):
        client = Client()
        client.force_login(user)
        answer = client.post("/accounts/reauthenticate/", {"password": "a long passphrase"})
        assert answer.status_code == 302
        sessions[role] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return sessions


def answer_to(session: str, method: str, address: str, data: Any = None) -> str:
    """The class of the answer in one word. Nothing that the request changed is kept."""
    client = Client(raise_request_exception=False, headers={"accept": "text/html"})
    if session:
        client.cookies[settings.SESSION_COOKIE_NAME] = session
    cache.clear()
    with transaction.atomic():
        if isinstance(data, str):
            response = client.generic(method, address, data, content_type="application/json")
        elif method == "POST":
            response = client.post(address, data or {})
        else:
            response = client.generic(method, address)
        transaction.set_rollback(True)
    if response.status_code not in {301, 302, 303}:
        return str(response.status_code)
    match urlsplit(response["Location"]).path:
        case "/accounts/login/" | "/admin/login/":
            return "sign-in"
        case "/accounts/reauthenticate/":
            return "again"
        case _:
            return "moves"


@dataclass(frozen=True)
class World:
    """The real objects the addresses name, made by the functions that make them on the site."""

    kwargs: Mapping[str, Any]
    posts: Mapping[str, Any]


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Callable[[str], World]:
    """Make the objects of one kind of row."""

    def attempt(thing: str) -> World:
        row = request.getfixturevalue("ready_attempt")
        if thing != "ready":
            row = delivery.start(row)
        if thing == "released":
            row = request.getfixturevalue("finish")(row, right=24)
            assert row.state == "released"
        sent = {"client_id": "tab-matrix", "client_seq": 1, "base_rev": 0, "payload": {}}
        return World(
            {"attempt_id": row.pk, "position": 1},
            {
                "exams:item": {**sent, "go": "clear"},
                "exams:save": json.dumps(sent),
                "exams:hand-in": {"confirm": "yes"},
                "exams:extend": {"minutes": "5", "reason": "fire alarm"},
                "exams:flag": {"flagged": "true"},
            },
        )

    def rehearsing() -> World:
        row = rehearsal.begin(request.getfixturevalue("learner"))
        sent = {"client_id": "tab-matrix", "client_seq": 1, "base_rev": 0, "payload": {}}
        return World(
            {"rehearsal_id": row.pk},
            {
                "exams:rehearsal-save": json.dumps(sent),
                "exams:rehearsal-prove": {"step": "read-out"},
            },
        )

    def submission() -> World:
        request.getfixturevalue("loaded")
        user = request.getfixturevalue("learner")
        found = study.exercise_for(user, "refund-triage")
        assert found is not None
        done = practice.run(user, *found, text=strong("refund-triage"), at=clock.now())
        # The number of a run and of a replaced text: one for the addresses of both.
        ReplacedDraft.objects.create(
            pk=done.submission.number, user=user, exercise="refunds", text="{}", at=clock.now()
        )
        note = Note.objects.create(user=user, lesson="f-one", text="Hers")
        card = ReviewCard.objects.create(
            user=user,
            lesson="f-one",
            check_number=1,
            version=ContentVersion.objects.get(slug="f-one"),
            due_on=clock.now().date(),
        )
        return World(
            {
                "exercise_id": "refund-triage",
                "number": done.submission.number,
                "note_id": note.pk,
                "card_id": card.pk,
            },
            {"courses:note": {"text": "Changed"}, "courses:answer-review": {"option": "1"}},
        )

    def process() -> World:
        found, _said = studio.begin(
            request.getfixturevalue("learner"), title="Mine", template="payments", file=None
        )
        studio.share(found, shared=True)
        typed = {"text": "checkride: map/1"}
        return World(
            {"process_id": found.pk, "number": 1, "form": "json", "key": found.share_key},
            {
                "courses:process": {"do": "keep"},
                "courses:process-draft": typed,
                "courses:process-read": typed,
            },
        )

    def credential() -> World:
        row = request.getfixturevalue("issued")
        typed = {"confirmation": row.grouped_code}
        key, _text = apikeys.make(row.user, label="matrix", at=clock.now())
        watch, _new = watching.begin(row.user, row, at=clock.now())
        asked = two_people.propose_key_change(
            two_people.Deed.ROTATE,
            key_name="",
            note="the yearly change",
            by=request.getfixturevalue("make_person")("oskar_officer", Role.CREDENTIAL_OFFICER),
            at=clock.now(),
        )
        return World(
            {
                "number": row.pk,
                "row": asked.pk,
                "key_id": key.pk,
                "watch_id": watch.pk,
                "code": row.code,
                "form": "json",
                "slug": row.achievement.slug,
                "version": row.achievement.version,
                "path": "entries/000.p/4",
                "kid": identity.published().jwks["keys"][0]["kid"],
            },
            {
                "credentials:record-name": {"shown": "yes"},
                "credentials:officer-revoke": {**typed, "reason": "irregularity", "note": "x"},
                "credentials:officer-reinstate": {**typed, "because": "x"},
                "credentials:officer-proposal": {"answer": "decline"},
            },
        )

    def public() -> World:
        request.getfixturevalue("loaded")
        request.getfixturevalue("pool")
        request.getfixturevalue("running_signer")
        mail = DevelopmentMail.objects.create(subject="Welcome", text="Hello")
        words = {
            "mail_id": mail.pk,
            "exam": "foundations",
            "issuer_slug": "checkride",
            "track_id": "agent-operator",
            "code": "E4",
            "course_id": "foundations",
            "lesson_id": "f-one",
            "item_id": 999_999,
            "form": "drawn",
            "form_id": 999_999,
            "regrade_id": 999_999,
            "appeal_id": 999_999,
            "study_id": 999_999,
            "reading_id": 999_999,
            "slug": "t-security-0",
            "exercise_id": "refund-triage",
        }
        typed = {"text": "You triage refunds."}
        return World(
            words,
            {
                "courses:course": {},
                "courses:lesson": {"decision": "Stop it."},
                "courses:read": typed,
                "courses:draft": typed,
                "courses:run": {"text": ""},
                "courses:studio": {"title": "Mine", "template": "payments"},
                "courses:write-note": {"text": "A note"},
                "courses:bookmark": {"kind": "lesson", "slug": "f-one"},
                "accounts:settings": {"name": "Somebody Else"},
                "credentials:api-keys": {"label": "matrix"},
                "accounts:erase": {"email": "nobody@example.org"},
                "credentials:officer-keys": {"key_name": "none", "note": "the yearly change"},
                "exams:accommodate": {"email": "nobody@example.org", "time_percent": "150"},
            },
        )

    def make(thing: str) -> World:
        match thing:
            case "ready" | "running" | "released":
                return attempt(thing)
            case "rehearsal":
                return rehearsing()
            case "submission":
                return submission()
            case "process":
                return process()
            case "credential" | "holding":
                return credential()
            case _:
                return public()

    return make


def address_of(route: str, world: World) -> str:
    """The address of a route, with those of the world's objects that it names."""
    if ":" not in route:
        return f"/{route}"
    if route == "credentials:status-list":
        return reverse(route, args=[1])
    if route in MAP_ROUTES:
        numbers = [world.kwargs["number"]] if "number" in routes()[route] else []
        return reverse(route, args=["refunds", *numbers])
    return reverse(route, kwargs={name: world.kwargs[name] for name in routes()[route]})


# Tests --------------------------------------------------------------------------------------------


def test_every_address_has_a_row() -> None:
    known = {row.route for row in table()}
    for route in own_routes():
        assert route in known, (
            f"The address “{route}” is new. Say in {TABLE.name} who gets which answer: add a row "
            f"“{route} GET <object> <answer to each of {', '.join(ROLES)}>”, one more for POST "
            "when it takes POST, and, if its address names an object, make that in `world`."
        )


def test_every_row_has_an_address() -> None:
    gone = {row.route for row in table()} - set(own_routes())
    assert not gone, f"{TABLE.name} has rows for addresses that are gone: {sorted(gone)}"


def test_no_row_shows_what_belongs_to_somebody_else() -> None:
    """Holds for the table whatever its reviewer thought. An examiner may give more time, and
    putting back, like an answer in review, answers alike for what is a stranger's and for what is
    not there."""
    for row in table():
        if row.thing not in PRIVATE or "officer" in row.route:
            continue
        if row.route in {"exams:extend", "courses:put-back", "courses:answer-review"}:
            continue
        # Whoever has the address of a shared process may read it; the address is the key.
        if row.route == "courses:process-shared":
            continue
        answers = dict(zip(ROLES, row.answers, strict=True))
        strangers = {answers[role] for role in ROLES if role != "owner"}
        assert strangers <= NOBODYS, row
        assert "403" not in row.answers, row


THINGS = (
    "-",
    "ready",
    "running",
    "released",
    "rehearsal",
    "submission",
    "process",
    "credential",
    "holding",
)


@pytest.mark.parametrize("thing", THINGS)
def test_everybody_gets_the_reviewed_answer(
    thing: str, world: Callable[[str], World], people: dict[str, str]
) -> None:
    made = world(thing)
    differences = []
    rows = table()
    posted = {row.route for row in rows if row.method == "POST"}
    for row in rows:
        if row.thing != thing:
            continue
        address, data = address_of(row.route, made), made.posts.get(row.route)
        answers = tuple(answer_to(people[role], row.method, address, data) for role in ROLES)
        if answers != row.answers:
            now = Row(row.route, row.method, row.thing, answers)
            differences.append(f"reviewed {row}\nanswered {now}")
        if row.route not in posted:
            # No row for POST says that the address takes none.
            answer = answer_to(people["owner"], "POST", address)
            if answer not in {"404", "405"}:
                differences.append(f"{row.route} answers {answer} to POST, and has no row for it")
    if differences:
        pytest.fail("\n".join(differences), pytrace=False)


def test_the_admin_is_for_staff_only(people: dict[str, str]) -> None:
    """The administrator's role is about learners; Django's admin needs a staff account."""
    for route, names in routes().items():
        name = route.partition(":")[2]
        if not route.startswith("admin:") or names or not name.isidentifier():
            continue
        if name in {"login", "logout", "app_list"}:
            continue
        for role in ROLES:
            assert answer_to(people[role], "GET", reverse(route)) == "sign-in", (route, role)


def test_pages_about_accounts_answer_everybody(people: dict[str, str]) -> None:
    """The sign-in pages are allauth's. None fails, and those about an account need one."""
    for route, names in routes().items():
        if not route.startswith("allauth:") or names:
            continue
        try:
            address = reverse(route.partition(":")[2])
        except NoReverseMatch:  # a part of the address is written as a regular expression
            continue
        for role in ROLES:
            answer = answer_to(people[role], "GET", address)
            assert answer < "500" or not answer.isdecimal(), (address, role, answer)
        if address.startswith(ACCOUNT_PAGES):
            assert answer_to("", "GET", address) == "sign-in", address


def test_a_passkey_of_somebody_else_does_not_exist(people: dict[str, str], learner: Any) -> None:
    passkey = Authenticator.objects.create(
        user=learner, type=Authenticator.Type.WEBAUTHN, data={"name": "Key", "credential": {}}
    )
    for route in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        address = reverse(route, args=[passkey.pk])
        for method in ("GET", "POST"):
            for role in ROLES[2:]:
                assert answer_to(people[role], method, address) == "404", (address, method, role)
            assert answer_to("", method, address) == "sign-in"


@pytest.mark.parametrize(
    ("who", "route"),
    [
        ("learner", "accounts:export"),
        ("learner", "accounts:erase"),
        ("officer", "credentials:officer-revoke"),
        ("officer", "credentials:officer-reinstate"),
        ("officer", "credentials:officer-proposal"),
    ],
)
def test_deeds_that_cannot_be_undone_ask_for_the_password_again(
    who: str, route: str, world: Callable[[str], World], request: pytest.FixtureRequest
) -> None:
    """The rows of the table are for people who gave it a moment ago."""
    client = Client()
    client.force_login(request.getfixturevalue(who))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    made = world("holding") if "officer" in route else World({}, {})
    for method in ("GET", "POST"):
        data = made.posts.get(route)
        assert answer_to(session, method, address_of(route, made), data) == "again"


def test_the_mailbox_of_a_developer_is_closed_in_production(
    world: Callable[[str], World], people: dict[str, str], settings: Any
) -> None:
    made = world("-")
    settings.DEVELOPMENT = False
    for row in table():
        if row.route.startswith("mailbox:"):
            for role in ROLES:
                answer = answer_to(people[role], row.method, address_of(row.route, made))
                assert answer in {"404", "405"}, (row, role)


def test_a_replaced_text_of_somebody_else_is_not_put_back(
    world: Callable[[str], World], people: dict[str, str]
) -> None:
    address = address_of("courses:put-back", world("submission"))
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = people["other"]
    client.post(address)
    assert ReplacedDraft.objects.count() == 1
    assert not Draft.objects.filter(user__email__startswith="omar_other").exists()
