"""What an hour of a GPU costs, as `PARAGONE_GPU_PRICE` gives it: a number, and perhaps a currency before or behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CURRENCY = r"[A-Za-z]{1,8}|[$€£¥₹]"
_PRICE = re.compile(rf"(?P<before>{_CURRENCY})?\s*(?P<amount>\d{{1,9}}(?:\.\d{{1,9}})?|\.\d{{1,9}})\s*(?P<behind>{_CURRENCY})?")


@dataclass(frozen=True, kw_only=True)
class GpuPrice:
    """The price of one GPU hour."""

    amount: float
    #: As it was written, such as "EUR" or "$"; empty if none was.
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:.10g} {self.currency}".rstrip()


def parse_gpu_price(written: str) -> GpuPrice | None:
    """The price; None for an empty text. Raises `ValueError` that says how to write it."""
    if not written.strip():
        return None
    found = _PRICE.fullmatch(written.strip())
    if found is None or (found["before"] and found["behind"]):
        raise ValueError(f'{written!r} is no price of a GPU hour: write a number, perhaps with a currency, such as "1.20" or "1.20 EUR"')
    return GpuPrice(amount=float(found["amount"]), currency=found["before"] or found["behind"] or "")
