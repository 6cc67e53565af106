from __future__ import annotations

import pytest

from db.gpu_price import GpuPrice, parse_gpu_price
from producer.environment import read_settings
from producer.errors import ProducerError


@pytest.mark.parametrize(
    ("written", "amount", "currency"),
    [("1.20", 1.2, ""), ("1.20 EUR", 1.2, "EUR"), ("EUR 2", 2.0, "EUR"), ("$.75", 0.75, "$"), (" 3€ ", 3.0, "€"), ("0", 0.0, "")],
)
def test_a_price_is_a_number_with_or_without_a_currency(written: str, amount: float, currency: str) -> None:
    assert parse_gpu_price(written) == GpuPrice(amount=amount, currency=currency)


@pytest.mark.parametrize("written", ["1,20", "-1", "free", "1.2 EUR an hour", "$1 USD", "nan", "1e3", "inf", "EUR", "1.2.3"])
def test_what_is_no_price_is_told_in_one_line_with_the_way_to_write_it(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAGONE_GPU_PRICE", written)

    with pytest.raises(ProducerError) as refusal:
        read_settings()

    assert "PARAGONE_GPU_PRICE: " in str(refusal.value)
    assert 'such as "1.20" or "1.20 EUR"' in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("written", ["", "  "])
def test_an_empty_price_is_none(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAGONE_GPU_PRICE", written)

    assert read_settings().price_of_gpu is None
