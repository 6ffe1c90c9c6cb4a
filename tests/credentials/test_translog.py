"""The log's tree, files, notes and proofs, without a site."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials.translog import entry as entries
from credentials.translog import note, proof, store, tiles, tree

ORIGIN = "checkride.example/log"
START = datetime(2026, 11, 10, 9, 13, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = note.private_key_name(KEY, ORIGIN)

# The eight leaves and roots that implementations of RFC 6962 are tried with.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
LEAVES += ["606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def some_entries(count: int, *, salt: str = "") -> list[entries.Entry]:
    return [
        entries.Entry(
            "issue",
            START + timedelta(seconds=place),
            hashlib.sha256(f"{salt}{place}".encode()).digest(),
        )
        for place in range(count)
    ]


def leaves(count: int) -> tree.Leaves:
    return tree.Leaves([tree.leaf_hash(b"%d" % place) for place in range(count)])


@pytest.fixture
def new_log(tmp_path: Path) -> Iterator[Callable[..., store.Log]]:
    """Open the log in a folder: `new_log("name")`; opening it again closes it first."""
    opened: dict[str, store.Log] = {}

    def make(name: str = "log", *, key: Ed25519PrivateKey = KEY) -> store.Log:
        if name in opened:
            opened.pop(name).close()
        opened[name] = store.Log(tmp_path / name, ORIGIN, key)
        return opened[name]

    yield make
    for log in opened.values():
        with contextlib.suppress(OSError):
            log.close()


# The tree ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_that_others_know(size: int) -> None:
    hashes = [tree.leaf_hash(bytes.fromhex(text)) for text in LEAVES]

    assert tree.root(tree.Leaves(hashes), size).hex() == ROOTS[size]
    assert tree.Frontier().with_leaves(hashes[:size]).root.hex() == ROOTS[size]


@given(st.integers(1, 700), st.data())
@settings(max_examples=150, deadline=None)
def test_every_inclusion_proof_holds_and_no_other_leaf_fits_it(size: int, data: Any) -> None:
    nodes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1))
    root = tree.root(nodes, size)

    path = tree.inclusion(nodes, index, size)

    tree.check_inclusion(nodes.hashes[index], index, size, path, root)
    if other != index:
        with pytest.raises(tree.BadInclusion):
            tree.check_inclusion(nodes.hashes[other], index, size, path, root)
        with pytest.raises(tree.BadInclusion):
            tree.check_inclusion(nodes.hashes[index], other, size, path, root)


@given(st.integers(0, 600), st.integers(0, 600), st.data())
@settings(max_examples=150, deadline=None)
def test_every_consistency_proof_holds_and_no_changed_one(one: int, two: int, data: Any) -> None:
    old, new = sorted((one, two))
    nodes = leaves(new)
    before, after = tree.root(nodes, old), tree.root(nodes, new)

    path = tree.consistency(nodes, old, new)

    tree.check_consistency(old, new, path, before, after)
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        changed = [*path[:place], hashlib.sha256(path[place]).digest(), *path[place + 1 :]]
        for wrong in (changed, path[:-1], [*path, path[0]]):
            with pytest.raises(tree.BadConsistency):
                tree.check_consistency(old, new, wrong, before, after)


@given(st.integers(2, 400), st.data())
@settings(max_examples=60, deadline=None)
def test_a_tree_with_another_past_has_no_consistency_proof(new: int, data: Any) -> None:
    nodes = leaves(new)
    old = data.draw(st.integers(1, new))
    place = data.draw(st.integers(0, old - 1))
    hashes = list(nodes.hashes)
    hashes[place] = tree.leaf_hash(b"rewritten")
    other = tree.Leaves(hashes)

    with pytest.raises(tree.BadConsistency):
        tree.check_consistency(
            old,
            new,
            tree.consistency(other, old, new),
            tree.root(nodes, old),
            tree.root(other, new),
        )


# Outside judges ----------------------------------------------------------------------------------


def test_pymerkle_has_the_same_roots() -> None:
    judge = pytest.importorskip("pymerkle")
    theirs = judge.InmemoryTree(algorithm="sha256")
    for place in range(300):
        theirs.append_entry(b"%d" % place)

    for size in (1, 2, 3, 5, 8, 13, 100, 255, 256, 257, 300):
        assert tree.root(leaves(size), size) == theirs.get_root(size)


@pytest.fixture(scope="module")
def aics() -> Any:
    """Another implementation of the C2SP documents; the package index gives it to Python 3.12."""
    return pytest.importorskip("aics_tlog", reason="aics-tlog needs Python 3.12")


class ReadsUs:
    """Our files under the interface of `aics_tlog`."""

    def __init__(self, folder: Path) -> None:
        self._store = store.Store(folder)

    def _read(self, level: int | None, index: int, width: int | None) -> bytes | None:
        try:
            return self._store.fetch(str(tiles.TilePath(level, index, width or tiles.WIDTH)))
        except tiles.BadTile:
            return None

    def read_tile(self, level: int, index: int, width: int | None) -> bytes | None:
        return self._read(level, index, width)

    def read_entry_bundle(self, index: int, width: int | None) -> bytes | None:
        return self._read(None, index, width)


def test_another_implementation_accepts_every_tile_and_bundle(
    aics: Any, new_log: Callable[..., store.Log]
) -> None:
    log = new_log()
    log.append(some_entries(700))
    state = note.parsed(log.store.checkpoint()).checkpoint

    aics.audit_tiles(ReadsUs(log.store.folder), state.size, state.root)


def test_another_implementation_accepts_our_proofs(
    aics: Any, new_log: Callable[..., store.Log]
) -> None:
    log = new_log()
    log.append(some_entries(300))
    nodes, root = log.store.log(300), tree.root(log.store.log(300), 300)

    for index in (0, 1, 255, 256, 299):
        path = tree.inclusion(nodes, index, 300)
        assert aics.verify_inclusion(nodes.leaf(index), index, 300, list(path), root)
    for old in (1, 2, 200, 256, 299):
        path = tree.consistency(nodes, old, 300)
        assert aics.verify_consistency(old, 300, tree.root(nodes, old), root, list(path))


def test_another_implementation_accepts_our_checkpoint_and_a_witness(
    aics: Any, new_log: Callable[..., store.Log]
) -> None:
    log = new_log()
    log.append(some_entries(3))
    witness = Ed25519PrivateKey.generate()
    cosigned = note.cosign(
        note.parsed(log.store.checkpoint()), witness, "witness.example", at=START
    )
    public = note.private_key_name(witness, "witness.example", note.COSIGNATURE)

    result = aics.verify_checkpoint(
        aics.parse_note(str(cosigned)),
        aics.parse_vkey(str(PUBLIC)),
        [aics.parse_vkey(str(public))],
        1,
        expected_origin=ORIGIN,
    )

    assert result.ok, result


# Tiles and files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (tiles.TilePath(0, 0), "tile/0/000"),
        (tiles.TilePath(0, 0, 5), "tile/0/000.p/5"),
        (tiles.TilePath(2, 1234067), "tile/2/x001/x234/067"),
        (tiles.TilePath(None, 1000, 255), "tile/entries/x001/000.p/255"),
    ],
)
def test_a_tile_has_the_path_of_the_specification(tile: tiles.TilePath, path: str) -> None:
    assert str(tile) == path
    assert tiles.parsed(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/x000/001",
        "tile/00/000",
        "tile/64/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/05",
        "tile/0/001/x000",
        "tile/0/../entries",
        "tile/0/000/",
    ],
)
def test_no_other_spelling_of_a_path_is_read(path: str) -> None:
    with pytest.raises(tiles.BadTile):
        tiles.parsed(path)


@given(st.lists(st.binary(max_size=300), max_size=40))
def test_entries_come_out_of_a_bundle_as_they_went_in(found: list[bytes]) -> None:
    packed = tiles.bundle(found)

    assert list(tiles.unbundled(packed)) == found
    # One byte less is never read as the same entries.
    if packed and found[-1]:
        with pytest.raises(ValueError, match="left over"):
            list(tiles.unbundled(packed[:-1]))


def test_the_files_give_the_same_tree_however_the_entries_came(
    new_log: Callable[..., store.Log],
) -> None:
    one, many = new_log("one"), new_log("many")
    all_entries = some_entries(600)
    one.append(all_entries)
    for start in range(0, 600, 7):
        many.append(all_entries[start : start + 7])

    assert one.store.checkpoint() == many.store.checkpoint()
    for path in ("tile/0/001", "tile/1/000.p/2", "tile/entries/002.p/88"):
        assert one.store.fetch(path) == many.store.fetch(path)


def test_a_level_of_a_large_log_is_made_of_the_level_below(
    new_log: Callable[..., store.Log],
) -> None:
    log = new_log()
    log.append(some_entries(65_536 + 5))
    reader = log.store.log(log.size)
    hashes = [tree.leaf_hash(data) for data in reader.entries(0)]

    root = tree.root(tree.Leaves(hashes), len(hashes))

    assert note.parsed(log.store.checkpoint()).checkpoint.root == root
    assert len(log.store.fetch("tile/2/000.p/1")) == 32
    path = tree.inclusion(reader, 65_537, log.size)
    tree.check_inclusion(hashes[65_537], 65_537, log.size, path, root)


def test_a_log_goes_on_after_a_restart(new_log: Callable[..., store.Log]) -> None:
    new_log().append(some_entries(300))

    again = new_log()
    first = again.append(some_entries(1, salt="later"))

    assert first == 300
    hashes = [tree.leaf_hash(one) for one in again.store.log(301).entries(0)]
    signed = note.opened(again.store.checkpoint(), PUBLIC).checkpoint
    assert signed.root == tree.root(tree.Leaves(hashes), 301)


@pytest.mark.parametrize("name", ["ends", "level-0", "level-1"])
def test_what_a_crash_left_unwritten_is_completed(
    new_log: Callable[..., store.Log], name: str
) -> None:
    log = new_log()
    log.append(some_entries(300))
    file = log.store.folder / name
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])

    new_log()

    assert file.read_bytes() == whole


def test_an_entry_that_was_cut_off_is_dropped_and_a_whole_one_is_kept(
    new_log: Callable[..., store.Log],
) -> None:
    log = new_log()
    log.append(some_entries(3))
    late = some_entries(5)[3:]
    with (log.store.folder / "entries").open("ab") as file:
        file.write(tiles.bundle([one.data for one in late])[:-1])

    again = new_log()

    assert again.size == 4
    assert note.opened(again.store.checkpoint(), PUBLIC).checkpoint.size == 4
    assert again.append(late[1:]) == 4


@pytest.mark.parametrize("name", ["entries", "ends", "level-0", "level-1", "checkpoint"])
def test_a_changed_file_stops_the_signer(new_log: Callable[..., store.Log], name: str) -> None:
    log = new_log()
    log.append(some_entries(300))
    file = log.store.folder / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))

    with pytest.raises(store.BrokenPublicLog):
        new_log()


def test_a_log_that_was_shortened_stops_the_signer(new_log: Callable[..., store.Log]) -> None:
    log = new_log()
    log.append(some_entries(3))
    kept = (log.store.folder / "entries").read_bytes()
    log.append(some_entries(3, salt="more"))
    (log.store.folder / "entries").write_bytes(kept)

    with pytest.raises(store.BrokenPublicLog, match="missing"):
        new_log()


def test_two_signers_do_not_write_one_log(new_log: Callable[..., store.Log]) -> None:
    log = new_log()

    with pytest.raises(store.LogInUse):
        store.Log(log.store.folder, ORIGIN, KEY)


def test_everybody_may_read_the_log_and_nobody_else_may_write_it(
    new_log: Callable[..., store.Log],
) -> None:
    log = new_log()
    log.append(some_entries(300))

    for name in ("entries", "ends", "level-0", "level-1", "checkpoint"):
        assert (log.store.folder / name).stat().st_mode & 0o777 == 0o644


# Notes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_keys_of_other_logs_are_read_and_written_the_same(text: str) -> None:
    assert str(note.verifier_key(text)) == text


def test_a_key_with_a_wrong_hash_is_refused() -> None:
    text = str(PUBLIC)
    wrong = text.replace(PUBLIC.key_id.hex(), "00000000")

    with pytest.raises(note.BadNote):
        note.verifier_key(wrong)


def signed(size: int = 3) -> str:
    return str(note.sign(note.Checkpoint(ORIGIN, size, bytes(32)), KEY))


@given(st.data())
def test_a_checkpoint_with_one_changed_letter_is_refused(data: Any) -> None:
    text = signed()
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters(codec="ascii"))
    changed = text[:place] + letter + text[place + 1 :]

    if changed != text:
        with pytest.raises((note.BadNote, note.NotSigned)):
            note.opened(changed, PUBLIC)


def test_a_checkpoint_by_another_key_or_for_another_log_is_refused() -> None:
    other = Ed25519PrivateKey.generate()
    foreign = note.sign(note.Checkpoint("other.example/log", 3, bytes(32)), KEY)

    with pytest.raises(note.NotSigned):
        note.opened(str(note.sign(note.Checkpoint(ORIGIN, 3, bytes(32)), other)), PUBLIC)
    with pytest.raises(note.NotSigned):
        note.opened(str(foreign), PUBLIC)


def test_a_witness_signs_the_time_with_the_checkpoint() -> None:
    witness = Ed25519PrivateKey.generate()
    key = note.private_key_name(witness, "witness.example", note.COSIGNATURE)
    at = datetime(2026, 11, 20, 9, 31, tzinfo=UTC)

    cosigned = note.opened(
        str(note.cosign(note.parsed(signed()), witness, key.name, at=at)), PUBLIC
    )

    assert note.witnessed_at(cosigned, key) == at
    other = note.parsed(signed(4)).checkpoint
    with pytest.raises(note.NotSigned):
        note.witnessed_at(note.SignedCheckpoint(other, cosigned.signatures), key)


# Entries and proofs ------------------------------------------------------------------------------


def test_an_entry_is_read_as_it_was_written() -> None:
    for one in (some_entries(1)[0], entries.Entry("issue", START, bytes(32), replaces=7)):
        assert entries.parsed(one.data) == one


@pytest.mark.parametrize(
    "change",
    [
        {"t": "forget"},
        {"v": 2},
        {"at": "yesterday"},
        {"c": "AAAA"},
        {"name": "Daniela"},
        {"r": -1.5},
        {"r": True},
    ],
)
def test_an_entry_in_another_form_is_refused(change: dict[str, Any]) -> None:
    said = json.loads(some_entries(1)[0].data)

    with pytest.raises(entries.BadEntry):
        entries.parsed(json.dumps(said | change, separators=(",", ":"), sort_keys=True).encode())


def test_an_entry_is_in_time_for_a_day() -> None:
    assert entries.is_in_time(START + timedelta(hours=24), START)
    assert not entries.is_in_time(START + timedelta(hours=24, seconds=1), START)


@pytest.fixture
def logged(house: Any, new_log: Callable[..., store.Log]) -> tuple[dict[str, Any], str]:
    """A credential among 20 entries, and the text of its proof."""
    credential, nonce = house.credential(), bytes(range(32))
    log = new_log()
    log.append(some_entries(11))
    one = entries.Entry("issue", START, entries.commitment(nonce, credential))
    index = log.append([one])
    log.append(some_entries(8, salt="after"))
    checkpoint = note.opened(log.store.checkpoint(), PUBLIC)
    made = proof.made(log.store.log(20), checkpoint, entry=one.data, nonce=nonce, index=index)
    return credential, str(made)


def test_a_proof_says_where_and_since_when_a_credential_is_in_the_log(
    logged: tuple[dict[str, Any], str],
) -> None:
    credential, text = logged

    found = proof.verified(text, credential, PUBLIC)

    assert text.startswith("c2sp.org/tlog-proof@v1\nextra ")
    assert (found.index, found.entry.at) == (11, START)
    assert str(proof.parsed(text)) == text


def test_a_proof_does_not_fit_a_credential_with_one_changed_word(
    logged: tuple[dict[str, Any], str],
) -> None:
    credential, text = logged
    credential["credentialSubject"]["result"][0]["value"] = "84"

    with pytest.raises(proof.OtherCredential):
        proof.verified(text, credential, PUBLIC)


def test_no_proof_with_a_changed_line_is_accepted(logged: tuple[dict[str, Any], str]) -> None:
    from checkride.lib.errors import DomainError

    credential, text = logged
    lines = text.split("\n")
    refused = 0
    for place, line in enumerate(lines):
        if not line:
            continue
        letter = "B" if line[-2] != "B" else "C"
        changed = "\n".join([*lines[:place], line[:-2] + letter + line[-1], *lines[place + 1 :]])
        with pytest.raises(DomainError):
            proof.verified(changed, credential, PUBLIC)
        refused += 1
    assert refused == len([line for line in lines if line])


@pytest.mark.parametrize("text", ["", "c2sp.org/tlog-proof@v1", "\n\n\n", "x" * 200_000])
def test_what_is_no_proof_is_refused(text: str, house: Any) -> None:
    with pytest.raises(proof.BadProof):
        proof.verified(text, house.credential(), PUBLIC)


@given(st.text(max_size=200))
def test_no_text_makes_the_readers_stumble(text: str) -> None:
    for read, refusals in (
        (proof.parsed, (proof.BadProof,)),
        (note.parsed, (note.BadNote,)),
        (note.verifier_key, (note.BadNote,)),
        (lambda words: entries.parsed(words.encode()), (entries.BadEntry,)),
    ):
        with pytest.raises(refusals):
            read(text)


def test_the_key_of_the_log_is_found_beside_the_issuers_and_signs_no_credential(
    house: Any,
) -> None:
    from credentials.openbadges import keys, verify
    from credentials.openbadges import proof as data_integrity

    log_key = keys.new_log_key(at=START)
    did = keys.did_document(house.issuer, [house.ed25519, house.rsa], log_key)

    assert proof.log_key(did) == note.VerifierKey(ORIGIN, log_key.public_bytes)
    forged = data_integrity.signed(house.plain(), issuer=house.issuer, key=log_key, at=START)
    assert not verify.verify(forged, did=did, status_list=None, at=house.now).genuine
    with pytest.raises(proof.NoLogKey):
        proof.log_key(house.did)
