"""The JSON-LD contexts credentials are signed against, read from disk and pinned by digest.

A context decides what a signature covers, so one that changed would change what we sign without
anybody noticing. Nothing is ever loaded from the network. The files are other people's work and
are written by `make setup` from npm packages, see `platform/frontend/build-contexts.mjs`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from checkride.lib import canonical
from checkride.lib.errors import DomainError

CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
# Without the extensions the type of `credentialSchema` is an undefined term: verifiers in safe
# mode refuse the document, and others sign an address that means nothing.
OPEN_BADGES_EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"

CREDENTIAL_CONTEXTS = (CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS)

# The address without a version, because that is the text a package holds. What 1EdTech serves as
# `context-2.0.1.json` adds terms (`partial`, a name of the person) and changes none that we use.
LEARNER_RECORD = "https://purl.imsglobal.org/spec/clr/v2p0/context.json"

TRANSCRIPT_CONTEXTS = (CREDENTIALS_V2, LEARNER_RECORD, OPEN_BADGES, OPEN_BADGES_EXTENSIONS)

FOLDER = Path(__file__).parent / "contexts"

# File name and SHA-256 of the canonical JSON. The address of Open Badges 3.0.3 has been served
# with two contents; this is the one of the specification's repository and of npm, and we use no
# term in which they differ.
_PINNED = MappingProxyType(
    {
        CREDENTIALS_V2: (
            "credentials-v2.json",
            "b463c8d6a066214123ddd9827b135e1b50e1fc73322cc52a9b12a4f1fc7d86cf",
        ),
        OPEN_BADGES: (
            "ob-v3p0-3.0.3.json",
            "c5e555a91a5cf48e32ae0a05674c61ddd5c053b680b5643b2f57f9965e386d99",
        ),
        OPEN_BADGES_EXTENSIONS: (
            "ob-v3p0-extensions.json",
            "15f4c347c6fe4380d9b6b93795859e33747ef48d5c55b91a71c52fb51c7bcbd7",
        ),
        LEARNER_RECORD: (
            "clr-v2p0.json",
            "a2dd0c0c07434663b7b54a51dd8a3363f6d5c420efa87e3d97b4ef8661596d44",
        ),
    }
)


class UnknownContext(DomainError):
    code = "unknown-context"
    sentence = "The document uses the JSON-LD context {address}, which is not one we know."


class ContextMissing(DomainError):
    code = "context-missing"
    sentence = (
        "The JSON-LD context file {file} is not there, so nothing can be signed or verified. "
        "Nothing was lost. Run make setup."
    )


class ContextAltered(DomainError):
    code = "context-altered"
    sentence = (
        "The JSON-LD context file {file} is not the one this program was written for, so nothing "
        "is signed or verified with it. Nothing was lost. Run make setup."
    )


def context(address: str, *, folder: Path = FOLDER) -> dict[str, Any]:
    """The context document at `address`; do not change the answer, it is shared.

    Raises `UnknownContext`, `ContextMissing` or `ContextAltered`.
    """
    if address not in _PINNED:
        raise UnknownContext(address=address)
    return _read(address, folder)


@cache
def _read(address: str, folder: Path) -> dict[str, Any]:
    name, expected = _PINNED[address]
    try:
        document = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ContextMissing(file=name) from error
    except ValueError as error:
        raise ContextAltered(file=name) from error
    if canonical.digest(document) != expected or not isinstance(document, dict):
        raise ContextAltered(file=name)
    return document
