"""From draft to retired: who may take which step, and what an item on trial does to a form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams import life_cycle
from exams.assembly.draw import PoolItem, is_capped, order_form, pilots_for
from exams.life_cycle import DEEDS, Deed, Standing, StepRefused, after, possible

PEOPLE = ["ada", "ben", "cy"]
WHY = "read twice"


# Pure -------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from(DEEDS), st.sampled_from(PEOPLE)), max_size=30))
def test_nothing_is_used_or_tried_that_two_people_have_not_read(
    deeds: list[tuple[Deed, str]],
) -> None:
    standing = Standing("draft")
    readers: set[str] = set()
    for deed, person in deeds:
        try:
            standing = after(standing, deed, by=person, reason=WHY)
        except StepRefused:
            continue
        if deed in {"send", "review"}:
            readers.add(person)
        if deed in {"return", "reopen"}:
            readers.clear()
        if standing.life in {"reviewed", "pilot", "operational"}:
            assert len(readers) >= 2
        assert (standing.sent_by is None) or standing.life == "draft"


@given(
    st.sampled_from(["draft", "reviewed", "pilot", "operational", "retired"]),
    st.sampled_from(PEOPLE),
)
def test_what_is_offered_is_what_is_taken(life: life_cycle.Life, person: str) -> None:
    standing = Standing(life, "ada" if life == "draft" else None)
    for deed in DEEDS:
        if deed in possible(standing, by=person):
            after(standing, deed, by=person, reason=WHY)
        else:
            with pytest.raises(StepRefused):
                after(standing, deed, by=person, reason=WHY)


def test_the_sender_is_not_the_second_reader() -> None:
    sent = after(Standing("draft"), "send", by="ada", reason=WHY)

    with pytest.raises(StepRefused, match="somebody else"):
        after(sent, "review", by="ada", reason=WHY)
    assert after(sent, "review", by="ben", reason=WHY) == Standing("reviewed")


@pytest.mark.parametrize("reason", ["", "  x  ", "x" * 501])
def test_a_step_without_a_reason_is_refused(reason: str) -> None:
    with pytest.raises(StepRefused, match="reason"):
        after(Standing("operational"), "retire", by="ada", reason=reason)


def test_an_item_in_use_is_not_a_draft_again_without_being_retired() -> None:
    assert possible(Standing("operational"), by="ada") == ("retire",)
    assert possible(Standing("retired"), by="ada") == ("reopen",)


# Exposure and trial, pure -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "forms", "most", "capped"),
    [
        (19, 19, 0.2, False),  # too few forms for a share
        (4, 20, 0.2, True),  # 5 of 21 would be more than a fifth
        (3, 20, 0.2, False),  # 4 of 21
        (99, 99, 1.0, False),  # no cap
    ],
)
def test_the_next_form_never_takes_an_item_over_its_cap(
    used: int, forms: int, most: float, capped: bool
) -> None:
    assert is_capped(used, forms, most=most) is capped


def item(name: str, *enemies: str, used: int = 0, seen: int = 0) -> PoolItem:
    return PoolItem(name, "d", frozenset(enemies), used, seen, {})


def test_the_least_tried_go_on_trial_and_never_an_enemy_or_an_acquaintance() -> None:
    pilots = [
        item("tried", used=9),
        item("fresh"),
        item("foe", "a"),
        item("rival", "fresh"),
        item("known", seen=1),
    ]

    taken = pilots_for(["a", "b"], pilots, most=2, seed="x")

    assert [one.id for one in taken] in (["fresh", "tried"], ["rival", "tried"])


def test_a_form_is_named_after_what_counts() -> None:
    chosen = [item("a"), item("b")]

    plain = order_form(chosen, seed="x")
    mixed = order_form(chosen, seed="x", pilots=[item("p")])

    assert plain.digest == mixed.digest
    assert {one.id: one.is_pilot for one in mixed.items} == {"a": False, "b": False, "p": True}


# With the database --------------------------------------------------------------------------------


@pytest.fixture
def with_pilots(pool: Any) -> None:
    """The invented pool with a blueprint that tries two, and three items on trial."""
    from exams.models import BlueprintVersion, Item

    version = BlueprintVersion.objects.get(exam="foundations")
    version.document = {**version.document, "pilots": 2}
    version.save()
    slugs = ["t-security-0", "t-observability-0", "t-human-oversight-0"]
    assert Item.objects.filter(slug__in=slugs).update(life="pilot") == 3


def test_items_on_trial_are_answered_and_never_counted(
    with_pilots: None, learner: Any, finish: Callable[..., Any]
) -> None:
    from exams import delivery, preparation
    from exams.models import ItemScore, PilotScore

    attempt = delivery.start(preparation.prepare(learner, "foundations"))
    pilots = attempt.items.filter(is_pilot=True)
    assert (attempt.items.count(), pilots.count()) == (26, 2)
    assert set(pilots.values_list("item_version__item__life", flat=True)) == {"pilot"}

    closed = finish(attempt, right=26)

    run = closed.result.grade_run
    assert (run.correct, run.of) == (24, 24)
    assert sum(score.of for score in run.domain_scores()) == 24
    assert not ItemScore.objects.filter(attempt_item__is_pilot=True).exists()
    assert sorted(PilotScore.objects.values_list("points", flat=True)) == [1, 1]


def test_wrong_answers_on_trial_change_nothing(
    with_pilots: None, learner: Any, right_answer: Any, save: Any
) -> None:
    from checkride.jobs import queue
    from exams import delivery, preparation
    from exams.models import PilotScore

    attempt = delivery.start(preparation.prepare(learner, "foundations"))
    for place in attempt.items.filter(is_pilot=False).select_related("item_version"):
        save(attempt, place.position, right_answer(place))
    delivery.hand_in(attempt.pk, arrival=delivery.Arrival(lambda: 0.0))
    queue.run_pending()
    attempt.refresh_from_db()

    assert attempt.result.grade_run.passed
    assert attempt.result.grade_run.correct == 24
    assert set(PilotScore.objects.values_list("points", flat=True)) == {0}


def test_the_candidate_is_told_that_some_are_on_trial_and_not_which(
    with_pilots: None, learner: Any, client: Any
) -> None:
    from exams import preparation

    client.force_login(learner)
    attempt = preparation.prepare(learner, "foundations")

    assert (
        "Up to 2 more items may be on trial" in client.get("/exams/foundations/").content.decode()
    )
    start = client.get(f"/exams/attempts/{attempt.pk}/").content.decode()
    assert "Your form is drawn: 26 items." in start
    assert "24 of the items count." in start
    client.post(f"/exams/attempts/{attempt.pk}/start/")
    for place in attempt.items.all():
        page = client.get(f"/exams/attempts/{attempt.pk}/items/{place.position}/").content.decode()
        assert f"Item {place.position} of 26" in page
        assert "trial" not in page


def test_a_capped_item_is_not_drawn(pool: Any, learner: Any) -> None:
    from exams import preparation
    from exams.assembly.draw import PoolTooSmall
    from exams.models import Attempt, AttemptItem, BlueprintVersion, Item

    version = BlueprintVersion.objects.get(exam="foundations")
    version.document = {**version.document, "most_exposure": 0.5}
    version.save()
    security = list(Item.objects.filter(domain="security").order_by("slug"))
    for number in range(20):
        attempt = Attempt.objects.create(
            exam="foundations",
            blueprint_version=version,
            form_seed="x",
            form_digest="x",
            prepared_at=version.loaded_at,
            time_allowed_s=60,
            grace_s=0,
        )
        # Three items stood on all forms, and the candidate has seen none; four on the first nine.
        held = security if number < 9 else security[:3]
        AttemptItem.objects.bulk_create(
            AttemptItem(
                attempt=attempt, position=place, item_version=one.current, domain="security"
            )
            for place, one in enumerate(held, start=1)
        )

    def drawn() -> set[str]:
        found = preparation.prepare(learner, "foundations")
        slugs = found.items.filter(domain="security")
        return set(slugs.values_list("item_version__item__slug", flat=True))

    assert drawn() <= {one.slug for one in security[3:]}

    Attempt.objects.filter(candidate=learner).delete()
    AttemptItem.objects.filter(item_version__item__in=security[3:]).delete()
    Item.objects.filter(pk__in=[one.pk for one in security[3:6]]).update(life="retired")
    with pytest.raises(PoolTooSmall, match="Security"):
        preparation.prepare(learner, "foundations")


def test_two_examiners_bring_a_draft_into_use_on_the_pages(
    pool: Any, examiner: Any, make_person: Any, client: Any
) -> None:
    from checkride.accounts.roles import Role
    from exams.models import Item, ItemStep

    Item.objects.filter(slug="t-security-0").update(life="draft")
    second = make_person("second_reader", Role.EXAMINER)

    def do(person: Any, deed: str) -> str:
        client.force_login(person)
        client.post(
            "/exams/examiner/lives/foundations/step/",
            {"item": "t-security-0", "deed": deed, "reason": f"{deed}: as agreed"},
        )
        return str(Item.objects.get(slug="t-security-0").life)

    assert do(examiner, "send") == "draft"
    assert do(examiner, "review") == "draft"
    assert do(examiner, "use") == "draft"
    assert do(second, "review") == "reviewed"
    assert do(second, "pilot") == "pilot"
    assert do(examiner, "use") == "operational"
    steps = ItemStep.objects.filter(item__slug="t-security-0").exclude(by=None)
    assert [(step.deed, step.by) for step in steps.order_by("pk")] == [
        ("send", examiner),
        ("review", second),
        ("pilot", second),
        ("use", examiner),
    ]
    page = client.get("/exams/examiner/lives/foundations/t-security-0/").content.decode()
    assert "pilot: as agreed" in page
    assert "reviewed to on trial" in page


def test_reading_an_item_with_its_key_is_recorded(pool: Any, examiner: Any, client: Any) -> None:
    from checkride.audit.models import AuditRow

    client.force_login(examiner)
    assert client.get("/exams/examiner/lives/foundations/t-security-0/").status_code == 200
    assert AuditRow.objects.filter(action="item.read").count() == 1


def test_loading_the_files_again_keeps_what_people_decided(read_pool: Any, examiner: Any) -> None:
    from exams import item_life, pool_files
    from exams.models import Item

    blueprint, document, entries = read_pool
    drafts = [
        (scored, {**entry, "life": "draft"}) if scored.id == "t-security-0" else (scored, entry)
        for scored, entry in entries
    ]
    from exams.scoring.item_files import item_from_document

    drafts = [(item_from_document(entry), entry) for _, entry in drafts]
    pool_files.store(blueprint, document, drafts)
    one = Item.objects.get(slug="t-security-0")
    assert one.life == "draft"
    Item.objects.filter(pk=one.pk).update(life="reviewed")
    item_life.step(one.pk, "use", by=examiner, reason="the exam opens")

    pool_files.store(blueprint, document, drafts)
    one.refresh_from_db()
    assert one.life == "operational"

    changed = [
        (scored, {**entry, "source": "another"} if scored.id == one.slug else entry)
        for scored, entry in drafts
    ]
    pool_files.store(blueprint, document, changed)
    one.refresh_from_db()
    # A new text is read anew.
    assert (one.life, one.current.number) == ("draft", 2)
