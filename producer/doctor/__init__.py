"""What `paragone doctor` looks at beyond `paragone health`: everything that a newcomer gets wrong, with the fix beside it."""

from __future__ import annotations

from producer.doctor.diagnosis import diagnose

__all__ = ["diagnose"]
