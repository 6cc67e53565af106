"""An `AutoencoderKL` whose weights are set by hand so that it sees through: it halves the image and doubles it again, nothing else.

It is linear although its class is not. Each colour runs twice, as x and as -x, in channels of one normalisation group, and
silu(x) - silu(-x) = x takes the activation out again. Two more channels carry a constant so much larger than any colour that it alone
decides by what the normalisation divides, which the last convolution multiplies back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from diffusers import AutoencoderKL

if TYPE_CHECKING:
    from torch import nn

_COLOURS = 3
_CHANNELS = 8
_LATENTS = 4

#: Against colours in -1..1, whose share in the norm is then under 0.1 %.
_CONSTANT = 30.0

#: The root mean square over the eight channels, two of which hold the constant.
_NORM = _CONSTANT * (2 / _CHANNELS) ** 0.5

#: Logarithm of the posterior's variance: next to none.
_LOG_VARIANCE = -12.0

#: Brings latents to a deviation of about 1.5, over which the noise of a low strength is seen and does not drown everything.
_SCALING = 3.0


@torch.no_grad()
def see_through_autoencoder(size: int) -> AutoencoderKL:
    """An autoencoder of factor 2 for images of `size` pixels; draws no random numbers that matter."""
    model = AutoencoderKL(
        sample_size=size,
        down_block_types=("DownEncoderBlock2D", "DownEncoderBlock2D"),
        up_block_types=("UpDecoderBlock2D", "UpDecoderBlock2D"),
        block_out_channels=(_CHANNELS, _CHANNELS),
        layers_per_block=1,
        norm_num_groups=1,
        latent_channels=_LATENTS,
        scaling_factor=_SCALING,
        force_upcast=False,
    )
    for name, parameter in model.named_parameters():
        if not name.endswith(("norm.weight", "norm1.weight", "norm2.weight", "norm_out.weight")):
            parameter.zero_()  # residual branches and attention add nothing
    for half in (model.encoder, model.decoder):
        _split_signs(half.conv_in)
        _join_signs(half.conv_out)
    model.encoder.conv_out.bias[_LATENTS:] = _LOG_VARIANCE
    _identity(model.quant_conv)
    _identity(model.post_quant_conv)
    # The downsampling convolution strides by two and pads right and bottom: these taps are the mean of a 2 x 2 block.
    down = model.encoder.down_blocks[0].downsamplers[0].conv
    up = model.decoder.up_blocks[0].upsamplers[0].conv
    for channel in range(_CHANNELS):
        down.weight[channel, channel, :2, :2] = 0.25
        up.weight[channel, channel, 1, 1] = 1.0
    return model.eval()


def _split_signs(convolution: nn.Conv2d) -> None:
    assert convolution.bias is not None
    for colour in range(_COLOURS):
        convolution.weight[colour, colour, 1, 1] = 1.0
        convolution.weight[colour + _COLOURS, colour, 1, 1] = -1.0
    convolution.bias[2 * _COLOURS] = _CONSTANT
    convolution.bias[2 * _COLOURS + 1] = -_CONSTANT


def _join_signs(convolution: nn.Conv2d) -> None:
    for colour in range(_COLOURS):
        convolution.weight[colour, colour, 1, 1] = _NORM
        convolution.weight[colour, colour + _COLOURS, 1, 1] = -_NORM


def _identity(convolution: nn.Conv2d) -> None:
    for channel in range(convolution.out_channels):
        convolution.weight[channel, channel, 0, 0] = 1.0
