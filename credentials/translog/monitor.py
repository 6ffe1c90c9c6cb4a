"""Following a log: is what is there now what was there before, and more?

The monitor reads every entry since the last time and goes on with the tree it remembers. If that
does not lead to the root the log signed, the past was rewritten, and the two signed checkpoints are
the proof. Its memory is a `State`, which `as_json` turns into text for a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from checkride.lib.errors import DomainError
from credentials.openbadges.dates import read
from credentials.translog import entry as entries
from credentials.translog import note, proof, tiles, tree
from credentials.translog.entry import CLOCKS


class Forked(DomainError):
    code = "log-forked"
    sentence = (
        "The log of {new} entries does not continue the log of {old} entries that was seen before: "
        "its past was rewritten. Both checkpoints are signed by the log; together they prove it. "
        "Keep them.\n\nSeen before:\n{before}\nSeen now:\n{now}"
    )


class BadState(DomainError):
    code = "bad-monitor-state"
    sentence = (
        "{file} is not what a monitor wrote, so the log cannot be compared with what was seen "
        "before. Restore the file; without it the past counts as unseen."
    )


@dataclass(frozen=True, slots=True)
class State:
    """What a monitor remembers. `checkpoint` is the newest one it found to be consistent;
    `public` the commitments to public documents; `replaced` which entries were signed anew."""

    checkpoint: str
    frontier: tree.Frontier = field(default_factory=tree.Frontier)
    newest_at: datetime | None = None
    public: frozenset[bytes] = frozenset()
    issues: frozenset[int] = frozenset()
    replaced: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the log: how it is now, what is to be remembered, and what is wrong with it."""

    checkpoint: note.SignedCheckpoint
    state: State
    new: int
    findings: tuple[str, ...]


def follow(fetch: tiles.Fetch, key: note.VerifierKey, before: State | None, at: datetime) -> Seen:
    """Read the log from where the last look ended.

    Raises `Forked`, `note.NotSigned`, `note.BadNote` or `tiles.BadTile`; then `before` stays what
    is to be remembered.
    """
    text = _text(fetch("checkpoint"))
    signed = note.opened(text, key)
    now = signed.checkpoint
    old = before or State("")
    if now.size < old.frontier.size:
        raise _forked(old, text, now)
    log = tiles.TiledLog(fetch, now.size)
    watch = _Watch(old, at)
    frontier = old.frontier
    for data in log.entries(old.frontier.size) if now.size > old.frontier.size else ():
        leaf = tree.leaf_hash(data)
        if log.leaf(frontier.size) != leaf:
            raise tiles.BadTile(path=str(tiles.covering(0, frontier.size, now.size)))
        watch.look_at(frontier.size, data)
        frontier = frontier.with_leaf(leaf)
    if frontier.root != now.root:
        if not old.frontier.size:
            raise tree.BadInclusion()
        raise _forked(old, text, now)
    state = State(
        text, frontier, watch.newest_at, watch.public, watch.issues, frozenset(watch.replaced)
    )
    return Seen(signed, state, now.size - old.frontier.size, tuple(watch.findings))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise note.BadNote(problem="it is not a text") from error


def _forked(old: State, text: str, now: note.Checkpoint) -> Forked:
    return Forked(old=old.frontier.size, new=now.size, before=old.checkpoint, now=text)


class _Watch:
    """Looks at one entry after the other."""

    def __init__(self, old: State, at: datetime) -> None:
        self.newest_at = old.newest_at
        self.findings: list[str] = []
        self._public = set(old.public)
        self._issues = set(old.issues)
        self.replaced = set(old.replaced)
        self._at = at

    @property
    def public(self) -> frozenset[bytes]:
        return frozenset(self._public)

    @property
    def issues(self) -> frozenset[int]:
        return frozenset(self._issues)

    def look_at(self, index: int, data: bytes) -> None:
        try:
            entry = entries.parsed(data)
        except entries.BadEntry as problem:
            self.findings.append(f"Entry {index}: {problem.message}")
            return
        if self.newest_at and entry.at < self.newest_at - CLOCKS:
            self.findings.append(f"Entry {index} is dated before an entry that stands above it.")
        if entry.at > self._at + CLOCKS:
            self.findings.append(f"Entry {index} is dated in the future.")
        self.newest_at = max(entry.at, self.newest_at or entry.at)
        if entry.kind in ("did", "statuslist", "achievement"):
            self._public.add(entry.commitment)
        if entry.kind == "issue":
            self._issue(index, entry.replaces)

    def _issue(self, index: int, replaces: int | None) -> None:
        self._issues.add(index)
        if replaces is None:
            return
        if replaces not in self._issues or replaces == index:
            self.findings.append(f"Entry {index} claims to replace {replaces}, which is no issue.")
        elif replaces in self.replaced:
            self.findings.append(
                f"Entry {index} claims to replace entry {replaces}, which was replaced before: two "
                "credentials share one past."
            )
        self.replaced.add(replaces)


def has_public(state: State, document: Mapping[str, Any]) -> bool:
    """Whether the log has an entry for this document, which everybody may read."""
    return entries.public_commitment(document) in state.public


def look_for(
    name: str,
    credential: Mapping[str, Any],
    proof_text: str | None,
    fetch: tiles.Fetch,
    seen: Seen,
    key: note.VerifierKey,
) -> str | None:
    """What is wrong with a credential's place in the log that was just followed; None if nothing.

    Beside the proof it is checked that the entry is in this log and not only in one that the
    holder was shown. Raises `tiles.BadTile`.
    """
    if proof_text is None:
        return f"{name} is missing: there is no proof that it is in the log."
    try:
        logged = proof.verified(proof_text, credential, key)
        awarded = read(credential.get("awardedDate"))
    except DomainError as refusal:
        return f"{name} is missing: {refusal.message}"
    state = logged.checkpoint.checkpoint
    size = seen.checkpoint.checkpoint.size
    log = tiles.TiledLog(fetch, size)
    if state.size <= size and tree.root(log, state.size) != state.root:
        return f"{name} was shown another log than this one: its proof is of a different past."
    if logged.index >= size or log.leaf(logged.index) != tree.leaf_hash(logged.entry.data):
        return f"{name} is missing: entry {logged.index} of this log is another one."
    number, first = entries.counting(list(_chain(log, logged.index, logged.entry)), awarded)
    if not entries.is_in_time(first.at, awarded):
        return f"{name} is late: entry {number} came more than 24 hours after the award."
    return None


def _chain(
    log: tiles.TiledLog, index: int, entry: entries.Entry
) -> Iterator[tuple[int, entries.Entry]]:
    """The entry and those it replaces, newest first, each as the followed log holds it."""
    yield index, entry
    while entry.replaces is not None and entry.replaces < index:
        index = entry.replaces
        data = log.entry(index)
        if tree.leaf_hash(data) != log.leaf(index):
            raise tiles.BadTile(path=str(tiles.covering(None, index, log.size)))
        try:
            entry = entries.parsed(data)
        except entries.BadEntry:
            return
        yield index, entry


# The memory as text ------------------------------------------------------------------------------


def as_json(state: State) -> str:
    return json.dumps(
        {
            "monitor": 1,
            "checkpoint": state.checkpoint,
            "size": state.frontier.size,
            "peaks": [note.b64(peak) for peak in state.frontier.peaks],
            "newest_at": int(state.newest_at.timestamp()) if state.newest_at else None,
            "public": sorted(note.b64(one) for one in state.public),
            "issues": _ranges(state.issues),
            "replaced": _ranges(state.replaced),
        },
        indent=1,
    )


def from_json(text: str, *, file: object) -> State:
    """The inverse of `as_json`. Raises `BadState`."""

    try:
        said = json.loads(text)
        frontier = tree.Frontier(said["size"], tuple(map(note.from_b64, said["peaks"])))
        if frontier.size.bit_count() != len(frontier.peaks):
            raise BadState(file=file)
        # The memory must be of the state that the kept checkpoint signs.
        if note.parsed(said["checkpoint"]).checkpoint.root != frontier.root:
            raise BadState(file=file)
        newest = said["newest_at"]
        return State(
            said["checkpoint"],
            frontier,
            datetime.fromtimestamp(newest, UTC) if newest is not None else None,
            frozenset(map(note.from_b64, said["public"])),
            _numbers(said["issues"]),
            _numbers(said["replaced"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, note.BadNote) as error:
        raise BadState(file=file) from error


def _ranges(numbers: frozenset[int]) -> list[list[int]]:
    """Numbers as pairs of first and last; most stand in long rows."""
    rows: list[list[int]] = []
    for number in sorted(numbers):
        if rows and rows[-1][1] == number - 1:
            rows[-1][1] = number
        else:
            rows.append([number, number])
    return rows


def _numbers(rows: list[list[int]]) -> frozenset[int]:
    return frozenset(number for first, last in rows for number in range(first, last + 1))
