"""Load blueprint and item files into the database. Loading the same files again changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from django.db import transaction

from checkride import audit
from checkride.jobs.dbclock import database_now
from checkride.lib.canonical import digest
from checkride.lib.errors import DomainError
from courses import catalog
from courses.exercise_files import read_exercise
from exams.assembly.blueprint import Blueprint, read_blueprint
from exams.models import BlueprintVersion, Item, ItemStep, ItemVersion
from exams.scoring.item_files import BadItems, Document, Problem, read_items
from exams.scoring.items import Item as ScoredItem

CONTENT = Path(__file__).parent / "content"


class BlueprintChanged(DomainError):
    code = "blueprint-changed"
    sentence = (
        "The blueprint of {exam} differs from the one loaded as version {version}. Attempts rest on "
        "that one, so nothing was loaded. Give the changed blueprint a new version."
    )


class UnknownExercise(DomainError):
    code = "unknown-exercise"
    sentence = (
        "There is no exercise “{name}”. Name a folder under tasks/, or “curriculum/” and the id of "
        "an exercise of the curriculum."
    )


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did. `in_use` and `by_domain` count the items from which forms are drawn;
    `mean_angoff` is the mean rating of the pool, `seconds` the mean time."""

    exam: str
    items: int
    in_use: int
    added: int
    changed: int
    retired: int
    by_domain: dict[str, int]
    mean_angoff: Decimal
    seconds: int

    @property
    def made_changes(self) -> bool:
        return bool(self.added or self.changed or self.retired)


def read_folder(folder: Path) -> tuple[Blueprint, Document, list[tuple[ScoredItem, Document]]]:
    """The blueprint and every item of one exam, whatever its life, checked against each other.

    Raises `BadBlueprint`, or `BadItems` with every problem of every file.
    """
    path = folder / "blueprint.yaml"
    blueprint, document = read_blueprint(path.read_text(encoding="utf-8"), file=_shown(path))
    entries: list[tuple[ScoredItem, Document]] = []
    problems: list[Problem] = []
    origin: dict[str, str] = {}
    domains = {quota.id for quota in blueprint.domains}
    for file in sorted((folder / "items").glob("*.yaml")):
        shown = _shown(file)
        try:
            found = read_items(
                file.read_text(encoding="utf-8"), file=shown, exercises=_exercises(folder)
            )
        except BadItems as error:
            problems.extend(error.problems)
            continue
        for item, entry in found:
            if item.id in origin:
                problems.append(
                    Problem(shown, 1, f"item “{item.id}” is also in {origin[item.id]}.")
                )
            if item.domain not in domains:
                problems.append(
                    Problem(shown, 1, f"item “{item.id}” names the unknown domain “{item.domain}”.")
                )
            origin[item.id] = shown
            if blueprint.exam in item.exams:
                entries.append((item, entry))
    if problems:
        raise BadItems(tuple(problems))
    return blueprint, document, entries


def _exercises(folder: Path) -> Callable[[str], Document]:
    """Find the exercise that a task names: a folder of the pool, or one of the curriculum's."""

    def find(name: str) -> Document:
        if name.startswith("curriculum/"):
            exercise = catalog.exercise(name.removeprefix("curriculum/"))
            if exercise is None:
                raise UnknownExercise(name=name)
            return exercise.document
        if not re.fullmatch(r"[a-z0-9-]+", name):
            raise UnknownExercise(name=name)
        return read_exercise(folder / "tasks" / name)

    return find


def unknown_enemies(entries: list[tuple[ScoredItem, Document]]) -> list[str]:
    """Enemies that no item of the pool answers to: a slip of the pen, or an item still to come.

    They keep nobody apart, so a load goes on; an author who checks is told.
    """
    known = {item.id for item, _ in entries}
    return [
        f"item “{item.id}” has an enemy “{enemy}” that is not in the pool."
        for item, _ in entries
        for enemy in sorted(item.enemies - known)
    ]


def load(folder: Path) -> Loaded:
    """Bring the database in line with the files of one exam.

    A changed item becomes a new version, an item that is gone is retired; attempts keep what they
    were drawn with.
    """
    return store(*read_folder(folder))


@transaction.atomic
def store(
    blueprint: Blueprint, document: Document, entries: list[tuple[ScoredItem, Document]]
) -> Loaded:
    """Bring the database in line with what `read_folder` has read."""
    now = database_now()
    blueprint_added = _load_blueprint(blueprint, document)
    known = {
        item.slug: item for item in Item.objects.filter(exam=blueprint.exam).select_for_update()
    }
    retired_by_people = set(
        ItemStep.objects.filter(item__exam=blueprint.exam, after=Item.Life.RETIRED)
        .exclude(by=None)
        .values_list("item", flat=True)
    )
    new = Item.objects.bulk_create(
        Item(exam=blueprint.exam, slug=scored.id, domain=scored.domain)
        for scored, _ in entries
        if scored.id not in known
    )
    items = known | {item.slug: item for item in new}
    versions = _versions(items, entries, at=now)
    moved: list[Item] = []
    steps: list[ItemStep] = []
    for scored, entry in entries:
        item, version = items[scored.id], versions[scored.id, digest(entry)]
        # The text is the same, so what people have decided about it stands. A file can bring back
        # what an earlier load retired because it was gone, and retire what it says is retired.
        is_back = item.life == Item.Life.RETIRED and item.pk not in retired_by_people
        stays = item.current_id == version.pk and not is_back
        if stays and (scored.life != Item.Life.RETIRED or item.life == Item.Life.RETIRED):
            continue
        item.current, item.domain, item.sent_by = version, scored.domain, None
        steps.append(_loaded(item, version, scored.life, "As its file says.", at=now))
        moved.append(item)
    Item.objects.bulk_update(moved, ["current", "domain", "life", "sent_by"])
    added, changed = len(new), len(moved) - len(new)
    gone = list(
        Item.objects.filter(exam=blueprint.exam)
        .exclude(life=Item.Life.RETIRED)
        .exclude(slug__in=[scored.id for scored, _ in entries])
        .select_related("current")
    )
    for item in gone:
        if item.current is not None:
            steps.append(
                _loaded(item, item.current, "retired", "Its file does not hold it.", at=now)
            )
    Item.objects.bulk_update(gone, ["life"])
    ItemStep.objects.bulk_create(steps)
    retired = len(gone)
    loaded = Loaded(
        exam=blueprint.exam,
        items=len(entries),
        added=added,
        changed=changed,
        retired=retired,
        by_domain={
            quota.name: sum(
                1 for item in items.values() if item.domain == quota.id and _is_in_use(item)
            )
            for quota in blueprint.domains
        },
        in_use=sum(_is_in_use(item) for item in items.values()),
        mean_angoff=_mean([item.angoff for item, _ in entries]),
        seconds=int(_mean([Decimal(item.seconds) for item, _ in entries])),
    )
    if loaded.made_changes or blueprint_added:
        audit.record(
            None,
            "items.loaded",
            None,
            at=now,
            facts={"exam": loaded.exam, "added": added, "changed": changed, "retired": retired},
        )
    return loaded


def _is_in_use(item: Item) -> bool:
    return item.life == Item.Life.OPERATIONAL


def _loaded(item: Item, version: ItemVersion, life: str, reason: str, *, at: datetime) -> ItemStep:
    """Give an item the life that a file says, with the step that records it."""
    before, item.life = item.life, life
    return ItemStep(
        item=item, version=version, deed="load", before=before, after=life, reason=reason, at=at
    )


def _versions(
    items: dict[str, Item], entries: list[tuple[ScoredItem, Document]], *, at: datetime
) -> dict[tuple[str, str], ItemVersion]:
    """The version for each entry by slug and hash, made where it does not exist yet."""
    found: dict[tuple[str, str], ItemVersion] = {}
    latest: dict[str, int] = {}
    for version in ItemVersion.objects.filter(item__in=items.values()).select_related("item"):
        found[version.item.slug, version.content_sha256] = version
        latest[version.item.slug] = max(latest.get(version.item.slug, 0), version.number)
    missing = [
        ItemVersion(
            item=items[scored.id],
            number=latest.get(scored.id, 0) + 1,
            content_sha256=digest(entry),
            document=entry,
            loaded_at=at,
        )
        for scored, entry in entries
        if (scored.id, digest(entry)) not in found
    ]
    for version in ItemVersion.objects.bulk_create(missing):
        found[version.item.slug, version.content_sha256] = version
    return found


def _load_blueprint(blueprint: Blueprint, document: Document) -> bool:
    sha256 = digest(document)
    version = BlueprintVersion.objects.filter(content_sha256=sha256).first()
    if version is not None and version.is_current:
        return False
    named_alike = BlueprintVersion.objects.filter(exam=blueprint.exam, version=blueprint.version)
    if version is None and named_alike.exists():
        raise BlueprintChanged(exam=blueprint.exam, version=blueprint.version)
    BlueprintVersion.objects.filter(exam=blueprint.exam, is_current=True).update(is_current=False)
    if version is None:
        version = BlueprintVersion(
            exam=blueprint.exam,
            version=blueprint.version,
            content_sha256=sha256,
            document=document,
            loaded_at=database_now(),
        )
    version.is_current = True
    version.save()
    return True


def _mean(values: list[Decimal]) -> Decimal:
    return sum(values, Decimal()) / len(values) if values else Decimal()


def _shown(path: Path) -> str:
    """The path as an author knows it, from the repository's root."""
    root = CONTENT.parent.parent
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name
