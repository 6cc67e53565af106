"""What can go wrong in the trainer.

TrainerError
├── NothingToTrainOn    no repaints, too few artworks, or too few styles
├── LeakingSplit        sides of a split share works, artists or pictures
├── UnknownComponent    a negative strategy, loss, head, scorer or space that is not installed
├── TripletSetDiffers   a triplet set of this name holds other triplets
├── NoTrainedModel      no training run has finished yet
├── BadModelFolder      a saved model that cannot be used
├── ModelNotPublished   a model that was not written or sent to where others find it
├── HeadNotExported     a head that is not to be had as ONNX
├── BadExportFolder     an export that cannot be trained on
├── EmbedderMismatch    the CLIP loaded is not the one the model was trained on
├── PretrainedModelUnavailable  its CLIP or captioner cannot be loaded
├── BadCheckpoint       a checkpoint that cannot be resumed
├── NoRoomForVectors    the disk is too full for the matrix of vectors
├── ScoringImpossible   a scorer lacks what it needs, or there is nothing to score
├── NothingToSearch     no pictures among which to look for similar ones
└── BadImageFile        an image file to compare cannot be read
"""

from __future__ import annotations

from db.errors import ParagoneError


class TrainerError(ParagoneError):
    """The trainer cannot do this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").splitlines()[0])


class NothingToTrainOn(TrainerError):
    """There are too few repaints to train on: let `paragone work` finish more."""


class LeakingSplit(TrainerError):
    """The sides of the split share what they must not: name another split, or --allow-leaks."""


class UnknownComponent(TrainerError):
    """No installed package offers a negative strategy, loss, head, scorer or space of this name."""


class TripletSetDiffers(TrainerError):
    """A triplet set of this name holds other triplets: choose another name."""


class NoTrainedModel(TrainerError):
    """No trained model yet: run `paragone train` first, or name a folder with --model."""


class BadModelFolder(TrainerError):
    """The folder holds no model that can be used."""


class ModelNotPublished(TrainerError):
    """The model was not published."""


class HeadNotExported(TrainerError):
    """The head was not written as ONNX."""


class BadExportFolder(TrainerError):
    """The folder holds no export that can be trained on: run `paragone export` again."""


class EmbedderMismatch(TrainerError):
    """The CLIP loaded is not the one the model was trained on: name its folder with --models."""


class PretrainedModelUnavailable(TrainerError):
    """The CLIP or the captioner that the model needs cannot be loaded."""


class BadCheckpoint(TrainerError):
    """The checkpoint cannot be resumed: start anew with --fresh."""


class NoRoomForVectors(TrainerError):
    """The disk has no room for the vectors: free some, or choose another --out."""


class ScoringImpossible(TrainerError):
    """There is nothing to score: let `paragone work` finish some repaints."""


class NothingToSearch(TrainerError):
    """There are no pictures to search: let `paragone work` finish some."""


class BadImageFile(TrainerError):
    """The image file cannot be read."""
