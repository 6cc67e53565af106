"""What can go wrong in the trainer.

TrainerError
├── NothingToTrainOn    no repaints, too few artworks, or too few styles
├── TripletSetDiffers   a triplet set of this name holds other triplets
├── NoTrainedModel      no training run has finished yet
├── BadModelFolder      a saved model that cannot be used
├── OtherEmbedder       the CLIP at hand is not the one the model was trained on
├── PretrainedModelUnavailable  its CLIP or captioner cannot be loaded
├── BadCheckpoint       a checkpoint that cannot be taken up
└── BadPicture          a picture to compare cannot be read
"""

from __future__ import annotations

from db.errors import ParagoneError


class TrainerError(ParagoneError):
    """The trainer cannot do this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").splitlines()[0])


class NothingToTrainOn(TrainerError):
    """There are too few repaints to train on: let `paragone work` finish more."""


class TripletSetDiffers(TrainerError):
    """A triplet set of this name holds other triplets: choose another name."""


class NoTrainedModel(TrainerError):
    """No trained model yet: run `paragone train` first, or name a folder with --model."""


class BadModelFolder(TrainerError):
    """The folder holds no model that can be used."""


class OtherEmbedder(TrainerError):
    """The CLIP at hand is not the one the model was trained on: name its folder with --models."""


class PretrainedModelUnavailable(TrainerError):
    """The CLIP or the captioner that the model needs cannot be loaded."""


class BadCheckpoint(TrainerError):
    """The checkpoint cannot be taken up: start anew with --fresh."""


class BadPicture(TrainerError):
    """The picture cannot be read."""
