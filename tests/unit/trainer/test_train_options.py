"""What `paragone train` takes for a head, told before anything is loaded."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from trainer.commands.train import train


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--head", "nothing"], "no installed package offers the head 'nothing'; known: centred, frozen, fused"),
        (["--head", "clip=nothing"], "no installed package offers the head 'nothing'"),
        (["--head", "mlp", "--head", "lda"], "'mlp' is no part of a head: write one NAME, or SPACE=NAME for each part"),
        (["--head", "clip=fused"], "a fused head is made of parts and cannot be one"),
        (["--loss", "nothing"], "known: contrastive, infonce, infonce-both, triplet-margin"),
        (["--steps", "0"], "0 is not in the range"),
    ],
)
def test_a_head_that_cannot_be_is_refused_at_once(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(train, arguments)

    assert result.exit_code == 2
    assert message in " ".join(result.output.split()).replace("│ ", "")
