"""What a campaign is given once and then frozen: models, levels, sizes, seeds."""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationError,
    model_serializer,
    model_validator,
)

from db.enums import Stage
from db.errors import BadConfiguration

if TYPE_CHECKING:
    from pathlib import Path

#: What a configuration means by settings that it does not name, because campaigns are older than they are.
_UNNAMED = {"picture.preparation": "letterbox"}

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BackendConfig(_Frozen):
    """A model: a Hugging Face id with a revision, or a folder of the campaign's models directory written as `local:NAME`."""

    #: Entry point in the group `paragone.backends`.
    backend: str
    #: Empty for a backend without weights of its own.
    model: str = ""
    #: A commit, tag or branch; a branch is resolved at the first load and frozen.
    revision: str = "main"
    #: "auto", "float32", "float16" or "bfloat16".
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    #: Jobs that run through the model together.
    batch: int = Field(default=8, ge=1, le=1024)


class CaptionConfig(BackendConfig):
    """How images are described, originals and repaints alike."""

    backend: str = "blip2"
    model: str = "Salesforce/blip2-opt-2.7b"
    #: Further settings of the backend.
    settings: dict[str, Any] = {}


class PromptConfig(BackendConfig):
    """How prompts are written. Tokens are counted by the tokenizer of the level's generator.

    `model` and `revision` are those of a language model that writes; empty for a writer that needs none.
    """

    backend: str = "compose"
    batch: int = Field(default=64, ge=1, le=1024)
    #: Tokens of a prompt at most; SDXL's text encoder reads 75 between begin and end, a T5 more.
    max_tokens: int = Field(default=75, ge=8)
    #: About how long a prompt is made.
    target_tokens: int = Field(default=55, ge=8)
    #: Further settings of the backend.
    settings: dict[str, Any] = {}


class Level(BackendConfig):
    """How far a repaint of this level may go."""

    backend: str = "sdxl"
    model: str = "stabilityai/stable-diffusion-xl-refiner-1.0"
    #: Share of the noise schedule that is redone, 0 to 1.
    strength: float = Field(gt=0, le=1)
    #: Classifier-free guidance scale.
    guidance: float = Field(default=7.5, ge=0)
    #: Steps of the whole schedule; `int(steps * strength)` are run.
    steps: int = Field(default=25, ge=1, le=1000)
    #: Set of briefs the prompt writer draws from; empty for the level's own name.
    brief: str = ""
    #: Further settings of the backend.
    settings: dict[str, Any] = {}

    @model_validator(mode="after")
    def _something_happens(self) -> Level:
        if int(self.steps * self.strength) < 1:
            raise ValueError(f"steps {self.steps} x strength {self.strength} runs no step: raise one of them")
        return self


class CanvasConfig(_Frozen):
    """The canvas that is repainted and the file that is kept."""

    #: Side of the square canvas in pixels; buckets have about its area.
    size: int = Field(default=1024, ge=16, le=4096, multiple_of=8)
    #: How originals are laid onto it: "letterbox" (all of it, on the square), "buckets" (a canvas of its own shape), "crop" (its middle
    #: square), "stretch" (all of it, its aspect given up while it is repainted).
    preparation: Literal["letterbox", "buckets", "crop", "stretch"] = "letterbox"
    format: Literal["jpeg", "png", "webp"] = "jpeg"
    #: JPEG and WebP quality.
    quality: int = Field(default=95, ge=1, le=100)

    @model_serializer(mode="wrap")
    def _as_before(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A letterbox goes unnamed, as in campaigns that were opened before there was a choice: their hash stays what it was."""
        facts: dict[str, Any] = serialize(self)
        if facts.get("preparation") == "letterbox":
            del facts["preparation"]
        return facts


def _default_levels() -> dict[str, Level]:
    return {"moderate": Level(strength=0.3), "radical": Level(strength=0.45)}


class CampaignConfig(_Frozen):
    """The whole configuration of one campaign.

    The defaults are the recipe that Paragone replaces, corrected: it used strength 0.4 for both levels.
    """

    #: From it and the artwork's key each variation gets its own seed.
    seed: int = 0
    #: "both" (every level for every artwork) or shares by level, stratified by style: {"radical": 0.8, "moderate": 0.2}.
    levels: Literal["both"] | dict[str, float] = "both"
    #: Repaints per artwork and level.
    variations: int = Field(default=1, ge=1, le=1000)
    #: Whether artworks without a known style or artist take part.
    include_incomplete: bool = False
    #: Whether repaints are captioned too.
    recaption: bool = True
    caption: CaptionConfig = CaptionConfig()
    prompt: PromptConfig = PromptConfig()
    level: dict[str, Level] = Field(default_factory=_default_levels, min_length=1)
    picture: CanvasConfig = CanvasConfig()
    #: Local directory that `local:NAME` models lie in; empty if none is used.
    models_directory: str = ""

    @model_validator(mode="after")
    def _levels_are_known(self) -> CampaignConfig:
        if isinstance(self.levels, dict):
            unknown = sorted(set(self.levels) - set(self.level))
            if unknown:
                raise ValueError(f"levels names {', '.join(unknown)}, but only {', '.join(self.level)} have a [level.NAME] section")
            if any(share < 0 for share in self.levels.values()) or not math.isclose(sum(self.levels.values()), 1, abs_tol=1e-6):
                raise ValueError('levels must be shares that sum to 1, or "both"')
        return self

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that this campaign runs, in order."""
        return tuple(stage for stage in Stage if stage is not Stage.RECAPTION or self.recaption)

    @property
    def config_hash(self) -> str:
        """SHA-256 over the configuration; where models lie on a disk does not count."""
        facts = self.model_dump(mode="json", exclude={"models_directory"})
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def differences(self, other: CampaignConfig) -> list[str]:
        """Each setting in which the other configuration differs, as `path: mine -> theirs`."""
        mine, theirs = _flat(self.model_dump(mode="json")), _flat(other.model_dump(mode="json"))
        keys = [key for key in sorted(mine.keys() | theirs.keys()) if key != "models_directory"]
        mine, theirs = {**_UNNAMED, **mine}, {**_UNNAMED, **theirs}
        return [f"{key}: {mine.get(key)!r} -> {theirs.get(key)!r}" for key in keys if mine.get(key) != theirs.get(key)]


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {key: leaf for name, inner in value.items() for key, leaf in _flat(inner, f"{path}.{name}" if path else name).items()}
    return {path: value}


def read_campaign_file(path: Path) -> tuple[str | None, dict[str, Any]]:
    """The name (if the file gives one) and the settings of a campaign file in TOML; raises `BadConfiguration`."""
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path} is no TOML: {error}") from None
    return settings.pop("name", None), settings


def parse_config(settings: dict[str, Any]) -> CampaignConfig:
    """A checked configuration; raises `BadConfiguration` that names each wrong setting on one line."""
    try:
        return CampaignConfig.model_validate(settings)
    except ValidationError as error:
        faults = [f"{'.'.join(str(part) for part in fault['loc']) or 'campaign'}: {fault['msg']}" for fault in error.errors()]
        raise BadConfiguration("; ".join(faults)) from None
