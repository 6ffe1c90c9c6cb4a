"""Finding a learner's own rows; what belongs to somebody else does not exist."""

from __future__ import annotations

from django.http import Http404

from checkride.accounts.models import User
from courses.models import Submission


def own_submission(user: User, exercise_id: str, number: int) -> Submission:
    """The person's run of that number, or 404."""
    submission = (
        Submission.objects.filter(user=user, exercise=exercise_id, number=number)
        .select_related("report")
        .first()
    )
    if submission is None:
        raise Http404
    return submission
