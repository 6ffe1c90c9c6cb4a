"""What a learner of some weeks has done, and what it brought the people behind the desk.

Run by `manage.py shell` on the site that is looked at; everything is made by the functions that
make it on the site.
"""

from __future__ import annotations

import time

from checkride.accounts.models import User
from checkride.lib import clock
from courses import catalog, practice, studio, study
from credentials import apikeys, two_people, watching
from credentials.models import Credential
from exams import delivery, preparation, rehearsal
from exams.models import Attempt
from tests.exams.right_answers import right_answer


def person(word: str) -> User:
    return User.objects.get(email=f"{word}@checkride.example")


def reference(exercise_id: str) -> str:
    exercise = catalog.exercise(exercise_id)
    assert exercise is not None
    references = exercise.document["references"]
    assert isinstance(references, dict)
    return str(references.get("strong") or next(iter(references.values())))


def practise(user: User) -> None:
    for exercise_id in ("refund-triage", "refunds", "read-a-run-log", "approval-matrix"):
        found = study.exercise_for(user, exercise_id)
        assert found is not None
        # An empty answer first, so that there is something to compare with.
        for text in ("You are an agent.", reference(exercise_id)):
            practice.run(user, *found, text=text, at=clock.now())


def sit(user: User, *, right: int) -> None:
    attempt = delivery.start(preparation.prepare(user, "foundations"))
    for number, item in enumerate(attempt.items.select_related("item_version")[:right]):
        delivery.save_response(
            attempt.pk,
            item.position,
            delivery.Save("tab", number + 1, 0, right_answer(item)),
            arrival=delivery.Arrival(lambda: 0.0),
        )
    delivery.hand_in(attempt.pk, arrival=delivery.Arrival(lambda: 0.0))


def wait_for_the_credential(user: User) -> Credential:
    """Grading and issuing are jobs of the running worker."""
    for _ in range(600):
        found = Credential.objects.filter(user=user).first()
        if found:
            return found
        time.sleep(0.2)
    states = list(Attempt.objects.filter(user=user).values_list("state", flat=True))
    raise AssertionError(f"no credential within two minutes; attempts: {states}")


lena, ines, otto = person("learner"), person("instructor"), person("officer")
practise(lena)
sit(lena, right=22)
rehearsal.begin(lena)
process, _said = studio.begin(lena, title="Paying invoices", template="payments", file=None)
studio.share(process, shared=True)
credential = wait_for_the_credential(lena)
watching.begin(ines, credential, at=clock.now())
apikeys.make(ines, label="Our applicant system", at=clock.now())
two_people.propose_key_change(
    two_people.Deed.ROTATE, key_name="", note="The yearly change.", by=otto, at=clock.now()
)
print(credential.pk, credential.code)
