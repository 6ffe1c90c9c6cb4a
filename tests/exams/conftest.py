"""A pool of invented items of every kind, and attempts drawn from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
# Planted wherever an author writes what a candidate must not read.
CANARY = "CANARY-7f3a"

KINDS = ["single", "multiple", "numeric", "ordering", "matching", "hotspot", "text"]


def _item(domain: str, number: int) -> dict[str, Any]:
    kind = KINDS[number % len(KINDS)]
    common = {
        "id": f"t-{domain}-{number}",
        "kind": kind,
        "domain": domain,
        "competencies": ["G1"],
        "level": "foundation",
        "cognition": "apply",
        "exam": ["foundations"],
        "seconds": 60,
        "difficulty": {"angoff": 0.6},
        "stem": f"Case {number} of {domain} needs a decision. What do you do?",
        "reasoning": CANARY,
        "source": CANARY,
    }
    wrong = {"believes": CANARY, "but": CANARY}
    right = {"key": True, "why": CANARY}
    match kind:
        case "single":
            parts: dict[str, Any] = {
                "options": [
                    {"id": name, "text": f"Plan {name}", **(right if name == "c" else wrong)}
                    for name in "abcd"
                ]
            }
        case "multiple":
            parts = {
                "choose": 2,
                "options": [
                    {"id": name, "text": f"Place {name}", **(right if name in "ad" else wrong)}
                    for name in "abcd"
                ],
            }
        case "numeric":
            parts = {"answer": {"value": 739182465, "unit": "cases", "tolerance": 1}, "why": CANARY}
        case "ordering":
            steps = ["write", "test", "widen"]
            parts = {"steps": [{"id": s, "text": f"Step {s}"} for s in steps], "key": steps}
        case "matching":
            parts = {
                "left": [{"id": "who", "text": "Who?"}, {"id": "when", "text": "When?"}],
                "right": [{"id": r, "text": f"The {r}"} for r in ("history", "trace", "board")],
                "key": {"who": "history", "when": "trace"},
                "why": {"who": CANARY, "when": CANARY},
            }
        case "text":
            parts = {"accepted": ["least privilege"], "refused": [CANARY], "why": CANARY}
        case _:
            parts = {
                "log": ["1 read  file", "2 guess price", "3 write  price"],
                "key": [2],
                "lines": {"2": {"why": CANARY}},
            }
    return {**common, **parts}


def _write_pool(folder: Path) -> Path:
    from exams.assembly.blueprint import read_blueprint

    blueprint = REPOSITORY / "exams" / "content" / "foundations" / "blueprint.yaml"
    (folder / "items").mkdir(parents=True)
    (folder / "blueprint.yaml").write_bytes(blueprint.read_bytes())
    domains = read_blueprint(blueprint.read_text(encoding="utf-8"), file="blueprint.yaml")[
        0
    ].domains
    for domain in domains:
        items = [_item(domain.id, number) for number in range(7)]
        # JSON is YAML, and needs no second writer.
        text = "checkride: items/1\nitems: " + json.dumps(items, indent=1)
        (folder / "items" / f"{domain.id}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def pool_folder(tmp_path: Path) -> Path:
    """A folder as authors keep it: the real Foundations blueprint, seven invented items a domain."""
    return _write_pool(tmp_path / "foundations")


@pytest.fixture(scope="session")
def read_pool(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same pool, read once: reading YAML takes longer than the rest of a test."""
    from exams import pool_files

    return pool_files.read_folder(_write_pool(tmp_path_factory.mktemp("pool") / "foundations"))


@pytest.fixture
def pool(db: None, read_pool: Any) -> Any:
    from exams import pool_files

    return pool_files.store(*read_pool)


@pytest.fixture
def ready_attempt(pool: Any, learner: Any) -> Any:
    """A drawn form that holds every kind of item. Drawing is random, and some forms of this
    pool lacks a kind that some test looks for: such a form is thrown away unseen and drawn again."""
    from exams import preparation

    while True:
        attempt = preparation.prepare(learner, "foundations")
        items = attempt.items.select_related("item_version")
        if {item.item_version.document["kind"] for item in items} == set(KINDS):
            return attempt
        attempt.delete()


@pytest.fixture
def open_attempt(ready_attempt: Any) -> Any:
    from exams import delivery

    return delivery.start(ready_attempt)


@pytest.fixture
def right_answer() -> Callable[[Any], dict[str, Any]]:
    """The payload that earns the point of an `AttemptItem`, in the signs of its form."""
    from .right_answers import right_answer as of

    return of


@pytest.fixture
def save() -> Callable[..., Any]:
    """Save an answer as a client would: `save(attempt, 3, payload, base_rev=1, seconds_ago=2)`."""
    count = iter(range(1, 10_000))

    def send(
        attempt: Any,
        position: int,
        payload: dict[str, Any],
        *,
        base_rev: int = 0,
        seconds_ago: float = 0.0,
        client: str = "tab-one",
        seq: int | None = None,
    ) -> Any:
        from exams import delivery

        return delivery.save_response(
            attempt.pk,
            position,
            delivery.Save(client, seq if seq is not None else next(count), base_rev, payload),
            arrival=delivery.Arrival(lambda: seconds_ago),
        )

    return send


@pytest.fixture
def deadline_was() -> Callable[[Any, float], None]:
    """Move a running attempt so that its deadline lies so many seconds back."""

    def move(attempt: Any, seconds_ago: float) -> None:
        from checkride.jobs.dbclock import database_now
        from exams.models import Attempt

        deadline = database_now() - timedelta(seconds=seconds_ago)
        started = deadline - timedelta(seconds=attempt.time_allowed_s)
        Attempt.objects.filter(pk=attempt.pk).update(deadline_at=deadline, started_at=started)
        attempt.refresh_from_db()

    return move


@pytest.fixture
def finish(right_answer: Callable[[Any], dict[str, Any]], save: Callable[..., Any]) -> Any:
    """Answer the first `right` items rightly, hand in, and let the workers grade."""

    def sit(attempt: Any, *, right: int) -> Any:
        from checkride.jobs import queue
        from exams import delivery

        for item in attempt.items.select_related("item_version")[:right]:
            save(attempt, item.position, right_answer(item))
        delivery.hand_in(attempt.pk, arrival=delivery.Arrival(lambda: 0.0))
        queue.run_pending()
        attempt.refresh_from_db()
        return attempt

    return sit
