"""Where a log's hashes and entries lie (C2SP tlog-tiles), and how they are read from there.

A hash tile holds 256 neighbouring hashes of one level (every eighth height of the tree), an entry
bundle 256 entries, each with its length before it. The last one of a level may hold fewer.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from checkride.lib.errors import DomainError
from credentials.translog.tree import HASH_SIZE, Hash, NotInTree, combined

WIDTH = 256
HEIGHT = 8
MAX_LEVEL = 63
MAX_ENTRY = 0xFFFF
_LENGTH = struct.Struct(">H")
_PATH = re.compile(
    r"tile/(?P<level>0|[1-9][0-9]?|entries)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class BadTile(DomainError):
    code = "bad-tile"
    sentence = "The log’s file {path} is missing or damaged, so the log cannot be checked."


@dataclass(frozen=True, slots=True)
class TilePath:
    """`level` is None for an entry bundle; `width` is 256 for a full tile."""

    level: int | None
    index: int
    width: int = WIDTH

    def __str__(self) -> str:
        digits = f"{self.index:03d}"
        digits = digits.rjust(-(-len(digits) // 3) * 3, "0")
        groups = [digits[place : place + 3] for place in range(0, len(digits), 3)]
        name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        level = "entries" if self.level is None else self.level
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{name}{partial}"


def parsed(path: str) -> TilePath:
    """The inverse of `str`. Raises `BadTile` for any other spelling of a tile's path."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise BadTile(path=path[:80])
    level = None if found["level"] == "entries" else int(found["level"])
    tile = TilePath(
        level=level,
        index=int(found["index"].replace("x", "").replace("/", "")),
        width=int(found["width"]) if found["width"] else WIDTH,
    )
    if str(tile) != path or (level or 0) > MAX_LEVEL:
        raise BadTile(path=path[:80])
    return tile


def covering(level: int | None, index: int, size: int) -> TilePath:
    """The tile of a log of `size` entries that holds hash `index` of a level, as wide as it is."""
    have = size >> (HEIGHT * (level or 0))
    if index >= have:
        raise NotInTree(index=index, size=size)
    number = index // WIDTH
    return TilePath(level, number, min(WIDTH, have - number * WIDTH))


def bundle(entries: Sequence[bytes]) -> bytes:
    """Entries as they lie one after the other. Raises `ValueError` for one above 65,535 bytes."""
    if any(len(entry) > MAX_ENTRY for entry in entries):
        raise ValueError("An entry of the log is at most 65,535 bytes.")
    return b"".join(_LENGTH.pack(len(entry)) + entry for entry in entries)


def unbundled(data: bytes) -> Iterator[bytes]:
    """The whole entries in `data`. Raises `ValueError` when a part of an entry is left over."""
    place = 0
    while place < len(data):
        start = place + _LENGTH.size
        if start > len(data):
            raise ValueError("a part of a length is left over")
        (length,) = _LENGTH.unpack_from(data, place)
        place = start + length
        if place > len(data):
            raise ValueError("a part of an entry is left over")
        yield data[start:place]


Fetch = Callable[[str], bytes]


@dataclass(slots=True)
class TiledLog:
    """A log of `size` entries as anybody reads it: `fetch` gives the bytes of a path.

    `fetch` raises `BadTile` for what is not there. Tiles never change, so each is read once.
    """

    fetch: Fetch
    size: int
    _tiles: dict[TilePath, bytes] = field(default_factory=dict)

    def node(self, height: int, index: int) -> Hash:
        level, rest = divmod(height, HEIGHT)
        first, count = index << rest, 1 << rest
        tile = covering(level, first + count - 1, self.size)
        start = first - tile.index * WIDTH
        data = self._tile(tile)
        return combined(
            [
                data[place * HASH_SIZE : (place + 1) * HASH_SIZE]
                for place in range(start, start + count)
            ]
        )

    def _tile(self, tile: TilePath) -> bytes:
        if tile not in self._tiles:
            data = self.fetch(str(tile))
            if len(data) != tile.width * HASH_SIZE:
                raise BadTile(path=str(tile))
            self._tiles[tile] = data
        return self._tiles[tile]

    def leaf(self, index: int) -> Hash:
        return self.node(0, index)

    def entries(self, start: int) -> Iterator[bytes]:
        """The entries from number `start` on. Raises `BadTile`."""
        index = start
        while index < self.size:
            tile = covering(None, index, self.size)
            try:
                found = list(unbundled(self.fetch(str(tile))))
            except ValueError as error:
                raise BadTile(path=str(tile)) from error
            if len(found) != tile.width:
                raise BadTile(path=str(tile))
            yield from found[index - tile.index * WIDTH :]
            index = tile.index * WIDTH + tile.width

    def entry(self, index: int) -> bytes:
        """Raises `NotInTree` or `BadTile`."""
        covering(None, index, self.size)
        return next(self.entries(index))
