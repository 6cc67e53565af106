"""The head as an ONNX file, kept only if onnxruntime gives the same vectors.

The head alone, from the vectors of its image model to unit vectors: how pictures become vectors is the image model's business, for which
`optimum` and others have exporters of their own.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.jit._trace import TracerWarning

from trainer.errors import HeadNotExported
from trainer.local_models import portable_location

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from trainer.heads.siamese import SiameseHead
    from trainer.model_folder import TrainedModel

#: Of ai.onnx; read by every onnxruntime since 1.12.
OPSET = 17

#: The largest difference from torch, in any coordinate of a unit vector, with which a file is kept.
TOLERANCE = 1e-5

INPUT, OUTPUT = "vectors", "embeddings"

#: Sizes of the batches that are compared: one, few, and one that no power of two divides.
_BATCHES = (1, 3, 129)


@dataclass(frozen=True, kw_only=True)
class ExportedHead:
    """An ONNX file that was compared with its head."""

    file: Path
    opset: int
    #: Length of the vectors that go in.
    dimension: int
    #: Length of the unit vectors that come out.
    out: int
    #: The largest difference from torch that was found.
    difference: float

    def as_json(self) -> dict[str, Any]:
        """The contract of `paragone export-head --json`."""
        return {**asdict(self), "file": str(self.file)}


def export_head(model: TrainedModel, path: Path) -> ExportedHead:
    """Write the head: `vectors`, float32 (n, dimension), to `embeddings`, float32 (n, out) of length 1, for any n.

    Raises:
        HeadNotExported: onnx or onnxruntime is missing, the head has an operation that ONNX lacks, or the file computes something else.
    """
    head = model.head.eval()
    data = _with_properties(_convert(head, model.config.dimension), model)
    difference, out = _difference(head, data, model.config.dimension)
    if not difference <= TOLERANCE:
        raise HeadNotExported(f"the ONNX file differs from the head by {difference:.2g}, more than {TOLERANCE:g}: it was not kept")
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.writing")
    scratch.write_bytes(data)
    scratch.replace(path)
    return ExportedHead(file=path, opset=OPSET, dimension=model.config.dimension, out=out, difference=difference)


def _convert(head: SiameseHead, dimension: int) -> bytes:
    """By the exporter that traces: the one over `torch.export` needs a further package, onnxscript, and a head is straight-line code."""
    buffer = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", TracerWarning)  # what was traced is compared with the head afterwards
        try:
            torch.onnx.export(
                head,
                (torch.randn(2, dimension, generator=torch.Generator().manual_seed(0)),),
                buffer,  # type: ignore[arg-type]  # this exporter writes to anything that has `write`
                dynamo=False,
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_axes={INPUT: {0: "n"}, OUTPUT: {0: "n"}},
            )
        except ModuleNotFoundError as error:
            raise _missing(error) from None
        except (RuntimeError, torch.onnx.OnnxExporterError) as error:
            cause = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise HeadNotExported(f"the head {type(head).__name__} cannot be written as ONNX: {cause[:300]}") from None
    return buffer.getvalue()


def _with_properties(data: bytes, model: TrainedModel) -> bytes:
    """Where the file is from, and of which image model it wants vectors."""
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    graph = onnx.load_model_from_string(data)
    clip = model.config.clip
    properties = {
        "paragone.campaign": model.config.campaign,
        "paragone.head": model.config.training.head,
        "paragone.triplets": model.config.triplets.content_hash,
        "paragone.image_model": json.dumps({"location": portable_location(clip.location, clip.revision), "revision": clip.revision}),
    }
    onnx.helper.set_model_props(graph, properties)
    onnx.checker.check_model(graph)
    written: bytes = graph.SerializeToString()
    return written


def _difference(head: SiameseHead, data: bytes, dimension: int) -> tuple[float, int]:
    """The largest difference over batches of several sizes, and the width of what comes out."""
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    worst, out = 0.0, 0
    for size in _BATCHES:
        vectors: npt.NDArray[np.float32] = random.normal(size=(size, dimension)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        (found,) = session.run([OUTPUT], {INPUT: vectors})
        with torch.no_grad():
            wanted = head(torch.from_numpy(vectors)).numpy()
        if found.shape != wanted.shape:
            raise HeadNotExported(f"the ONNX file gives {found.shape} for a batch of {size} where the head gives {wanted.shape}")
        worst, out = max(worst, float(np.abs(found - wanted).max())), wanted.shape[1]
    return worst, out


def _missing(error: ModuleNotFoundError) -> HeadNotExported:
    return HeadNotExported(f"an ONNX file needs {error.name}: pip install 'paragone[onnx]'")
