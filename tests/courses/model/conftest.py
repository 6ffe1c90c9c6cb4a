"""The small curriculum of the site's tests, and a model that plays the rehearsal agent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from courses.exercise_files import read_exercise

from ..site.conftest import content, curriculum_folder, loaded
from .server import ModelServer, calls, running, says
from .test_real_model import rehearsed

__all__ = ["content", "curriculum_folder", "loaded"]

Json = Any
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running() as found:
        yield found


@pytest.fixture
def good_model(server: ModelServer, settings: Any) -> ModelServer:
    """A server whose model does in each case what the rehearsal agent does under all rules."""
    document = read_exercise(ROOT / "courses/content/prompting/exercises/refund-triage")
    played = {case["customer"]: rehearsed(document, case, "followed") for case in document["cases"]}

    def play(request: Json) -> Json:
        message = request["messages"][1]["content"]
        given = next(one for one in sorted(played, key=len, reverse=True) if one in message)
        done = sum(one["role"] == "assistant" for one in request["messages"])
        reply = played[given][done]
        if reply.calls:
            return calls(reply.calls[0].name, json.loads(reply.calls[0].arguments))
        return says(reply.text)

    server.play = play
    settings.MODEL_URL, settings.MODEL_NAME = server.url, "some-model"
    settings.MODEL_KEY = "sk-secret-of-the-operator"
    return server
