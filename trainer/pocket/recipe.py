"""How much of everything: one object, so that a pack can say what it was made with."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

#: Side of the canvas in pixels, for all models.
SIZE = 128


class Part(BaseModel):
    """How long one model is trained."""

    model_config = ConfigDict(frozen=True)

    samples: int
    batch: int
    #: The highest learning rate; it rises over the first fiftieth and falls along a cosine.
    rate: float

    @property
    def steps(self) -> int:
        """Optimizer steps."""
        return max(1, self.samples // self.batch)


class Recipe(BaseModel):
    """All numbers of one training of the pack. Pictures, weights and the order of batches follow from `seed`."""

    model_config = ConfigDict(frozen=True)

    seed: int = 0
    #: Scenes that are painted for training, each in so many versions: styles and palettes of the same picture.
    scenes: int = 9_000
    versions: int = 4
    #: Pictures of other seeds that the judge learns from, and that all is measured on.
    judged: int = 16_000
    held_out: int = 500
    #: Pictures of the training set that go once through the finished autoencoder, so that CLIP and the captioner know how that looks.
    reconstructed: int = 4_000
    autoencoder: Part = Part(samples=100_000, batch=16, rate=2e-3)
    clip: Part = Part(samples=200_000, batch=128, rate=1e-3)
    refiner: Part = Part(samples=180_000, batch=32, rate=1e-3)
    captioner: Part = Part(samples=150_000, batch=64, rate=1e-3)
    judge: Part = Part(samples=64_000, batch=64, rate=2e-3)


#: A few steps of everything, to see that it runs.
SMOKE = Recipe(
    scenes=24,
    versions=2,
    judged=48,
    held_out=8,
    reconstructed=16,
    autoencoder=Part(samples=8, batch=4, rate=1e-3),
    clip=Part(samples=32, batch=16, rate=1e-3),
    refiner=Part(samples=8, batch=4, rate=1e-3),
    captioner=Part(samples=16, batch=8, rate=1e-3),
    judge=Part(samples=16, batch=8, rate=1e-3),
)
