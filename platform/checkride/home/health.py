"""Is the process alive, and can it serve? For supervisors and load balancers."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from checkride.embedded import servers
from checkride.jobs import queue

LONGEST_JOB_WAIT_S = 300


@require_safe
@never_cache
def livez(request: HttpRequest) -> JsonResponse:
    """The process answers. Nothing else is asked, so that a lost database does not restart it."""
    return JsonResponse({"alive": True})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Each part by name; 503 when one that pages need is away.

    A signer that is away delays credentials and breaks no page: it is reported, and ready stays.
    """
    parts = {
        "database": _works(_database),
        "migrations": _works(_migrated),
        "cache": _works(_cache),
    }
    ready = all(parts.values())
    jobs_wait_s = (
        round(queue.oldest_wait_s(), 1) if parts["database"] and parts["migrations"] else None
    )
    body = {
        "ready": ready,
        **parts,
        "signer": servers.answers(settings.SIGNER_SOCKET),
        "oldest_job_s": jobs_wait_s,
        "jobs": jobs_wait_s is not None and jobs_wait_s < LONGEST_JOB_WAIT_S,
    }
    return JsonResponse(body, status=200 if ready else 503)


def _works(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (
        Exception
    ):  # whatever the client library raises, the answer is the same: it does not work
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _migrated() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _cache() -> bool:
    cache.set("readyz", 1, 10)
    return bool(cache.get("readyz") == 1)
