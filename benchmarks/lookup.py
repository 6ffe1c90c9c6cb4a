"""Looking a credential up: what its page costs, and what guessing codes is worth.

On an installation of its own, with 1,000 credentials and then with 1,000,000 (rows and entries of
the public log alike; all but twenty are rows that nobody signed, with a short document, because
only their number counts). `lookup` is the time a credential's page takes in this process, all
middleware included, the database and the cache asked; it takes turns with an empty page of the site
(`empty-page`) and with a view that answers one word (`bare-view`), so that other work on the
machine slows all three. A page seen before is not verified again, as on the site.

`code-guesses` asks the database for 1,000,000 well-formed random codes among the 1,000,000, by the
condition of the look-up itself, and then floods the look-up page from one network.
"""

from __future__ import annotations

import os
import secrets
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.exam_hall.installation import Installation

NAMES = ("lookup", "lookup-1000000", "empty-page", "bare-view", "code-guesses")

FEW, MANY, SIGNED = 1_000, 1_000_000, 20
ROUNDS = 150
# Against an empty page of the site, and with a thousand times as many.
MOST_TIMES_EMPTY, MOST_GROWTH = 3.0, 1.2
GUESSES, ASKED_AT_ONCE, FLOOD = 1_000_000, 2_000, 500


def main() -> int:
    with Installation(parts=("postgres", "redis")) as hall:
        print(hall.run("-m", "benchmarks.lookup", "inside"), end="")
    return 0


def inside() -> None:
    """What runs on the installation."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "checkride.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.http import HttpRequest, HttpResponse
    from django.shortcuts import render
    from django.test import Client
    from django.urls import path

    from checkride import urls

    def bare(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("yes")

    def empty(request: HttpRequest) -> HttpResponse:
        return render(request, "credentials/page.html")

    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["*"]
    urls.urlpatterns[:0] = [path("bench/bare", bare), path("bench/empty", empty)]
    client = Client(headers={"Accept": "text/html"})

    with _signer() as (log, passes):
        signed = _issued(passes)
        pages = [f"/credentials/{number}" for number in signed]
        found = {}
        for count in (FEW, MANY):
            _fill(count, log)
            found[count] = _timed(client, pages)
        _report(found)
        _guess(client, found[MANY]["bare"])


Timed = dict[str, float]


def _report(found: dict[int, Timed]) -> None:
    few, many = found[FEW], found[MANY]
    times, growth = _in_empty_pages(few), _in_empty_pages(many) / _in_empty_pages(few)
    print(
        f"lookup {few['page']:.1f} ms (with {FEW:,} credentials; {times:.2f} times an empty page, "
        f"limit {MOST_TIMES_EMPTY:.0f}; {few['page'] / few['bare']:.1f} times a bare view)"
    )
    print(
        f"lookup-{MANY} {many['page']:.1f} ms (with {MANY:,} credentials; measured in empty pages "
        f"{growth:.2f} times what it is with {FEW:,}, limit {MOST_GROWTH})"
    )
    print(f"empty-page {few['empty']:.1f} ms (the same middleware and page, nothing on it)")
    print(f"bare-view {few['bare']:.1f} ms (the same middleware, one word)")


def _in_empty_pages(timed: Timed) -> float:
    return timed["page"] / timed["empty"]


def _timed(client: Any, pages: list[str]) -> Timed:
    """Medians in milliseconds, the three taking turns."""
    for page in pages:
        if client.get(page).status_code != 200:
            raise SystemExit(f"{page} does not answer.")
    asked: dict[str, Callable[[int], str]] = {
        "page": lambda turn: pages[turn % len(pages)],
        "empty": lambda _turn: "/bench/empty",
        "bare": lambda _turn: "/bench/bare",
    }
    took: dict[str, list[float]] = {name: [] for name in asked}
    for turn in range(ROUNDS):
        for name, address in asked.items():
            began = time.perf_counter()
            answer = client.get(address(turn))
            took[name].append(time.perf_counter() - began)
            if answer.status_code != 200:
                raise SystemExit(f"{address(turn)} answers {answer.status_code}.")
    return {name: 1000 * statistics.median(each) for name, each in took.items()}


@contextmanager
def _signer() -> Iterator[tuple[Any, dict[str, Any]]]:
    """A real signer on a real socket, its public log, and the passes it finds."""
    from django.conf import settings

    from checkride.lib import clock
    from credentials import identity, signer

    settings.SIGNER_SOCKET = Path(tempfile.mkdtemp(prefix="ck-")) / "signer.sock"
    folder = signer.KeyFolder(settings.VAR / "signer", identity.published_file())
    keyring = folder.open(at=clock.now())
    log = folder.open_log(identity.issuer().id, settings.VAR / "translog", at=clock.now())
    passes: dict[str, Any] = {}
    one = signer.Signer(
        site_url=settings.SITE_URL,
        issuer=identity.issuer(),
        keyring=keyring,
        log=signer.SignatureLog(folder.log),
        find_pass=passes.get,
        public_log=log,
    )
    one.announce(folder.publish(identity.issuer().id, keyring))
    server = signer.Server(settings.SIGNER_SOCKET, one)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield log, passes
    server.shutdown()
    server.server_close()
    log.close()


def _issued(passes: dict[str, Any]) -> list[uuid.UUID]:
    """`SIGNED` credentials of one person, signed, with a signed revocation list."""
    from checkride.accounts.models import User
    from checkride.lib import clock
    from credentials import awarding, revoking, signer
    from exams.outcomes import DomainScore, ReleasedPass

    user = User.objects.create(email="holder@example.org", name="Holder Sample")
    numbers = []
    for place in range(SIGNED):
        at = clock.now().replace(microsecond=0) - timedelta(minutes=5 + place)
        passed = ReleasedPass(
            source_id=str(uuid.uuid4()),
            user_id=user.id,
            holder_name=user.name,
            exam_slug="foundations",
            achievement="agent-foundations",
            score_percent=83,
            cut_percent=70,
            domain_scores=tuple(
                DomainScore(name, right, 3)
                for name, right in (
                    *(("Input governance", 3), ("Output validation", 2), ("Data protection", 3)),
                    *(("Observability", 2), ("Deployment safety", 3), ("Human oversight", 3)),
                    *(("Security", 2), ("Vendor resilience", 2)),
                )
            ),
            items=24,
            minutes_allowed=30,
            form="C",
            started_at=at - timedelta(minutes=40),
            released_at=at,
            grader_digest="0f" * 32,
        )
        passes[passed.source_id] = signer.Pass(
            achievement=passed.achievement,
            holder_name=passed.holder_name,
            score_percent=passed.score_percent,
            cut_percent=passed.cut_percent,
            released_at=passed.released_at,
            holder=user.id,
        )
        row = awarding.award(passed)
        awarding.sign(row.id)
        numbers.append(row.id)
    for number in revoking.lists_to_sign():
        revoking.sign_list(number)
    return numbers


def _fill(count: int, log: Any) -> None:
    """Make it `count` credentials, and as many entries in the public log."""
    from django.db import connection

    from checkride.lib import clock
    from credentials.openbadges import statuslist
    from credentials.translog.entry import Entry

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM credentials_credential")
        there = cursor.fetchone()[0]
        # Lists of their own: no draw has to find a free place among these.
        cursor.execute(
            "INSERT INTO credentials_statuslist (number, digest, changed_at) "
            "SELECT n, '', now() FROM generate_series(1000, 1000 + %s / %s) n "
            "ON CONFLICT DO NOTHING",
            [count, statuslist.SIZE],
        )
        cursor.execute(
            """
            INSERT INTO credentials_credential (
                id, achievement_id, user_id, source_id, code, subject, evidence, score_percent,
                cut_percent, awarded_at, valid_from, valid_until, status_list_id, status_index,
                name_shown, holder_name, revision, signed_revision, document, jwt, digest,
                signed_at, log_index, log_nonce
            )
            SELECT gen_random_uuid(), one.achievement_id, NULL, 'filler ' || n,
                upper(left(md5(n::text), 16)), gen_random_uuid(), '{}', 83, 70,
                now() - n * interval '1 second', now() - n * interval '1 second',
                now() + interval '1 year' + n * interval '1 second', list.id, n %% %s,
                false, '', 1, 1, '{"filler": true}', '', md5(n::text), now(), n, ''
            FROM generate_series(%s::int, %s::int) n
            CROSS JOIN (SELECT achievement_id FROM credentials_credential LIMIT 1) one
            JOIN credentials_statuslist list ON list.number = 1000 + n / %s
            """,
            [statuslist.SIZE, there, count - 1, statuslist.SIZE],
        )
        cursor.execute("ANALYZE credentials_credential")
    while log.size < count:
        few = min(20_000, count - log.size)
        log.append([Entry("issue", clock.now(), secrets.token_bytes(32)) for _ in range(few)])


def _guess(client: Any, bare_ms: float) -> None:
    """Look for codes that nobody gave out, in the database and through the page."""
    from django.core.cache import cache
    from django.db import connection

    from credentials.models import Credential
    from credentials.openbadges import shortcode

    signed = Credential.objects.filter(document__isnull=False, erased_at__isnull=True)
    began, hits = time.perf_counter(), 0
    for _ in range(GUESSES // ASKED_AT_ONCE):
        codes = [shortcode.new(secrets.randbelow) for _ in range(ASKED_AT_ONCE)]
        hits += signed.filter(code__in=codes).count()
    took = time.perf_counter() - began
    # The search itself must be able to find: otherwise nothing found means nothing.
    known = Credential.objects.filter(source_id__startswith="filler").values_list("code", flat=True)
    if signed.filter(code__in=list(known[:7])).count() != 7:
        raise SystemExit("The search for codes does not find the codes that are there.")

    cache.clear()
    answers: list[int] = []
    refused: list[float] = []
    for _ in range(FLOOD):
        start = time.perf_counter()
        answer = client.get("/verify/", {"code": shortcode.new(secrets.randbelow)})
        answers.append(answer.status_code)
        if answer.status_code == 429:
            refused.append(1000 * (time.perf_counter() - start))
    connection.close()
    years = 2**75 / MANY / (30 * 60 * 24 * 365)
    print(
        f"code-guesses {hits} found (of {GUESSES:,} among {MANY:,} credentials, in {took:.0f} s "
        f"without the limiter; of {FLOOD} from one network within a minute or two "
        f"{answers.count(404)} were looked up and {len(refused)} refused, each for "
        f"{statistics.median(refused):.1f} ms (a bare view: {bare_ms:.1f}); at 30 a minute the first "
        f"hit is {years:.0e} years away)"
    )
    if hits:
        raise SystemExit("A guess found a credential.")


if __name__ == "__main__":
    sys.exit(inside() if sys.argv[1:] == ["inside"] else main())
