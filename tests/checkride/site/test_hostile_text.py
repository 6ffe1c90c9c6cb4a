"""Text that people send to do harm: in every field they control, it comes back as text or is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import pytest
import yaml
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from checkride.accounts.models import User
from checkride.accounts.roles import Role
from courses.models import LessonProgress
from credentials.models import Proposal
from exams import delivery
from exams.models import Extension

from ...courses.site.conftest import content, curriculum_folder, loaded, strong
from ...credentials.conftest import issued, key_folder, released_pass, running_signer
from ...exams.conftest import pool, read_pool, ready_attempt

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = [  # pytest finds them by name
    "content",
    "curriculum_folder",
    "issued",
    "key_folder",
    "loaded",
    "pool",
    "read_pool",
    "ready_attempt",
    "released_pass",
    "running_signer",
]

# Every tag and handler carries this word, so that a page can be searched for it.
MARK = "hostile7"
PAYLOADS = [
    f"<script>alert('{MARK}')</script>",
    f"</script><script>alert('{MARK}')</script>",
    f"<img src=x onerror=alert('{MARK}')>",
    f"<svg onload=alert('{MARK}')><{MARK}></svg>",
    f"<{MARK} onpointerenter=alert(1)>",
    f'"><{MARK} autofocus onfocus=alert(1) x="',
    f"'><{MARK} onfocus='alert(1)",
    f"` onfocus={MARK} `",
    f"</textarea><{MARK}>",
    f"</title><{MARK}>",
    f"--><{MARK}><!--",
    f"]]><{MARK}>",
    f"<a href=\"javascript:alert('{MARK}')\">x</a>",
    f"[x](javascript:alert('{MARK}'))",
    f"![x](https://{MARK}.example/x.png)",
    f"<iframe srcdoc='<{MARK}>'></iframe>",
    f"<style>@import '//{MARK}.example'</style>",
    "{{ 7777*7 }}{{ settings.SECRET_KEY }}",
    "{% load static %}{% debug %}",
    "${7777*7}#{7777*7}<%= 7777*7 %>",
    "%s%n%(name)s{0}{name!r}",
    "\u202e\u2066gnp.exe\u2069",
    "Z\u0351\u036b\u0343a\u0321l\u0489go \U0001f9d1\u200d\U0001f4bb \ufeff\ufffe",
    "nul\x00byte\x1b[31m\x7f",
    f'=HYPERLINK("https://{MARK}.example","x")',
    "=cmd|' /C calc'!A0\t@SUM(1)\r\n+1-1",
    "'; DROP TABLE exams_attempt; --",
    "9" * 5000,
    "long " * 20_000,
]


class _Tags(HTMLParser):
    """Finds what a payload would leave behind if it came alive."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name.startswith("on") or name in {"style", "srcdoc"}:
                self.alive.append(f"<{tag} {name}={value!r}>")
            if name in {"href", "src", "action", "formaction"} and value:
                address = value.strip().lower()
                if address.startswith(("javascript:", "data:text")) or f"//{MARK}" in address:
                    self.alive.append(f"<{tag} {name}={value!r}>")
        if tag == MARK:
            self.alive.append(f"<{tag}>")

    def handle_data(self, data: str) -> None:
        if self.lasttag in self.CDATA_CONTENT_ELEMENTS and MARK in data and "<" not in data:
            self.alive.append(f"in <{self.lasttag}>: {data[:60]}")


def harmless(response: Any) -> str:
    """The text of an answer; fails if the server failed or a payload stands in it alive."""
    assert response.status_code < 500, response.status_code
    if not response.get("Content-Type", "").startswith("text/html"):
        return ""
    text: str = response.content.decode()
    tags = _Tags()
    tags.feed(text)
    assert not tags.alive, tags.alive
    for live in (f"<script>alert('{MARK}", f"<{MARK}", f"<img src=x onerror=alert('{MARK}"):
        assert live not in text, live
    assert str(7777 * 7) not in text, "the text was run as a template"
    return text


@pytest.fixture
def browse(db: None) -> Callable[..., Client]:
    """A client that shows a server error as 500, as visitors would see it."""

    def make(user: Any = None) -> Client:
        client = Client(raise_request_exception=False, headers={"accept": "text/html"})
        if user is not None:
            client.force_login(user)
        return client

    return make


def post(client: Client, address: str, data: Any, **more: Any) -> str:
    """Post and look at where it leads as well."""
    cache.clear()
    return harmless(client.post(address, data, follow=True, **more))


def see(client: Client, *addresses: str) -> str:
    return "".join(harmless(client.get(address, follow=True)) for address in addresses)


def test_a_payload_that_came_alive_would_be_seen() -> None:
    """The check itself is checked: each of these would have to be found."""
    for page in (
        f"<p>{PAYLOADS[0]}",
        f"<p>{PAYLOADS[2]}",
        f"<p>{PAYLOADS[4]}",
        '<a href="javascript:alert(1)">',
        f"<img src='https://{MARK}.example/x.png'>",
        "<p style='x'>",
        "<p>54439",
    ):
        with pytest.raises(AssertionError):
            harmless(HttpResponse(page))


# Names and addresses ------------------------------------------------------------------------------


def test_names_at_sign_up(browse: Callable[..., Client]) -> None:
    for number, payload in enumerate(PAYLOADS):
        client = browse()
        form = {"name": payload[:120], "email": f"p{number}@example.org"}
        post(client, "/accounts/signup/", {**form, "password1": "a lantern in the fog"})
        post(client, "/accounts/signup/", {"name": payload, "email": payload, "password1": payload})
        post(client, "/accounts/login/", {"login": payload, "password": payload})
    assert User.objects.filter(email__startswith="p").count() >= 15


def test_a_name_is_shown_as_text_wherever_it_stands(
    browse: Callable[..., Client],
    learner: Any,
    examiner: Any,
    officer: Any,
    issued: Any,
    ready_attempt: Any,
    loaded: Any,
) -> None:
    delivery.start(ready_attempt)
    own, watching, deciding = browse(learner), browse(examiner), browse(officer)
    kept = 0
    for payload in PAYLOADS:
        post(own, "/accounts/settings/", {"name": payload[:120]})
        learner.refresh_from_db()
        kept += learner.name == " ".join(payload[:120].split())
        see(own, "/accounts/settings/", "/record/", "/")
        see(watching, "/exams/examiner/")
        see(deciding, "/officer/credentials/", f"/officer/credentials/{issued.pk}/")
    assert kept >= 15, "too few payloads became names to say anything"


@pytest.mark.parametrize("turned", ["Ada \u202ePng.exe", "Ada \u2066x\u2069"])
def test_a_name_cannot_turn_the_text_around_it(
    browse: Callable[..., Client], learner: Any, turned: str
) -> None:
    """On a credential it would make a stranger read other words than were signed."""
    page = post(browse(learner), "/accounts/settings/", {"name": turned})
    learner.refresh_from_db()
    assert learner.name == "Lena Learner"
    assert "cannot be printed" in page


def test_a_name_keeps_the_joiners_its_script_needs(
    browse: Callable[..., Client], learner: Any
) -> None:
    post(browse(learner), "/accounts/settings/", {"name": "\u0645\u06cc\u200c\u0646\u0627"})
    learner.refresh_from_db()
    assert "\u200c" in learner.name


def test_a_name_is_signed_and_shown_as_text_on_a_credential(
    browse: Callable[..., Client], learner: Any, issued: Any, running_signer: Any
) -> None:
    own, stranger = browse(learner), browse()
    address = f"/credentials/{issued.pk}"
    for payload in (*PAYLOADS[1:7], PAYLOADS[11]):
        post(own, "/accounts/settings/", {"name": payload})
        for source, passed in running_signer.passes.items():
            running_signer.passes[source] = replace(passed, holder_name=payload)
        for shown in ("no", "yes"):
            post(own, f"/record/{issued.pk}/name/", {"shown": shown})
        page = see(stranger, address, f"/evidence/{issued.pk}", f"/verify/?code={issued.code}")
        assert MARK in page, "the name is not shown, so nothing was looked at"
        # The badge holds the signed document as text inside XML; it must stay text there.
        badge = ElementTree.fromstring(stranger.get(f"{address}.svg").content)  # noqa: S314 - ours
        names = {element.tag.rpartition("}")[2] for element in badge.iter()}
        assert not names & {MARK, "script", "img", "a", "iframe"}
    assert stranger.get(f"{address}.pdf").content.startswith(b"%PDF-")


# What learners write ------------------------------------------------------------------------------


def test_a_decision_is_shown_as_text(
    browse: Callable[..., Client], learner: Any, loaded: Any
) -> None:
    client, lesson = browse(learner), "/courses/foundations/lessons/f-one/"
    for payload in PAYLOADS:
        page = post(client, lesson, {"decision": payload})
        assert "textarea" in page
        post(client, lesson, {"check": payload, "option": payload})
    assert LessonProgress.objects.get().decision


def test_a_prompt_is_shown_as_text(
    browse: Callable[..., Client], learner: Any, loaded: Any
) -> None:
    client, exercise = browse(learner), "/exercises/refund-triage/"
    for payload in PAYLOADS:
        post(client, f"{exercise}draft/", {"text": payload, "over": "0"})
        see(client, exercise)
        answer = client.post(f"{exercise}read/", {"text": payload})
        harmless(answer)
        harmless_piece(answer)
    post(client, f"{exercise}draft/", {"text": "x", "over": "9" * 5000})
    post(client, f"{exercise}run/", {"text": "\n".join(PAYLOADS[:27])})
    post(client, f"{exercise}run/", {"text": strong("refund-triage") + "\n" + PAYLOADS[2]})
    see(
        client, f"{exercise}runs/1/", f"{exercise}runs/2/", exercise, f"{exercise}?run={'9' * 5000}"
    )


def harmless_piece(answer: Any) -> None:
    """The part of a page that our script puts in must be as safe as the page."""
    piece = answer.json().get("html", "") if answer.status_code == 200 else ""
    harmless(HttpResponse(piece))


def test_names_in_a_map_are_shown_as_text(
    browse: Callable[..., Client], learner: Any, loaded: Any
) -> None:
    client, exercise = browse(learner), "/exercises/refunds/"
    map_ = yaml.safe_load(strong("refunds"))
    for payload in PAYLOADS:
        named = json.loads(json.dumps(map_))
        for node in _texts(named):
            node["name"] = payload[:60]
        for text in (payload, json.dumps(named), json.dumps(named, ensure_ascii=False)):
            harmless_piece(client.post(f"{exercise}read/", {"text": text}))
        post(client, f"{exercise}draft/", {"text": json.dumps(named)})
        see(client, exercise)
        client.get(f"{exercise}map.bpmn")
        file = SimpleUploadedFile(payload[:40] or "x", _bpmn(payload))
        post(client, f"{exercise}import/", {"file": file, "text": payload})


def _texts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "name" in value:
            yield value
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _bpmn(payload: str) -> bytes:
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p">'
        f'<startEvent id="s" name={quoteattr(payload)}/><task id="t" name={quoteattr(payload)}/>'
        "</process></definitions>"
    ).encode("utf-8", "replace")


# Answers, reasons and what strangers hand in ------------------------------------------------------


def test_answers_in_an_exam_are_shown_as_text(
    browse: Callable[..., Client], learner: Any, ready_attempt: Any
) -> None:
    attempt = delivery.start(ready_attempt)
    client = browse(learner)
    numeric = [place.position for place in attempt.items.all() if place.face.kind == "numeric"]
    place, count = f"/exams/attempts/{attempt.pk}/items/{numeric[0]}/", 0
    for payload in PAYLOADS:
        for text in (payload, payload[:40]):
            count += 1
            form = {"client_id": "tab-one", "client_seq": count, "base_rev": count}
            post(client, place, {**form, "number": text, "go": payload})
            sent = {**form, "client_seq": 1000 + count, "payload": {"number": text}}
            body = json.dumps(sent)
            harmless(client.post(f"{place}save/", body, content_type="application/json"))
            for odd in ({**sent, "client_id": text}, {**sent, "payload": {text: text}}, text):
                body = json.dumps(odd)
                answer = client.post(f"{place}save/", body, content_type="application/json")
                assert answer.status_code in {409, 422}
        see(client, place)
    post(client, f"/exams/attempts/{attempt.pk}/hand-in/", {"confirm": "yes"})
    see(client, f"/exams/attempts/{attempt.pk}/receipt/")
    harmless(client.get(f"/exams/attempts/{attempt.pk}/receipt.txt"))


def test_reasons_of_examiners_are_shown_as_text(
    browse: Callable[..., Client], examiner: Any, ready_attempt: Any
) -> None:
    attempt = delivery.start(ready_attempt)
    client = browse(examiner)
    for payload in PAYLOADS:
        form = {"minutes": "1", "reason": payload}
        post(client, f"/exams/examiner/attempts/{attempt.pk}/extend/", form)
        more = {"email": payload, "time_percent": payload, "ends_on": payload}
        post(client, "/exams/examiner/accommodations/", more)
    assert Extension.objects.filter(attempt=attempt).count() >= 15


def test_reasons_of_officers_are_shown_as_text(
    browse: Callable[..., Client], officer: Any, make_person: Any, issued: Any
) -> None:
    client, stranger = browse(officer), browse()
    second = browse(make_person("oskar_officer", Role.CREDENTIAL_OFFICER))
    for one in (client, second):
        one.post("/accounts/reauthenticate/", {"password": "a long passphrase"})

    def confirm() -> None:
        for asked in Proposal.objects.filter(answer=""):
            see(client, asked.get_absolute_url())
            see(second, asked.get_absolute_url())
            post(second, asked.get_absolute_url(), {"answer": "confirm"})

    address = f"/officer/credentials/{issued.pk}/"
    typed = {"confirmation": issued.grouped_code}
    for payload in PAYLOADS:
        see(client, "/officer/credentials/")
        for wanted in (payload, f"{payload}@"):
            harmless(client.get("/officer/credentials/", {"q": wanted[:2000], "page": wanted[:99]}))
        reasons = {"reason": payload, "note": payload, "confirmation": payload}
        post(client, f"{address}revoke/", reasons)
        post(client, f"{address}revoke/", {**typed, "reason": "irregularity", "note": payload})
        confirm()
        see(stranger, f"/credentials/{issued.pk}")
        post(client, f"{address}reinstate/", {**typed, "because": payload})
        confirm()
        see(client, address)
    assert issued.revocations.count() >= 15


def test_what_strangers_hand_in_to_be_checked_is_shown_as_text(
    browse: Callable[..., Client], running_signer: Any, issued: Any
) -> None:
    stranger = browse()
    document = json.dumps(issued.document)
    for payload in PAYLOADS:
        cache.clear()
        harmless(stranger.get("/verify/", {"code": payload[:3000]}))
        harmless(
            stranger.get("/verify/", {"code": f"https://x.example/credentials/{payload}"[:900]})
        )
        lying = document.replace("Checkride", json.dumps(payload)[1:-1])
        for number, content_ in enumerate((payload, lying, json.dumps({"id": payload}))):
            cache.clear()
            name = payload.replace("\x00", "")[:90] or "x"
            file = SimpleUploadedFile(f"{name}.{number}", content_.encode("utf-8", "replace"))
            post(stranger, "/verify/file/", {"file": file})
        lines = f"{issued.grouped_code},{payload}\n{payload},{issued.grouped_code}\n{payload}"
        post(stranger, "/verify/list/", {"lines": lines})
        file = SimpleUploadedFile(f"{payload[:50]}.csv", lines.encode("utf-8", "replace"))
        post(stranger, "/verify/list/", {"file": file})


def test_addresses_are_hostile_text_too(browse: Callable[..., Client], learner: Any) -> None:
    for client in (browse(), browse(learner)):
        for payload in PAYLOADS:
            odd = quote(payload[:400], safe="")
            see(client, f"/{odd}", f"/courses/{odd}/", f"/exams/{odd}/", f"/log/tile/{odd}")
            see(client, f"/accounts/login/?next={odd}", f"/accounts/confirm-email/{odd}/")


# In a browser -------------------------------------------------------------------------------------

MAKE_PERSON = """
from allauth.account.models import EmailAddress
from checkride.accounts.models import User
from checkride.accounts.roles import Role
user = User.objects.create_user("hostile@example.org", "a long passphrase", name="Hana Oster")
EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
"""
# What a browser may open although a parser of ours did not see it; each runs without a click.
LIVE = "".join(PAYLOADS[:14]) + PAYLOADS[15] + PAYLOADS[16]


@pytest.mark.xdist_group("live_site")
def test_no_payload_opens_a_dialog_or_meets_the_policy(live_site: Any, browser: Browser) -> None:
    """The policy stops what escapes the templates; here nothing even gets as far as the policy."""
    live_site.manage("shell", "-v", "0", "-c", MAKE_PERSON)
    context = browser.new_context(base_url=live_site.url)
    context.set_default_timeout(15_000)
    page, alarms = context.new_page(), []

    def heard(message: Any) -> None:
        if "Content Security Policy" in message.text or MARK in message.text:
            alarms.append(f"console: {message.text}")

    def opened(dialog: Any) -> None:
        alarms.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def asked(request: Any) -> None:
        if not request.url.startswith((live_site.url, "data:")):
            alarms.append(f"request: {request.url}")

    page.on("console", heard)
    page.on("dialog", opened)
    page.on("request", asked)
    page.goto("/accounts/login/?next=/accounts/settings/")
    page.fill("input[name=login]", "hostile@example.org")
    page.fill("input[name=password]", "a long passphrase")
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts/settings/")

    for payload in (PAYLOADS[0], PAYLOADS[2], PAYLOADS[3]):
        page.fill("input[name=name]", payload)
        page.locator("form:has(input[name=name]) [type=submit]").first.click()
        page.wait_for_load_state("networkidle")
        assert page.input_value("input[name=name]") == payload

    page.goto("/courses/foundations/lessons/f-the-loop/")
    _write(page, "textarea[name=decision]")
    page.goto("/exercises/refund-triage/")
    page.locator(".cm-content").focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(LIVE)
    page.locator("button[form=work]").first.click()
    page.wait_for_url("**/runs/1/**")
    page.wait_for_load_state("networkidle")
    assert MARK in page.content()
    context.close()

    assert not alarms, alarms


def _write(page: Page, field: str) -> None:
    page.fill(field, LIVE)
    page.locator(f"form:has({field}) [type=submit]").first.click()
    page.wait_for_load_state("networkidle")
    assert page.input_value(field).strip() == LIVE.strip()
