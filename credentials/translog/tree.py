"""The Merkle tree of RFC 6962, section 2: hashes, roots, and proofs of inclusion and consistency.

A tree is read through `Nodes`, so that proofs come out of tiles without loading every leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from checkride.lib.errors import DomainError

Hash = bytes
EMPTY_ROOT: Hash = hashlib.sha256(b"").digest()
HASH_SIZE = 32


class NotInTree(DomainError):
    code = "not-in-tree"
    sentence = "The log of {size} entries has no entry {index}, or was never that small."


class BadInclusion(DomainError):
    code = "bad-inclusion"
    sentence = "The proof does not lead from the entry to the root that the log signed."


class BadConsistency(DomainError):
    code = "bad-consistency"
    sentence = (
        "The log of {new} entries does not continue the log of {old} entries that was seen before: "
        "its past was rewritten. Keep both signed checkpoints; together they prove it."
    )


def leaf_hash(entry: bytes) -> Hash:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Nodes(Protocol):
    """Read access to the complete subtrees of a log."""

    def node(self, height: int, index: int) -> Hash:
        """The root of the complete subtree over the leaves [index * 2^height, +2^height)."""
        ...


@dataclass(frozen=True, slots=True)
class Leaves:
    """A tree whose leaf hashes are all at hand."""

    hashes: Sequence[Hash]

    def node(self, height: int, index: int) -> Hash:
        return combined(self.hashes[index << height : (index + 1) << height])


def combined(hashes: Sequence[Hash]) -> Hash:
    """The root over a power of two of neighbouring hashes."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[place], row[place + 1]) for place in range(0, len(row), 2)]
    return row[0]


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that has to be kept of a tree to go on with it: the roots of its complete subtrees,
    largest first, one for each bit that is set in `size`."""

    size: int = 0
    peaks: tuple[Hash, ...] = ()

    def with_leaf(self, leaf: Hash) -> Frontier:
        peaks, rest = list(self.peaks), self.size
        while rest & 1:
            leaf = node_hash(peaks.pop(), leaf)
            rest >>= 1
        return Frontier(self.size + 1, (*peaks, leaf))

    def with_leaves(self, leaves: Iterable[Hash]) -> Frontier:
        frontier = self
        for leaf in leaves:
            frontier = frontier.with_leaf(leaf)
        return frontier

    @property
    def root(self) -> Hash:
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def frontier(nodes: Nodes, size: int) -> Frontier:
    peaks, start = [], 0
    for height in range(size.bit_length() - 1, -1, -1):
        if size >> height & 1:
            peaks.append(nodes.node(height, start >> height))
            start += 1 << height
    return Frontier(size, tuple(peaks))


def root(nodes: Nodes, size: int) -> Hash:
    """MTH of RFC 6962 over the first `size` leaves."""
    return frontier(nodes, size).root


def _range(nodes: Nodes, start: int, end: int) -> Hash:
    """MTH(D[start:end]) for a range that the recursion of RFC 6962 arrives at."""
    width = end - start
    if width & (width - 1) == 0:
        height = width.bit_length() - 1
        return nodes.node(height, start >> height)
    split = start + _split(width)
    return node_hash(_range(nodes, start, split), _range(nodes, split, end))


def _split(width: int) -> int:
    """The largest power of two smaller than `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def inclusion(nodes: Nodes, index: int, size: int) -> tuple[Hash, ...]:
    """PATH(index, D[size]): from the leaf's sibling up. Raises `NotInTree`."""
    if not 0 <= index < size:
        raise NotInTree(index=index, size=size)
    path: list[Hash] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            path.append(_range(nodes, split, end))
            end = split
        else:
            path.append(_range(nodes, start, split))
            start = split
    return tuple(reversed(path))


def root_from_inclusion(leaf: Hash, index: int, size: int, path: Sequence[Hash]) -> Hash:
    """The root that `path` leads to (RFC 9162, 2.1.3.2). Raises `BadInclusion`."""
    if not 0 <= index < size:
        raise BadInclusion()
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0 or len(sibling) != HASH_SIZE:
            raise BadInclusion()
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while place and not place & 1:
                place >>= 1
                last >>= 1
        else:
            found = node_hash(found, sibling)
        place >>= 1
        last >>= 1
    if last != 0:
        raise BadInclusion()
    return found


def check_inclusion(
    leaf: Hash, index: int, size: int, path: Sequence[Hash], expected: Hash
) -> None:
    """Raises `BadInclusion` unless the leaf is entry `index` of the tree with this root."""
    if root_from_inclusion(leaf, index, size, path) != expected:
        raise BadInclusion()


def consistency(nodes: Nodes, old: int, new: int) -> tuple[Hash, ...]:
    """PROOF(old, D[new]) of RFC 6962, 2.1.2. Raises `NotInTree`."""
    if not 0 <= old <= new:
        raise NotInTree(index=old, size=new)
    if old in (0, new):
        return ()
    proof: list[Hash] = []
    start, end, whole = 0, new, True
    while old != end:
        split = start + _split(end - start)
        if old <= split:
            proof.append(_range(nodes, split, end))
            end = split
        else:
            proof.append(_range(nodes, start, split))
            start, whole = split, False
    if not whole:
        proof.append(_range(nodes, start, end))
    return tuple(reversed(proof))


def check_consistency(
    old: int, new: int, proof: Sequence[Hash], old_root: Hash, new_root: Hash
) -> None:
    """Raises `BadConsistency` unless the tree of `new` leaves begins with that of `old` leaves
    (RFC 9162, 2.1.4.2)."""
    wrong = BadConsistency(old=old, new=new)
    if not 0 <= old <= new:
        raise wrong
    if old == new:
        if proof or old_root != new_root:
            raise wrong
        return
    if old == 0:
        if proof or old_root != EMPTY_ROOT:
            raise wrong
        return
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise wrong
    place, last = old - 1, new - 1
    while place & 1:
        place >>= 1
        last >>= 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0 or len(sibling) != HASH_SIZE:
            raise wrong
        if place & 1 or place == last:
            first = node_hash(sibling, first)
            second = node_hash(sibling, second)
            while place and not place & 1:
                place >>= 1
                last >>= 1
        else:
            second = node_hash(second, sibling)
        place >>= 1
        last >>= 1
    if last != 0 or first != old_root or second != new_root:
        raise wrong
