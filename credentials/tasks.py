"""Work done in the background: awarding, signing, telling the holder, renewing the lists."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from checkride.jobs import queue
from checkride.jobs.dbclock import database_now
from checkride.jobs.periodic import every
from checkride.lib import clock
from credentials import awarding, revoking, signing, telling, watch, watching
from exams import outcomes

log = structlog.get_logger(__name__)


def on_result_released(sender: object, *, result_id: int, **_more: object) -> None:
    """Listener of `exams.outcomes.result_released`."""
    # A result may be released anew with a better score; awarding twice changes nothing.
    key = f"{result_id}:{database_now().isoformat()}"
    queue.enqueue("credentials.award", key=key, payload={"result": result_id})


def on_result_withdrawn(sender: object, *, source_id: str, **_more: object) -> None:
    """Listener of `exams.outcomes.result_withdrawn`."""
    key = f"{source_id}:{database_now().isoformat()}"
    queue.enqueue("credentials.withdraw", key=key, payload={"source": source_id})


@queue.handler("credentials.withdraw")
def withdraw(payload: dict[str, Any]) -> dict[str, Any]:
    return {"revoked": revoking.withdraw(payload["source"])}


@every(60)
def withdraw_lost_passes() -> None:
    """The signal of a withdrawal can get lost with the process that sent it; this cannot."""
    for source_id in outcomes.withdrawn_passes(database_now() - timedelta(days=30)):
        revoking.withdraw(source_id)


@queue.handler("credentials.award")
def award(payload: dict[str, Any]) -> dict[str, Any]:
    passed = outcomes.released_pass(payload["result"])
    if passed is None:
        return {"credential": None}
    return {"credential": str(awarding.award(passed).id)}


@queue.handler("credentials.sign")
def sign(payload: dict[str, Any]) -> dict[str, Any]:
    return {"signed": awarding.sign(UUID(payload["credential"]))}


@queue.handler("credentials.sign-list")
def sign_list(payload: dict[str, Any]) -> dict[str, Any]:
    return {"signed": revoking.sign_list(payload["number"])}


@queue.handler("credentials.tell-holder")
def tell_holder(payload: dict[str, Any]) -> dict[str, Any]:
    awarding.tell_holder(UUID(payload["credential"]))
    return {}


@queue.handler("credentials.tell-status")
def tell_status(payload: dict[str, Any]) -> dict[str, Any]:
    return {"told": telling.tell_status(UUID(payload["credential"]), payload["what"])}


@every(3600)
def remind_of_expiry() -> None:
    now = clock.now()
    for number in telling.to_remind(at=now).values_list("pk", flat=True):
        telling.remind(number, at=now)


@every(60)
def award_missed_passes() -> None:
    awarding.sweep()


@every(60)
def renew_lists() -> None:
    for number in revoking.lists_to_sign():
        try:
            revoking.sign_list(number)
        except (signing.SignerAway, signing.SignerRefused) as problem:
            log.warning("credentials.list_not_signed", number=number, problem=problem.message)


@every(60)
def look_for_rogue_signatures() -> None:
    try:
        watch.compare_with_log()
    except signing.SignerAway as problem:
        log.warning("credentials.log_not_compared", problem=problem.message)


@queue.handler(watching.TELL_JOB)
def tell_watcher(payload: dict[str, Any]) -> dict[str, Any]:
    went = watching.tell(
        UUID(payload["watch"]),
        before=payload["before"],
        now=payload["now"],
        changed_at=payload["at"],
        at=database_now(),
    )
    return {"went": went}


@every(60)
def tell_watchers() -> None:
    watching.sweep(at=database_now())
