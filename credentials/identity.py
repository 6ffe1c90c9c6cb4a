"""Who we are to the outside: the issuer, its addresses and its published keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.text import slugify

from checkride.lib.errors import DomainError
from credentials.openbadges import contexts, document, keys
from credentials.openbadges.dates import read


class KeysNotPublished(DomainError):
    code = "keys-not-published"
    sentence = (
        "The signer has not published its keys yet, so nothing can be verified. Nothing was lost. "
        "Start the signer with “python -m credentials.signer”, then try again."
    )


@dataclass(frozen=True, slots=True)
class Published:
    """What the signer tells the world: DID document, JSON Web Keys, and since when a key is used."""

    did: dict[str, Any]
    jwks: dict[str, Any]
    since: dict[str, datetime]

    def jwk(self, kid: str) -> dict[str, Any] | None:
        return next((key for key in self.jwks["keys"] if key["kid"] == kid), None)


def issuer() -> document.Issuer:
    return document.Issuer(
        id=keys.did_web(settings.SITE_URL),
        name=settings.ISSUER_NAME,
        url=settings.SITE_URL,
        image=address("credentials:seal"),
        email=settings.ISSUER_EMAIL,
    )


def issuer_slug() -> str:
    """The issuer in the address of its profile, e.g. `checkride`."""
    return slugify(settings.ISSUER_NAME) or "issuer"


def profile() -> dict[str, Any]:
    """The issuer as Open Badges describe one, as JSON-LD; the same object that every credential
    quotes, with `@context` beside it."""
    return {"@context": list(contexts.CREDENTIAL_CONTEXTS), **document.issuer_profile(issuer())}


def address(name: str, *parts: object) -> str:
    """The full public address of one of our pages."""
    return settings.SITE_URL + reverse(name, args=parts)


def published_file() -> Path:
    return Path(settings.VAR) / "issuer-keys.json"


def published() -> Published:
    """The issuer's public keys. Raises `KeysNotPublished` before the signer's first start."""
    file = published_file()
    try:
        changed = file.stat().st_mtime_ns
    except FileNotFoundError as error:
        raise KeysNotPublished() from error
    return _read(file, changed)


@lru_cache(maxsize=4)
def _read(file: Path, changed: int) -> Published:
    data = json.loads(file.read_text(encoding="utf-8"))
    return Published(
        did=data["did"],
        jwks=data["jwks"],
        since={kid: read(text) for kid, text in data["since"].items()},
    )
