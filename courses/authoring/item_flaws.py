"""Flaws of exam items that a program can find, and texts that say nearly the same.

Source for the rules: Haladyna, Downing and Rodriguez, A review of multiple-choice item-writing
guidelines for classroom assessment, Applied Measurement in Education 15 (2002).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from checkride.lib import strict_yaml
from courses.authoring.findings import Findings
from courses.authoring.forms import line_numbers
from courses.authoring.reading_grade import MAX_GRADE, measure

Json = Any
# A key that is longer than every other option by more than this is picked by people who guess.
FAR_LONGEST: Final = 1.35
MOST_LONGEST_KEYS: Final = 0.4
SHARE_OF_A_PLACE: Final = (0.15, 0.35)
ENOUGH_TO_COUNT: Final = 20
SHINGLE: Final = 6
ALIKE: Final = 0.2
LONGEST_SENTENCE: Final = 35
MOST_WORDS_A_MINUTE: Final = 200

_ALL = re.compile(
    r"\b(all|none|both|any) of the (above|other)|\bthe above\b|^(both|none|neither)\W*$",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(which|what)\b[^.?]*\b(not|except|never)\b[^.?]*\?", re.IGNORECASE)
_ABSOLUTE = re.compile(r"\b(always|never|under no circumstances|in every case)\b", re.IGNORECASE)
_LAST_ARTICLE = re.compile(r"\b(a|an)\s*[:.…]?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Alike:
    """Two texts that share more of their six-word runs than chance and house style explain."""

    one: str
    other: str
    share: float


def read_banks(root: Path) -> Iterator[tuple[str, int, Mapping[str, Json]]]:
    """Every item under `root` as (file, line, item); a file that is no YAML is passed over.

    The exam's own loader refuses a bad file; this reads what can be read, to say more about it.
    """
    for path in sorted(root.glob("*/items/*.yaml")):
        text = path.read_text(encoding="utf-8")
        try:
            whole = strict_yaml.load(text)
        except strict_yaml.BadYaml:
            continue
        lines = line_numbers(text)
        name = path.relative_to(root).as_posix()
        for index, item in enumerate(whole.get("items") or []):
            yield name, lines.get(("items", index), 1), item


def lint_item(item: Mapping[str, Json]) -> list[str]:
    """What is wrong with one item, as sentences."""
    told = [*_stem(item)]
    options: Sequence[Mapping[str, Json]] = item.get("options", ())
    if options:
        told += _options(item, options)
    rests_on = item.get("source") or item.get("reasoning") or item.get("exercise") or ""
    if not str(rests_on).strip():
        told.append("it names neither a source nor its reasoning.")
    return [f"item “{item.get('id')}”: {sentence}" for sentence in told]


def _stem(item: Mapping[str, Json]) -> Iterator[str]:
    stem = " ".join(str(item["stem"]).split())
    reading = measure(stem)
    if reading.grade > MAX_GRADE:
        yield f"the reading grade of its stem is {reading.grade}; {MAX_GRADE:g} is the limit."
    longest = len(reading.longest.split())
    if longest > LONGEST_SENTENCE:
        yield f"a sentence of its stem has {longest} words; {LONGEST_SENTENCE} is the limit."
    negative = _NOT.search(stem)
    if negative and not re.search(r"\*\*|\bNOT\b|\bEXCEPT\b", stem) and "and which not" not in stem:
        yield f"its question is negative and does not stress it: “{negative.group()[:70]}”."
    words = len(stem.split()) + sum(
        len(str(row.get("text", "")).split())
        for key in ("options", "steps", "left", "right")
        for row in item.get(key, ())
    )
    words += sum(len(str(line).split()) for line in item.get("log", ()))
    if words * 60 / int(item["seconds"]) > MOST_WORDS_A_MINUTE:
        yield f"it has {words} words for {item['seconds']} seconds, more than anybody reads."


def _options(item: Mapping[str, Json], options: Sequence[Mapping[str, Json]]) -> Iterator[str]:
    texts = [str(row["text"]) for row in options]
    keys = [bool(row.get("key")) for row in options]
    for text in texts:
        if _ALL.search(text):
            yield f"an option refers to the others: “{text[:50]}”."
    if len({text.strip().lower() for text in texts}) < len(texts):
        yield "two options say the same."
    for row, key in zip(options, keys, strict=True):
        if not key and _ABSOLUTE.search(str(row["text"])):
            yield f"an absolute word gives a wrong option away: “{row['text'][:50]}”."
    if keys.count(True) == 1:
        key_length = len(texts[keys.index(True)])
        others = [len(text) for text, key in zip(texts, keys, strict=True) if not key]
        if key_length > FAR_LONGEST * max(others):
            yield "its key is by far the longest option."
    article = _LAST_ARTICLE.search(str(item["stem"]).strip())
    if article:
        yield f"its stem ends with “{article.group(1)}”, which fits only some options."


def lint_bank(items: Sequence[Mapping[str, Json]]) -> list[str]:
    """What gives keys away across a bank, in items with one key of four options."""
    singles = [row for row in items if row.get("kind") == "single" and len(row["options"]) == 4]
    if len(singles) < ENOUGH_TO_COUNT:
        return []
    told = []
    places = Counter(
        next(i for i, option in enumerate(row["options"]) if option.get("key")) for row in singles
    )
    low, high = SHARE_OF_A_PLACE
    for place in range(4):
        share = places[place] / len(singles)
        if not low <= share <= high:
            told.append(f"{share:.0%} of the keys stand at place {place + 1} of four.")
    longest = sum(_is_longest(row) for row in singles)
    if longest / len(singles) > MOST_LONGEST_KEYS:
        told.append(
            f"the key is the longest option in {longest} of {len(singles)} items; chance gives "
            f"about {len(singles) // 4}."
        )
    return told


def _is_longest(item: Mapping[str, Json]) -> bool:
    lengths = [(len(str(row["text"])), bool(row.get("key"))) for row in item["options"]]
    return max(lengths)[1]


def lint_folder(root: Path, findings: Findings) -> int:
    """Collect the flaws of every bank under `root`; how many items were read."""
    banks: dict[str, list[Mapping[str, Json]]] = defaultdict(list)
    seen: dict[str, str] = {}
    for file, line, item in read_banks(root):
        banks[file.split("/", 1)[0]].append(item)
        for sentence in lint_item(item):
            findings.error(file, line, sentence)
        other = seen.setdefault(str(item["id"]), file)
        if other != file:
            findings.error(file, line, f"item “{item['id']}” is also in {other}.")
    for bank, items in banks.items():
        for sentence in lint_bank(items):
            findings.error(f"{bank}/items", 1, sentence)
    return sum(len(items) for items in banks.values())


# Near-duplicates -----------------------------------------------------------------------------


def item_words(item: Mapping[str, Json]) -> str:
    """What a candidate reads of an item. Of a task that is its exercise, which is not here; the
    line above it is a form and is left out."""
    if item.get("exercise"):
        return ""
    parts = [str(item["stem"])]
    for key in ("options", "steps", "left", "right"):
        parts += [str(row.get("text", "")) for row in item.get(key, ())]
    return "\n".join([*parts, *map(str, item.get("log", ()))])


def near_duplicates(texts: Iterable[tuple[str, str]], *, alike: float = ALIKE) -> list[Alike]:
    """Pairs of `texts` (name, text) that share at least `alike` of the runs of the shorter one.

    A run is six words in a row, compared without case and marks. Runs that more than three texts
    share are forms of the house, such as a heading, and count for nothing.
    """
    runs = {name: _runs(text) for name, text in texts}
    owners: dict[str, list[str]] = defaultdict(list)
    for name, found in runs.items():
        for run in found:
            owners[run].append(name)
    shared: Counter[tuple[str, str]] = Counter()
    for names in owners.values():
        if 2 <= len(names) <= 3:
            shared.update(combinations(sorted(names), 2))
    pairs = [
        Alike(one, other, count / max(1, min(len(runs[one]), len(runs[other]))))
        for (one, other), count in shared.items()
    ]
    return sorted((row for row in pairs if row.share >= alike), key=lambda row: -row.share)


def _runs(text: str) -> frozenset[str]:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return frozenset(" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1))
