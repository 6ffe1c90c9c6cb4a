"""Notes, bookmarks and the place where reading stopped are the learner's own."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from checkride.accounts import personal_data
from checkride.accounts.models import User
from courses import catalog, notes, placement, reading, study
from courses.models import (
    Bookmark,
    LessonProgress,
    Note,
    PlacementResult,
    Reading,
    ReviewCard,
)

pytestmark = pytest.mark.django_db
LESSON = "/courses/foundations/lessons/f-one/"
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def signed_in(client: Client, learner: User) -> Client:
    client.force_login(learner)
    return client


def test_a_note_stands_under_its_heading_and_among_all_notes(
    loaded: Path, signed_in: Client
) -> None:
    sent = {"text": "Ask Dolores.\nOn Thursday.", "place": "your-decision"}
    answer = signed_in.post(LESSON + "notes/", sent)

    note = Note.objects.get()
    assert answer["Location"] == f"{LESSON}#note-{note.pk}"
    for address in (LESSON, "/notes/"):
        page = signed_in.get(address).content.decode()
        assert "Ask Dolores." in page
        assert "Your decision" in page


@pytest.mark.parametrize(
    ("text", "says"), [("", "The note is empty"), ("x" * 4001, "4,000 is the limit")]
)
def test_a_note_that_is_refused_stays_in_its_field(
    loaded: Path, signed_in: Client, text: str, says: str
) -> None:
    answer = signed_in.post(LESSON + "notes/", {"text": text, "place": ""})

    assert answer.status_code == 422
    page = answer.content.decode()
    assert says in page
    assert f">{text}</textarea>" in page
    assert not Note.objects.exists()


def test_a_refused_change_keeps_the_old_note_and_the_new_text(
    loaded: Path, signed_in: Client, learner: User
) -> None:
    note = Note.objects.create(user=learner, lesson="f-one", text="As it was")
    answer = signed_in.post(f"/notes/{note.pk}/", {"text": "y" * 5000})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "y" * 5000 in page
    assert "As it was" in page
    note.refresh_from_db()
    assert note.text == "As it was"


def test_a_note_can_be_changed_deleted_and_put_back(
    loaded: Path, signed_in: Client, learner: User
) -> None:
    note = Note.objects.create(user=learner, lesson="f-one", text="Old")
    signed_in.post(f"/notes/{note.pk}/", {"text": "New"})
    note.refresh_from_db()
    assert (note.text, note.changed_at is not None) == ("New", True)

    page = signed_in.post(f"/notes/{note.pk}/", {"do": "delete"}, follow=True).content.decode()
    assert "Put it back" in page
    assert not Note.objects.exists()

    signed_in.post("/notes/put-back/")
    assert Note.objects.get().text == "New"
    signed_in.post("/notes/put-back/")
    assert Note.objects.count() == 1


def test_a_note_of_somebody_else_does_not_exist(
    loaded: Path, signed_in: Client, other_learner: User
) -> None:
    note = Note.objects.create(user=other_learner, lesson="f-one", text="Hers")
    for do in ("change", "delete"):
        answer = signed_in.post(f"/notes/{note.pk}/", {"do": do, "text": "mine"})
        assert answer.status_code == 404
    note.refresh_from_db()
    assert note.text == "Hers"
    assert "Hers" not in signed_in.get(LESSON).content.decode()


def test_a_lesson_holds_a_limited_number_of_notes(loaded: Path, learner: User) -> None:
    found = catalog.lesson("f-one")
    assert found is not None
    Note.objects.bulk_create(
        Note(user=learner, lesson="f-one", text="n") for _ in range(notes.MOST_NOTES)
    )
    with pytest.raises(notes.TooManyNotes):
        notes.write(learner, found[1], text="one more", place="", at=AT)


def test_a_bookmark_is_set_and_taken_away(loaded: Path, signed_in: Client) -> None:
    sent = {"kind": "lesson", "slug": "f-one", "next": LESSON}
    assert signed_in.post("/bookmarks/", sent)["Location"] == LESSON
    assert "First lesson" in signed_in.get("/notes/").content.decode()
    assert "Take the bookmark away" in signed_in.get(LESSON).content.decode()
    signed_in.post("/bookmarks/", sent)
    assert not Bookmark.objects.exists()


@pytest.mark.parametrize(
    "sent", [{"kind": "lesson", "slug": "gone"}, {"kind": "course", "slug": "foundations"}, {}]
)
def test_only_what_is_there_can_be_marked(
    loaded: Path, signed_in: Client, sent: dict[str, str]
) -> None:
    assert signed_in.post("/bookmarks/", sent).status_code == 404


def test_a_bookmark_does_not_lead_to_another_site(loaded: Path, signed_in: Client) -> None:
    sent = {"kind": "lesson", "slug": "f-one", "next": "https://elsewhere.example/"}
    assert signed_in.post("/bookmarks/", sent)["Location"] == "/notes/"


def test_continue_leads_to_the_place_where_reading_stopped(
    loaded: Path, signed_in: Client, learner: User
) -> None:
    told = signed_in.post(LESSON + "reading/", {"place": "check-2", "seconds": "30"})
    assert told.json() == {"place": "check-2", "seconds": 30}

    step = study.next_step(learner)
    assert step is not None
    assert step.url == LESSON + "#check-2"
    assert "Go on where you stopped: question 2" in signed_in.get(LESSON).content.decode()


def test_reading_is_no_evidence(loaded: Path, signed_in: Client, learner: User) -> None:
    signed_in.post(LESSON + "reading/", {"place": "check-2", "seconds": "60"})
    state = study.course_state(learner, "foundations")
    assert state is not None
    assert (state.lessons_done, state.lessons[0].state) == (0, "begun")


@pytest.mark.parametrize("sent", [{}, {"place": "nowhere", "seconds": "-3"}, {"seconds": "9" * 40}])
def test_a_message_that_makes_no_sense_changes_nothing(
    loaded: Path, signed_in: Client, sent: dict[str, str]
) -> None:
    assert signed_in.post(LESSON + "reading/", sent).status_code == 200
    row = Reading.objects.get()
    assert (row.place, row.seconds) == ("", 0)


def test_seconds_do_not_run_ahead_of_the_clock(loaded: Path, learner: User) -> None:
    found = catalog.lesson("f-one")
    assert found is not None
    for after in (0, 5, 5, 5):
        reading.note_reading(
            learner, found[1], place="", seconds=60, at=AT + timedelta(seconds=after)
        )
    assert Reading.objects.get().seconds == 60 + 5


def test_minutes_are_shown_once_ten_readers_have_finished(
    loaded: Path, client: Client, make_person: object
) -> None:
    found = catalog.course("foundations")
    assert found is not None
    for n in range(10):
        user = make_person(f"reader_{n}")  # type: ignore[operator]
        enrolment = study.enrol(user, "foundations", at=AT)
        assert enrolment is not None
        Reading.objects.create(user=user, lesson="f-one", seconds=300 + 60 * n, at=AT)
        LessonProgress.objects.create(
            user=user, lesson="f-one", version=enrolment.version, done_at=AT if n < 9 else None
        )
    assert reading.measured(["f-one"]) == {}

    LessonProgress.objects.update(done_at=AT)
    assert reading.measured(["f-one"]) == {"f-one": reading.Measured(minutes=10, readers=10)}
    assert "half of 10 readers took 10 minutes or less" in client.get(LESSON).content.decode()


def test_export_and_erasure_hold_all_of_it(loaded: Path, learner: User) -> None:
    course, lesson = catalog.lesson("f-one")  # type: ignore[misc]
    study.answer_check(learner, course, lesson, check=1, option=1, at=AT)
    notes.write(learner, lesson, text="For my eyes", place="", at=AT)
    notes.toggle(learner, "lesson", "f-one", at=AT)  # type: ignore[arg-type]
    reading.note_reading(learner, lesson, place="check-1", seconds=20, at=AT)
    placement.keep(learner, {"q": 1}, placement.Verdict((), None), at=AT)

    archive = zipfile.ZipFile(io.BytesIO(personal_data.export_zip(learner, at=AT)))
    held = {
        name: json.loads(archive.read(f"courses/{name}.json"))
        for name in ("notes", "bookmarks", "reading", "reviews", "placement")
    }
    assert held["notes"][0]["text"] == "For my eyes"
    assert all(len(rows) == 1 for rows in held.values())

    personal_data.erase(learner, at=AT)
    for model in (Note, Bookmark, Reading, ReviewCard, PlacementResult):
        assert not model.objects.exists(), model  # type: ignore[attr-defined]
