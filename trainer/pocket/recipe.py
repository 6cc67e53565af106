"""How much of everything: one object, so that a pack can record what it was made with."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

#: Side of the canvas in pixels, for all models.
SIZE = 128


class TrainingBudget(BaseModel):
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
    """All numbers of one training of the pack. Images, weights and the order of batches follow from `seed`."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    seed: int = 0
    #: Scenes that are rendered for training, each in so many versions: styles and palettes of the same image.
    scenes: int = 9_000
    versions: int = 4
    #: Paintings of other seeds that the attribute classifier is trained on, and on which everything is measured. The aliases are the names
    #: in the `measures.json` of the shipped pack.
    classifier_paintings: int = Field(default=16_000, alias="judged")
    held_out: int = 500
    #: Images of the training set that go once through the finished autoencoder, so that CLIP and the captioner know how that looks.
    reconstructed: int = 4_000
    autoencoder: TrainingBudget = TrainingBudget(samples=100_000, batch=16, rate=2e-3)
    clip: TrainingBudget = TrainingBudget(samples=200_000, batch=128, rate=1e-3)
    refiner: TrainingBudget = TrainingBudget(samples=180_000, batch=32, rate=1e-3)
    captioner: TrainingBudget = TrainingBudget(samples=150_000, batch=64, rate=1e-3)
    classifier: TrainingBudget = Field(default=TrainingBudget(samples=64_000, batch=64, rate=2e-3), alias="judge")


#: A few steps of everything, to see that it runs.
SMOKE = Recipe(
    scenes=24,
    versions=2,
    classifier_paintings=48,
    held_out=8,
    reconstructed=16,
    autoencoder=TrainingBudget(samples=8, batch=4, rate=1e-3),
    clip=TrainingBudget(samples=32, batch=16, rate=1e-3),
    refiner=TrainingBudget(samples=8, batch=4, rate=1e-3),
    captioner=TrainingBudget(samples=16, batch=8, rate=1e-3),
    classifier=TrainingBudget(samples=16, batch=8, rate=1e-3),
)
