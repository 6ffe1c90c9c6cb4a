"""The two short cuts of canonicalising never change an answer: held against the long way round."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pyoxigraph
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkride.lib.errors import DomainError
from credentials.openbadges import contexts, rdf

# Bits of contexts, relative and absolute addresses, prefixes, keywords and plain words.
_TEXTS = (
    *("assertionMethod", "Achievement", "OpenBadgeCredential", "Percent", "@type", "@nonsense"),
    *("https://a.example/x", "relative/path", "", "ext:Skill", "_:b0", "xsd:string", "plain words"),
    *("name", "cred:x", "urn:uuid:0a4b8a55-2a8e-4a9b-9a2b-6f4c2a0d9b11", "ltr"),
)
_KEYS = (
    *("grade", "name", "id", "type", "tag", "alignment", "image", "@id", "@value", "direction"),
    *("achievement", "proof", "proofPurpose", "ext:more", "language", "result"),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for name in value:
            if name != "@context":
                found += _places(value[name], (*path, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            found += _places(item, (*path, number))
    return found


def _mutated(document: dict[str, Any], luck: random.Random) -> dict[str, Any]:
    one = copy.deepcopy(document)
    for _ in range(luck.randrange(3)):
        path = luck.choice(_places(one))
        parent: Any = one
        for step in path[:-1]:
            parent = parent[step]
        here: Any = parent[path[-1]] if path else one
        if isinstance(here, dict) and luck.random() < 0.6:
            here[luck.choice(_KEYS)] = luck.choice(
                [luck.choice(_TEXTS), {"id": luck.choice(_TEXTS)}, [luck.choice(_TEXTS)], 1, None]
            )
        elif path:
            parent[path[-1]] = luck.choice([luck.choice(_TEXTS), 86, None, [], {}])
    return one


def _lost(document: dict[str, Any], check: Any) -> str:
    try:
        check(document, load=contexts.context)
    except rdf.LostTerm:
        return "lost"
    except DomainError:
        return "refused"
    return "whole"


def _check_long(document: dict[str, Any], *, load: Any) -> None:
    rdf._context_addresses(document)
    rdf.expanded_without_loss(document, load=load)


def _nquads_long(document: dict[str, Any], *, load: Any) -> bytes:
    whole = {**document, "@context": [load(name)["@context"] for name in document["@context"]]}
    dataset = pyoxigraph.Dataset(
        pyoxigraph.parse(json.dumps(whole), format=pyoxigraph.RdfFormat.JSON_LD)
    )
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    lines = pyoxigraph.serialize(dataset, format=pyoxigraph.RdfFormat.N_QUADS)
    assert lines is not None
    return b"".join(sorted(lines.splitlines(keepends=True)))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32))
def test_a_changed_credential_is_read_as_without_the_short_cuts(house: Any, seed: int) -> None:
    luck = random.Random(seed)
    one = _mutated(house.plain(score_percent=70 + seed % 30), luck)

    assert _lost(one, rdf.refuse_lost_terms) == _lost(one, _check_long)
    try:
        rdf._refuse_costly(one)
        expected = _nquads_long(one, load=contexts.context)
    except (DomainError, SyntaxError, ValueError):
        return
    assert rdf.canonical_nquads(one) == expected


def test_a_form_that_was_remembered_does_not_cover_a_lost_term(house: Any) -> None:
    plain = house.plain()
    rdf.refuse_lost_terms(plain)
    rdf.refuse_lost_terms(house.plain(score_percent=91, holder_name="Somebody Else"))

    for change in ({"grade": "A"}, {"id": "relative"}, {"type": ["OpenBadgeCredential", "Other"]}):
        assert _lost({**plain, **change}, rdf.refuse_lost_terms) == "lost", change
