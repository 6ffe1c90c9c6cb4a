"""How often one network may look codes up."""

from __future__ import annotations

import ipaddress
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest

from checkride.lib.errors import DomainError

# A person checks a pile of certificates at this pace; guessing 75 random bits does not work at it.
LOOKUPS_PER_MINUTE = 30
LISTS_PER_MINUTE = 3
# A program with a key is known by name, so it may ask more.
CHECKS_PER_KEY_AND_MINUTE = 600


class TooManyLookups(DomainError):
    code = "too-many-lookups"
    sentence = "Too many look-ups came from your network. Wait a minute, then try again."


def network(address: str) -> str:
    """The network an address belongs to: /24 for IPv4, /48 for IPv6."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    prefix = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network(f"{parsed}/{prefix}", strict=False))


def count_lookup(request: HttpRequest) -> None:
    """Count one look-up in Redis, shared by all web processes. Raises `TooManyLookups`."""
    _count(request, "lookups", most=LOOKUPS_PER_MINUTE)


def count_list(request: HttpRequest) -> None:
    """Count the check of a whole list. Raises `TooManyLookups`."""
    _count(request, "lists", most=LISTS_PER_MINUTE)


# Each one is a signature, and a line in two logs that are kept for ever.
TRANSCRIPTS_PER_MINUTE = 3


class TooManyTranscripts(DomainError):
    code = "too-many-transcripts"
    sentence = (
        "You asked for {most} records within a minute. The ones you have stay valid. "
        "Wait a minute, then ask again."
    )


def count_transcript(user: UUID) -> None:
    """Count a learner record that a person asks for. Raises `TooManyTranscripts`."""
    if _counted(f"transcripts:{user}", 1) > TRANSCRIPTS_PER_MINUTE:
        raise TooManyTranscripts(most=TRANSCRIPTS_PER_MINUTE)


class TooManyChecks(DomainError):
    code = "too-many-checks"
    sentence = (
        "This key asked for more than {most} checks within a minute. Nothing was checked. "
        "Wait a minute, then go on."
    )


def count_checks(key: int, number: int) -> None:
    """Count `number` checks by an API key. Raises `TooManyChecks`."""
    if _counted(f"api-checks:{key}", number) > CHECKS_PER_KEY_AND_MINUTE:
        raise TooManyChecks(most=CHECKS_PER_KEY_AND_MINUTE)


def _count(request: HttpRequest, what: str, *, most: int) -> None:
    # The address is the proxy's word only for as many proxies as the settings trust.
    if _counted(f"{what}:{network(get_adapter().get_client_ip(request))}", 1) > most:
        raise TooManyLookups()


def _counted(key: str, number: int) -> int:
    """How many there were within the minute, with these."""
    cache.add(key, 0, timeout=60)
    try:
        return cache.incr(key, number)
    except ValueError:
        return 0  # the minute ended between the two lines
