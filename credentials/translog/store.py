"""The log on disk. The signer appends; everybody else reads.

    entries      every entry with its length before it, one after the other: an entry bundle of
                 tlog-tiles is a slice of this file. What is in here is in the log.
    ends         for each entry the byte in `entries` where it ends, 8 bytes each
    level-0      the hash of each entry, 32 bytes each: a hash tile is a slice of this file
    level-1 ...  the hash of each complete group of 256 of the level below
    checkpoint   the signed state; replaced in one step, after all of the above

All but the last only ever grow. Only `entries` and `checkpoint` are flushed to disk before a
signature leaves; the others follow from `entries` and are completed at the next start.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from checkride.lib.errors import DomainError
from credentials.translog import entry as entries
from credentials.translog import note, tiles, tree

_END = struct.Struct(">Q")


class BrokenPublicLog(DomainError):
    code = "broken-public-log"
    sentence = (
        "The transparency log in {folder} is not what was signed: {problem}. Somebody changed it, "
        "so nothing is signed. Find out who, then restore the folder from backup."
    )


class LogInUse(DomainError):
    code = "log-in-use"
    sentence = "Another signer is writing the log in {folder}. Stop it first; nothing was changed."


class CutOff(DomainError):
    code = "log-cut-off"
    sentence = (
        "The last write to the log in {folder} failed, so nothing more is signed. Nothing that was "
        "signed is lost. Make room on the disk and restart the signer; it mends the log."
    )


class NoLog(DomainError):
    code = "no-log"
    sentence = "There is no transparency log in {folder} yet. It is made when the signer starts."


@dataclass(frozen=True, slots=True)
class Store:
    """Read access to a log on disk, with the paths of tlog-tiles."""

    folder: Path

    def checkpoint(self) -> str:
        """Raises `NoLog`."""
        try:
            return (self.folder / "checkpoint").read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise NoLog(folder=self.folder) from error

    def fetch(self, path: str) -> bytes:
        """`checkpoint`, a tile or an entry bundle. Raises `NoLog` or `BadTile`."""
        if path == "checkpoint":
            return self.checkpoint().encode()
        tile = tiles.parsed(path)
        start, end = tile.index * tiles.WIDTH, tile.index * tiles.WIDTH + tile.width
        if tile.level is None:
            start, end = self._end(start, path), self._end(end, path)
            return self._slice("entries", start, end, path)
        name = f"level-{tile.level}"
        return self._slice(name, start * tree.HASH_SIZE, end * tree.HASH_SIZE, path)

    def _end(self, count: int, path: str) -> int:
        """The byte in `entries` where the first `count` entries end."""
        if count == 0:
            return 0
        found: tuple[int] = _END.unpack(
            self._slice("ends", (count - 1) * _END.size, count * _END.size, path)
        )
        return found[0]

    def _slice(self, name: str, start: int, end: int, path: str) -> bytes:
        try:
            with (self.folder / name).open("rb") as file:
                file.seek(start)
                data = file.read(end - start)
        except FileNotFoundError as error:
            raise tiles.BadTile(path=path) from error
        if len(data) != end - start:
            raise tiles.BadTile(path=path)
        return data

    def log(self, size: int) -> tiles.TiledLog:
        return tiles.TiledLog(self.fetch, size)


class Log:
    """The one writer of a log. Opening it checks every entry against the signed state.

    `announced` are the commitments to public documents that are in the log, newest last.
    """

    def __init__(self, folder: Path, origin: str, private: Ed25519PrivateKey) -> None:
        """Raises `BrokenPublicLog` or `LogInUse`; makes an empty log where there is none."""
        self.origin = origin
        self.store = Store(folder)
        self._private = private
        self._frontier = tree.Frontier()
        self._bytes = 0
        # Of each level the hashes since its last full tile.
        self._tails: list[list[tree.Hash]] = []
        self._cut_off = False
        self.announced: dict[entries.Kind, list[bytes]] = {"did": [], "achievement": []}
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self._lock = os.open(folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise LogInUse(folder=folder) from error
        try:
            self._recover()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        os.close(self._lock)

    @property
    def size(self) -> int:
        return self._frontier.size

    def append(self, new: Sequence[entries.Entry]) -> int:
        """Add entries and sign the new state; the number of the first. When it returns, they are
        on disk and published. Raises `CutOff` after a write that failed."""
        if self._cut_off:
            raise CutOff(folder=self.store.folder)
        first = self.size
        data = [one.data for one in new]
        # Until all is written, what lies on disk may end in the middle.
        self._cut_off = True
        self._write("entries", tiles.bundle(data), flush=True)
        self._follow(data)
        for one in new:
            self._remember(one)
        self._sign()
        self._cut_off = False
        return first

    def entry(self, index: int) -> entries.Entry:
        return entries.parsed(self.store.log(self.size).entry(index))

    # Reading and mending at the start

    def _recover(self) -> None:
        folder = self.store.folder
        file = folder / "entries"
        data = file.read_bytes() if file.exists() else b""
        signed = self._signed(entries_exist=bool(data))
        whole = _whole_part(data)
        found = list(tiles.unbundled(data[:whole]))
        if len(found) < signed.size:
            self._broken("entries are missing")
        if whole != len(data):
            # The last append was cut off by a crash before anything was signed for it.
            os.truncate(file, whole)
        files = {path.name: path.read_bytes() for path in folder.glob("level-*")}
        files["ends"] = (folder / "ends").read_bytes() if (folder / "ends").exists() else b""
        expected = self._expected(found, signed)
        for name, old in files.items():
            if not expected.get(name, b"").startswith(old):
                self._broken(f"{name} does not follow from the entries")
        for name, content in expected.items():
            self._write(name, content[len(files.get(name, b"")) :])
        for one in found:
            # Most entries are issues, and nothing of them is needed here.
            if b'"t":"issue"' not in one:
                self._remember(self._read(one))
        if signed.size != self.size or not (folder / "checkpoint").exists():
            self._sign()

    def _read(self, data: bytes) -> entries.Entry:
        try:
            return entries.parsed(data)
        except entries.BadEntry:
            self._broken("an entry is not in the form this log writes")

    def _signed(self, *, entries_exist: bool) -> note.Checkpoint:
        key = note.private_key_name(self._private, self.origin)
        try:
            return note.opened(self.store.checkpoint(), key).checkpoint
        except NoLog:
            if entries_exist:
                self._broken("its signed state is gone")
            return note.Checkpoint(self.origin, 0, tree.EMPTY_ROOT)
        except (note.BadNote, note.NotSigned, UnicodeDecodeError):
            self._broken("its signed state was not signed with the log’s key")

    def _expected(self, found: Sequence[bytes], signed: note.Checkpoint) -> dict[str, bytes]:
        """What the other files must hold; the frontier is built on the way."""
        files: dict[str, bytearray] = {"ends": bytearray()}
        if signed.size == 0 and signed.root != tree.EMPTY_ROOT:
            self._broken("its signed state has a wrong root")
        for one in found:
            for name, content in self._step(one):
                files.setdefault(name, bytearray()).extend(content)
            if self.size == signed.size and self._frontier.root != signed.root:
                self._broken("its entries do not lead to the signed root")
        return {name: bytes(content) for name, content in files.items()}

    def _broken(self, problem: str) -> NoReturn:
        raise BrokenPublicLog(folder=self.store.folder, problem=problem)

    def _remember(self, one: entries.Entry) -> None:
        if one.kind in self.announced:
            self.announced[one.kind].append(one.commitment)

    # Writing

    def _step(self, data: bytes) -> list[tuple[str, bytes]]:
        """Go on by one entry: what it adds to each file that follows from `entries`."""
        found = tree.leaf_hash(data)
        self._frontier = self._frontier.with_leaf(found)
        self._bytes += 2 + len(data)
        added = [("ends", _END.pack(self._bytes)), ("level-0", found)]
        for level in range(tiles.MAX_LEVEL):
            if level == len(self._tails):
                self._tails.append([])
            self._tails[level].append(found)
            if len(self._tails[level]) < tiles.WIDTH:
                break
            found = tree.combined(self._tails[level])
            self._tails[level] = []
            added.append((f"level-{level + 1}", found))
        return added

    def _follow(self, data: Sequence[bytes]) -> None:
        files: dict[str, bytearray] = {}
        for one in data:
            for name, content in self._step(one):
                files.setdefault(name, bytearray()).extend(content)
        for name, added in files.items():
            self._write(name, bytes(added))

    def _write(self, name: str, content: bytes, *, flush: bool = False) -> None:
        if not content and name != "entries":
            return
        file = self.store.folder / name
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.fchmod(descriptor, 0o644)
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
            if flush:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _sign(self) -> None:
        state = note.Checkpoint(self.origin, self.size, self._frontier.root)
        replace(self.store.folder / "checkpoint", str(note.sign(state, self._private)))


def _whole_part(data: bytes) -> int:
    """How many bytes at the start of `data` are whole entries."""
    place = 0
    while place + 2 <= len(data):
        end = place + 2 + int.from_bytes(data[place : place + 2], "big")
        if end > len(data):
            break
        place = end
    return place


def replace(file: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace `file` in one step and flush it: a reader sees the old text or the new one."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        os.fchmod(descriptor, mode)
        out.write(text)
        out.flush()
        os.fsync(descriptor)
    fresh.replace(file)
