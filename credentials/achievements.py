"""What can be earned: read from `credentials/content/*.yaml`, kept for ever once it was awarded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from checkride.lib import canonical, clock, strict_yaml
from checkride.lib.errors import DomainError
from courses import catalog
from credentials import identity
from credentials.models import AchievementVersion
from credentials.openbadges import contexts, document

FOLDER = Path(__file__).parent / "content"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class BadAchievementFile(DomainError):
    code = "bad-achievement-file"
    sentence = "{file} does not describe an achievement: {problem}"


class UnknownAchievement(DomainError):
    code = "unknown-achievement"
    sentence = (
        "There is no achievement “{slug}” in credentials/content, so the pass cannot be turned into "
        "a credential. The pass is kept. Add the file, and the credential follows by itself."
    )


class AchievementChanged(DomainError):
    code = "achievement-changed"
    sentence = (
        "{file} was changed, but version {version} was awarded already and can never change. "
        "Give the new text the next version number."
    )


class Occupation(BaseModel):
    """An occupation of the O*NET-SOC 2019 taxonomy in which what the achievement asks is part of
    the work. It claims neither that the holder is fit for it nor that anybody asks for this."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    onet: Annotated[str, StringConstraints(pattern=r"^\d{2}-\d{4}\.\d{2}$")]
    title: Text


class Definition(BaseModel):
    """One file. `valid_months` is how long a credential holds; `proves` names competencies, at
    `level` of the framework, which is foundation where nothing is said; `related` occupations."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    checkride: Literal["achievement/1"]
    slug: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,59}$")]
    version: Annotated[int, Field(ge=1)]
    name: Text
    human_code: Text
    valid_months: Annotated[int, Field(ge=1, le=59)]
    description: Text
    criteria: Text
    proves: tuple[str, ...]
    tags: tuple[Text, ...] = ()
    level: Literal["foundation", "practitioner", "lead"] | None = None
    related: tuple[Occupation, ...] | None = None


def definitions(folder: Path = FOLDER) -> dict[str, Definition]:
    """Every achievement by slug. Raises `BadAchievementFile`."""
    found = {}
    for file in sorted(folder.glob("*.yaml")):
        definition = _read(file)
        if definition.slug != file.stem:
            raise BadAchievementFile(file=file.name, problem="its slug is not its file name.")
        found[definition.slug] = definition
    return found


def _read(file: Path) -> Definition:
    try:
        return Definition.model_validate(strict_yaml.load(file.read_text(encoding="utf-8")))
    except strict_yaml.BadYaml as error:
        raise BadAchievementFile(file=file.name, problem=error.message) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadAchievementFile(file=file.name, problem=f"{place}: {first['msg']}.") from error


def current(slug: str) -> AchievementVersion:
    """The version now awarded, written down on first use.

    Raises `UnknownAchievement`, or `AchievementChanged` when the file was edited in place.
    """
    definition = definitions().get(slug)
    if definition is None:
        raise UnknownAchievement(slug=slug)
    # What is not said leaves no trace: a field that came later changes no older achievement.
    digest = canonical.digest(definition.model_dump(mode="json", exclude_none=True))
    row, _ = AchievementVersion.objects.get_or_create(
        slug=slug,
        version=definition.version,
        defaults={
            "content": content(definition),
            "digest": digest,
            "created_at": clock.now(),
        },
    )
    if row.digest != digest:
        raise AchievementChanged(file=f"{slug}.yaml", version=definition.version)
    return row


def content(definition: Definition) -> dict[str, Any]:
    """What a credential quotes, with the competencies in the words of the day."""
    framework = catalog.framework()
    proves = []
    for competency_id in definition.proves:
        competency = catalog.competency(competency_id)
        if competency is None:
            raise BadAchievementFile(
                file=f"{definition.slug}.yaml",
                problem=f"the framework has no competency {competency_id}.",
            )
        proves.append({"code": competency_id, "statement": competency.statement})
    return {
        "name": definition.name,
        "human_code": definition.human_code,
        "valid_months": definition.valid_months,
        "description": " ".join(definition.description.split()),
        "criteria": " ".join(definition.criteria.split()),
        "tags": list(definition.tags),
        "framework": f"{framework.title}, version {framework.version}",
        "proves": proves,
        **({"level": definition.level} if definition.level else {}),
        **({"related": _related(definition.related)} if definition.related else {}),
    }


_ONET = "https://www.onetonline.org/link/summary/"
_ONET_NAME = "O*NET-SOC 2019"
_RELATED = (
    "A related occupation: work like that of this achievement is done in it. The achievement covers "
    "a part of it at most, and qualifies nobody for it."
)


def _related(occupations: Sequence[Occupation]) -> list[dict[str, str]]:
    return [
        {"code": one.onet, "title": one.title, "framework": _ONET_NAME, "url": _ONET + one.onet}
        for one in occupations
    ]


def badge(version: AchievementVersion) -> document.Achievement:
    """The achievement as a credential quotes it."""
    said = version.content
    return document.Achievement(
        id=identity.address("credentials:achievement", version.slug, version.version),
        version=str(version.version),
        name=said["name"],
        description=said["description"],
        criteria=said["criteria"],
        image=identity.address("credentials:achievement-image", version.slug, version.version),
        human_code=said["human_code"],
        tags=tuple(said["tags"]),
        alignments=tuple(
            document.Alignment(
                name=competency["statement"],
                url=identity.address("courses:competency", competency["code"]),
                framework=said["framework"],
                code=competency["code"],
            )
            for competency in said["proves"]
        )
        + tuple(
            document.Alignment(
                name=one["title"],
                url=one["url"],
                framework=one["framework"],
                code=one["code"],
                kind=document.OCCUPATION,
                description=_RELATED,
            )
            for one in said.get("related", ())
        ),
    )


def published(version: AchievementVersion) -> dict[str, Any]:
    """The achievement at its own address, as JSON-LD: what every credential for it quotes."""
    said = badge(version)
    return {
        "@context": list(contexts.CREDENTIAL_CONTEXTS),
        **document.achievement_profile(said),
        "creator": document.issuer_profile(identity.issuer()),
    }
