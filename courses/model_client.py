"""Ask a real model over the chat protocol that OpenAI made common, and survive its answers.

One server is asked, the one the operator named. Answers are taken whole, not streamed, so that a
cut one is known to be cut. Nothing that a server says is trusted: its length, type and shape are
looked at first. The key goes into one header and nowhere else.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings

from checkride.lib import outbound
from courses.simulators.real_model import Fault, Reply, ToolCall

Json = Any
log = structlog.get_logger(__name__)

TEMPERATURE = 0.0
SECONDS_PER_REQUEST = 60.0
MOST_BYTES = 1_000_000
MOST_TRIES = 3
LONGEST_PAUSE_S = 20.0
MOST_CALLS_AT_ONCE = 16
MOST_WRITTEN_TOKENS = 1_500


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The server and the model that the operator chose. The key is kept out of every text."""

    url: str
    model: str
    key: str = field(repr=False, default="")

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


def endpoint() -> Endpoint | None:
    """What the settings name; None when no real model is set up."""
    if not settings.MODEL_URL:
        return None
    return Endpoint(settings.MODEL_URL, settings.MODEL_NAME, settings.MODEL_KEY)


class Client:
    """Asks one endpoint until `ends_at` (of `time.monotonic`), and counts what went wrong."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        ends_at: float,
        sleep: Callable[[float], None] = time.sleep,
        seconds_per_request: float = SECONDS_PER_REQUEST,
    ) -> None:
        self.endpoint = endpoint
        self.ends_at = ends_at
        self.sleep = sleep
        self.seconds_per_request = seconds_per_request
        self.faults: dict[str, int] = {}
        self.tokens = 0

    def ask(self, messages: Sequence[Json], tools: Sequence[Json]) -> Reply:
        """One answer of the model. Tries again what may pass; raises `Fault` for what does not."""
        body: dict[str, Json] = {
            "model": self.endpoint.model,
            "messages": list(messages),
            "temperature": TEMPERATURE,
            "max_tokens": MOST_WRITTEN_TOKENS,
            "stream": False,
        }
        if tools:
            body["tools"] = list(tools)
        data = json.dumps(body, ensure_ascii=False).encode()
        for number in range(1, MOST_TRIES + 1):
            pause = 0.0
            try:
                answer = self._send(data)
                if answer.status == 200:
                    reply = _reply(answer)
                    self.tokens += reply.tokens_in + reply.tokens_out
                    return reply
                fault, pause = _refusal(answer)
            except outbound.NoAnswer as problem:
                fault = Fault(problem.trouble, _NO_ANSWER[problem.trouble])
            except outbound.AddressRefused as problem:
                raise Fault("address", problem.message) from problem
            except Fault as problem:
                fault = problem
            self.faults[fault.kind] = self.faults.get(fault.kind, 0) + 1
            log.warning("model.fault", kind=fault.kind, host=self.endpoint.host, try_number=number)
            pause = max(pause, 0.5 * 2 ** (number - 1) * random.uniform(0.8, 1.2))  # noqa: S311
            if fault.kind not in _PASSING or number == MOST_TRIES:
                raise fault
            if pause > LONGEST_PAUSE_S or time.monotonic() + pause >= self.ends_at:
                raise fault
            self.sleep(pause)
        raise AssertionError("the loop above returns or raises")

    def _send(self, data: bytes) -> outbound.Answer:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise Fault("budget", "The time of this run was used up.")
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.endpoint.key:
            headers["Authorization"] = f"Bearer {self.endpoint.key}"
        return outbound.ask(
            f"{self.endpoint.url}/chat/completions",
            data,
            headers,
            chosen=self.endpoint.url,
            seconds=min(self.seconds_per_request, left),
            most_bytes=MOST_BYTES,
        )


# What may be otherwise a moment later. A key that is refused, a redirect and an answer that is no
# chat answer stay as they are.
_PASSING = frozenset({"busy", "broken", "away", "slow", "cut"})
_NO_ANSWER: Mapping[str, str] = {
    "away": "The model’s server could not be reached.",
    "slow": "The model’s server took too long.",
    "cut": "The model’s server hung up in the middle of its answer.",
    "long": "The model’s server sent more than an answer may hold.",
}


def _refusal(answer: outbound.Answer) -> tuple[Fault, float]:
    """What a status other than 200 means, and how long the server wants to be left alone."""
    status = answer.status
    if status == 429 or status == 503:
        return Fault("busy", "The model’s server is busy and asks to wait."), _wait_s(answer)
    if status >= 500:
        return Fault("broken", f"The model’s server failed (status {status})."), 0.0
    if 300 <= status < 400:
        return Fault("redirect", "The model’s server points elsewhere; that is not followed."), 0.0
    if status in {401, 403}:
        return Fault("key", "The model’s server does not take the key."), 0.0
    return Fault("refused", f"The model’s server refused the request (status {status})."), 0.0


def _wait_s(answer: outbound.Answer) -> float:
    """Seconds in Retry-After; a date or nonsense counts as nothing."""
    value = answer.headers.get("retry-after", "").strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 7 else 0.0


def _reply(answer: outbound.Answer) -> Reply:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Fault("type", "The model’s server answered with something that is not JSON.")
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise Fault("json", "The model’s server answered with broken JSON.") from None
    try:
        message = data["choices"][0]["message"]
        text = message.get("content") or ""
        calls = tuple(_call(one) for one in message.get("tool_calls") or ())
        if not isinstance(text, str) or len(calls) > MOST_CALLS_AT_ONCE:
            raise TypeError
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Fault("shape", "The model’s server answered with JSON of another shape.") from None
    usage = data.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Reply(
        text.replace("\x00", ""),
        calls,
        _count(usage.get("prompt_tokens")),
        # A server that does not count is counted by us, roughly and not in its favour.
        _count(usage.get("completion_tokens")) or (len(answer.body) + 2) // 3,
    )


def _call(one: Json) -> ToolCall:
    function = one["function"]
    arguments = function.get("arguments", "")
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments)
    return ToolCall(
        str(one.get("id", ""))[:200],
        str(function["name"])[:200].replace("\x00", ""),
        arguments.replace("\x00", ""),
    )


def _count(value: Json) -> int:
    return value if isinstance(value, int) and 0 <= value < 10_000_000 else 0
