"""Any image classifier of transformers as a source of scores: what it answers for each image, in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from trainer.data.image_reading import read_images
from trainer.errors import ScoringImpossible
from trainer.quality.clip_scorer import repaint_reference
from workers.backends.errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    from PIL.Image import Image

    from db.quality import RepaintScore, ScorableRepaint
    from trainer.quality.protocol import ScoringContext
    from workers.backends.protocol import ModelSource

#: Images classified at once.
_BATCH = 32

#: How logits become answers: `softmax` for one label of several, `sigmoid` for labels that do not exclude each other, `none` for a number.
Activation = Literal["softmax", "sigmoid", "none"]


class ImageClassifier:
    """A model with `AutoModelForImageClassification`; only safetensors, never code of the repository."""

    def __init__(self, *, model: ModelSource, device: str) -> None:
        self.source = model
        self.device = device
        self.revision = ""
        #: In the order of the columns; one for a regression.
        self.labels: tuple[str, ...] = ()
        self.activation: Activation = "softmax"
        self._model: Any = None
        self._processor: Any = None

    def load(self) -> None:
        """Bring the model onto the device. Raises `ModelUnavailable` or `OutOfMemory`."""
        from transformers import AutoImageProcessor, AutoModelForImageClassification

        from workers.backends.devices import choose_dtype, device_errors
        from workers.backends.sources import TRANSFORMERS_FILES, loading, resolve

        found = resolve(self.source, TRANSFORMERS_FILES)
        local = {"local_files_only": True, "trust_remote_code": False}
        with loading(self.source), device_errors():
            self._processor = AutoImageProcessor.from_pretrained(found.directory, backend="pil", **local)
            dtype = choose_dtype(self.source, self.device)
            model = AutoModelForImageClassification.from_pretrained(found.directory, dtype=dtype, use_safetensors=True, **local)
            self._model = model.to(self.device).eval()
        names = model.config.id2label
        self.labels = tuple(str(names[number]) for number in sorted(names))
        if model.config.problem_type == "regression":
            self.activation = "none"
        elif model.config.problem_type == "multi_label_classification":
            self.activation = "sigmoid"
        self.revision = found.revision

    def answers(self, images: Sequence[Image]) -> npt.NDArray[np.float32]:
        """(N, labels): a probability of each label, or the number that a regression gives. Raises `OutOfMemory`."""
        import torch

        from workers.backends.devices import device_errors

        with device_errors(), torch.inference_mode():
            pixels = self._processor(images=list(images), return_tensors="pt")["pixel_values"]
            logits = self._model(pixel_values=pixels.to(self.device, self._model.dtype)).logits.float()
            if self.activation == "softmax" and logits.shape[-1] > 1:
                logits = logits.softmax(dim=-1)
            elif self.activation == "sigmoid":
                logits = logits.sigmoid()
            array: npt.NDArray[np.float32] = logits.cpu().numpy()
            return array

    def unload(self) -> None:
        """Free the device."""
        from workers.backends.devices import release

        self._model = self._processor = None
        release()


class ClassifierScorer:
    """Scores each repaint by what a named classifier answers; a subclass says which of its labels count, and how much."""

    whole_campaign: ClassVar[bool] = False
    reads_captions: ClassVar[bool] = False
    #: Its entry point, and the option that names its model.
    name: ClassVar[str]

    def __init__(self, context: ScoringContext) -> None:
        source = context.models.get(self.name)
        if source is None:
            raise ScoringImpossible(f"the scorer {self.name!r} needs a model: name an image classifier with --{self.name} MODEL")
        self.context = context
        self.model = source.location
        self.revision = ""
        self.notes: list[str] = []
        self._classifier = ImageClassifier(model=source, device=context.device)
        self._weights: npt.NDArray[np.float32] = np.zeros(0, np.float32)

    def weights(self, labels: Sequence[str], activation: Activation) -> tuple[list[float], Activation]:
        """How much each label counts in the score, and how logits become answers; raises `ScoringImpossible` if no label fits."""
        raise NotImplementedError

    def load(self) -> None:
        """Load the classifier and choose its labels. Raises `ModelUnavailable` or `ScoringImpossible`."""
        self._classifier.load()
        chosen, self._classifier.activation = self.weights(self._classifier.labels, self._classifier.activation)
        self._weights = np.array(chosen, dtype=np.float32)
        self.revision = self._classifier.revision

    def measure(self, repaints: Iterator[Sequence[ScorableRepaint]]) -> Iterator[list[RepaintScore]]:
        """A score of each repaint that can be read and for which the model gives a number."""
        for some in repaints:
            by_hash: dict[str, list[int]] = {}
            for one in some:
                by_hash.setdefault(one.content_hash, []).append(one.image_id)
            references = {one.content_hash: repaint_reference(one) for one in some}
            for batch in read_images(list(references.values()), self.context.store, _BATCH, self.context.unreadable):
                yield self._scores(batch, by_hash)

    def _scores(self, batch: Sequence[tuple[str, Image]], by_hash: dict[str, list[int]]) -> list[RepaintScore]:
        from db.quality import RepaintScore

        if not batch:
            return []
        values = self._answers_in_halves([image for _, image in batch]) @ self._weights
        scores = []
        for (content_hash, _), value in zip(batch, values.tolist(), strict=True):
            if not np.isfinite(value):
                self.context.unreadable[content_hash] = f"{self.model} gave NaN"
                continue
            scores += [RepaintScore(image_id=image, name=self.name, value=value) for image in by_hash[content_hash]]
        return scores

    def unload(self) -> None:
        """Free the device."""
        self._classifier.unload()

    def _answers_in_halves(self, images: list[Image]) -> npt.NDArray[np.float32]:
        """All at once, or in halves if the device is too small for that."""
        try:
            return self._classifier.answers(images)
        except OutOfMemory:
            if len(images) == 1:
                raise
            middle = len(images) // 2
            return np.concatenate([self._answers_in_halves(images[:middle]), self._answers_in_halves(images[middle:])])
