"""What holds when several requests of one learner arrive at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from django.db import connection

from checkride.accounts.models import User
from checkride.lib.clock import now
from courses import catalog, practice, study, versions
from courses.models import ContentVersion, Draft, Submission

T = TypeVar("T")
TEXT = "Refund up to 75 dollars on your own."

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stored(content: Path) -> None:
    versions.load(catalog.curriculum())


def at_once(times: int, deed: Callable[[int], T]) -> list[T | Exception]:
    """Call `deed` in as many threads, each with a database connection of its own."""

    def one(number: int) -> T | Exception:
        try:
            return deed(number)
        except Exception as problem:  # the test looks at it
            return problem
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(one, range(times)))


def test_no_more_runs_are_counted_than_a_day_allows(
    stored: None, learner: User, settings: object
) -> None:
    settings.RUNS_PER_DAY = 3  # type: ignore[attr-defined]
    found = study.exercise_for(learner, "refund-triage")
    assert found is not None
    moment = now()
    said = at_once(6, lambda _n: practice.run(learner, *found, text=TEXT, at=moment))
    refused = [row for row in said if isinstance(row, practice.NoRunsLeft)]
    assert len(refused) == 3
    numbers = Submission.objects.filter(user=learner).values_list("number", flat=True)
    assert sorted(numbers) == [1, 2, 3]


def test_of_two_tabs_that_save_at_once_one_is_told(db: None, learner: User) -> None:
    practice.save_draft(learner, "x", text="before", over=None, at=now())
    said = at_once(
        4, lambda n: practice.save_draft(learner, "x", text=f"tab {n}", over=1, at=now())
    )
    assert sum(isinstance(row, practice.DraftMoved) for row in said) == 3
    assert Draft.objects.get().revision == 2


def test_processes_that_load_the_same_content_at_once_store_it_once(content: Path) -> None:
    said = at_once(4, lambda _n: versions.load(catalog.curriculum()))
    assert not [row for row in said if isinstance(row, Exception)]
    assert ContentVersion.objects.count() == 8
    assert sum(row.new for row in said if isinstance(row, versions.Loaded)) == 8
