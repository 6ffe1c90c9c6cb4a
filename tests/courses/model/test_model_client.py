"""Servers that misbehave, and what the client makes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from checkride.lib import outbound
from courses.model_client import Client, Endpoint
from courses.simulators.real_model import Fault, Reply

from .server import ModelServer, calls, running, says

KEY = "sk-secret-of-the-operator"
HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running() as found:
        yield found


def client(server: ModelServer, *, seconds: float = 30.0, each: float = 1.0) -> Client:
    found = Client(
        Endpoint(server.url, "some-model", KEY),
        ends_at=time.monotonic() + seconds,
        sleep=lambda seconds: slept.append(seconds),
        seconds_per_request=each,
    )
    slept: list[float] = []
    found.slept = slept  # type: ignore[attr-defined]
    return found


def test_words_calls_and_tokens_come_back(server: ModelServer) -> None:
    server.play = lambda _request: calls("lookup", {"order": 1})
    reply = client(server).ask(HELLO, [])
    assert reply.calls[0].name == "lookup"
    assert (reply.tokens_in, reply.tokens_out) == (100, 10)
    assert server.paths == ["/v1/chat/completions"]
    assert server.keys == [f"Bearer {KEY}"]
    assert server.requests[0]["temperature"] == 0
    assert server.requests[0]["stream"] is False


@pytest.mark.parametrize("fault", ["busy", "broken", "cut", "cut-chunks", "hang-up", "slow"])
def test_what_may_pass_is_tried_again(server: ModelServer, fault: str) -> None:
    server.faults = [fault, fault]
    asking = client(server)
    assert asking.ask(HELLO, []) == Reply("Done.", (), 100, 10)
    assert len(server.requests) == 3
    assert sum(asking.faults.values()) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("busy", "busy"), ("broken", "broken"), ("cut", "cut"), ("cut-chunks", "cut")],
)
def test_what_does_not_pass_is_given_up_after_three_tries(
    server: ModelServer, fault: str, kind: str
) -> None:
    server.always = fault
    with pytest.raises(Fault) as caught:
        client(server).ask(HELLO, [])
    assert caught.value.kind == kind
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("key", "key"),
        ("refused", "refused"),
        ("redirect", "redirect"),
        ("type", "type"),
        ("stream", "type"),
        ("json", "json"),
        ("deep", "json"),
        ("shape", "shape"),
        ("long", "long"),
    ],
)
def test_what_stays_as_it_is_is_not_tried_again(server: ModelServer, fault: str, kind: str) -> None:
    server.always = fault
    with pytest.raises(Fault) as caught:
        client(server).ask(HELLO, [])
    assert caught.value.kind == kind
    assert len(server.requests) == 1, "a redirect is not followed, and nothing is asked twice"


def test_the_server_says_how_long_to_wait(server: ModelServer) -> None:
    server.faults, server.retry_after = ["busy"], "7"
    asking = client(server)
    asking.ask(HELLO, [])
    assert asking.slept == [7.0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("retry_after", ["3600", "999999"])
def test_a_wait_of_an_hour_is_not_waited(server: ModelServer, retry_after: str) -> None:
    server.always, server.retry_after = "busy", retry_after
    with pytest.raises(Fault):
        client(server).ask(HELLO, [])
    assert len(server.requests) == 1


@pytest.mark.parametrize("retry_after", ["-1", "soon", "Tue, 01 Dec 2026 00:00:00 GMT", "1e9", "²"])
def test_a_wait_that_is_no_number_is_none(server: ModelServer, retry_after: str) -> None:
    server.faults = ["busy"]
    server.retry_after = retry_after.encode("latin-1", "ignore").decode("latin-1")
    asking = client(server)
    asking.ask(HELLO, [])
    assert asking.slept[0] < 1  # type: ignore[attr-defined]


def test_a_byte_now_and_then_does_not_hold_us(server: ModelServer) -> None:
    server.always = "drip"
    began = time.monotonic()
    with pytest.raises(Fault) as caught:
        client(server, seconds=1.2, each=0.5).ask(HELLO, [])
    assert caught.value.kind in {"slow", "budget"}
    assert time.monotonic() - began < 2


def test_after_the_end_of_the_run_nothing_is_sent(server: ModelServer) -> None:
    with pytest.raises(Fault) as caught:
        client(server, seconds=-1).ask(HELLO, [])
    assert caught.value.kind == "budget"
    assert server.requests == []


def test_a_server_that_is_not_there_is_said_not_to_be() -> None:
    with running() as gone:
        pass
    with pytest.raises(Fault) as caught:
        client(gone).ask(HELLO, [])
    assert caught.value.kind == "away"


@pytest.mark.parametrize("always", ["broken", "key", "redirect", "json", "shape", "cut"])
def test_the_key_is_in_no_log_and_in_no_error(
    server: ModelServer,
    always: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.always = always
    asking = client(server)
    with pytest.raises(Fault) as caught:
        asking.ask(HELLO, [])
    told = capfd.readouterr()
    seen = f"{caught.value!r}{caught.value}{asking.endpoint!r}{told.out}{told.err}{caplog.text}"
    assert KEY not in seen
    assert "model.fault" in seen


def test_a_server_that_counts_no_tokens_is_counted_by_us(server: ModelServer) -> None:
    server.tokens = (-5, 0)
    reply = client(server).ask(HELLO, [])
    assert reply.tokens_in == 0
    assert reply.tokens_out > 0


def test_arguments_may_come_as_an_object(server: ModelServer) -> None:
    """Some servers send them so, against the protocol."""
    message = calls("lookup", {})
    message["tool_calls"][0]["function"]["arguments"] = {"order": 1}
    server.play = lambda _request: message
    assert client(server).ask(HELLO, []).calls[0].arguments == '{"order": 1}'


@pytest.mark.parametrize(
    "message",
    [{"content": ["x"]}, {"tool_calls": [{}]}, {"tool_calls": [{"function": "f"}]}, "text", None],
)
def test_a_message_of_another_shape_is_a_fault(server: ModelServer, message: object) -> None:
    server.play = lambda _request: message
    with pytest.raises(Fault) as caught:
        client(server).ask(HELLO, [])
    assert caught.value.kind == "shape"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/v1/chat/completions",
        "http://localhost/v1/chat/completions",
        "https://127.0.0.1/v1",
        "file:///etc/passwd",
        "http://user:secret@127.0.0.1/v1",
    ],
)
def test_no_server_but_the_chosen_one_is_asked(url: str) -> None:
    with pytest.raises(outbound.AddressRefused):
        outbound.ask(url, b"", {}, chosen="http://127.0.0.1/v1", seconds=1, most_bytes=10)


def test_the_chosen_one_may_stand_inside(server: ModelServer) -> None:
    server.play = lambda _request: says("From within.")
    assert client(server).ask(HELLO, []).text == "From within."
