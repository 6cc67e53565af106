"""What fitting a head gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainer.fit.history import History
    from trainer.heads.siamese import SiameseHead


@dataclass(frozen=True, kw_only=True)
class FittedHead:
    """The head to be used, on the CPU and in evaluation mode, with its history: of a learned head that of the best epoch."""

    head: SiameseHead
    temperature: float
    history: History
