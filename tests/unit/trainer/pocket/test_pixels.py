from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from trainer.pocket.colours import PaletteScale, mean_colour
from trainer.pocket.measures_table import Measure, markdown
from trainer.pocket.paintings import PaintingLabel, Paintings
from trainer.pocket.pixels import as_tensor, augment


def test_pixel_bytes_become_numbers_between_minus_one_and_one() -> None:
    pixels = np.array([[[[0, 255, 51]]]], np.uint8)

    assert torch.allclose(as_tensor(pixels, "cpu").flatten(), torch.tensor([-1.0, 1.0, -0.6]))


def test_augmentation_is_repeatable_differs_by_image_and_leaves_images_recognisable() -> None:
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.uniform(-1, 1, (40, 3, 4, 4)).astype(np.float32))
    images = torch.nn.functional.interpolate(coarse, size=(64, 64), mode="bilinear")

    once, again = (augment(images.clone(), torch.Generator().manual_seed(1)) for _ in range(2))

    assert torch.equal(once, again)
    assert once.abs().max() <= 1
    changes = (once - images).abs().mean(dim=(1, 2, 3))
    assert (changes > 0.005).all()
    flat = torch.nn.functional.normalize(torch.nn.functional.avg_pool2d(once, 16).flatten(1), dim=1)
    either = [torch.nn.functional.normalize(torch.nn.functional.avg_pool2d(way, 16).flatten(1), dim=1) for way in (images, images.flip(-1))]
    nearest = torch.maximum(flat @ either[0].T, flat @ either[1].T).argmax(dim=1)
    assert (nearest == torch.arange(40)).float().mean() > 0.9


def test_an_image_is_nearest_to_the_palette_whose_paintings_look_like_it() -> None:
    colours = {"dawn": (240, 180, 160), "night": (20, 30, 70)}
    facts = {"caption": "", "sentence": "", "style": "", "artist": "", "subject": "", "count": 1, "scene": 0, "version": 0}
    pixels = np.array([np.full((8, 8, 3), colour) for colour in colours.values()], np.uint8)
    labels = [PaintingLabel.model_validate({**facts, "palette": palette}) for palette in colours]
    scale = PaletteScale(Paintings(labels=labels, canvases=pixels, boxes=np.zeros((2, 4), np.int64), squares=pixels))

    dusk = Image.new("RGB", (8, 8), (60, 60, 110))
    assert scale.distance(dusk, "night") < scale.distance(dusk, "dawn")
    assert scale.distance(Image.fromarray(pixels[0]), "dawn") < 1e-6


def test_oklab_of_white_is_light_and_without_hue() -> None:
    assert np.allclose(mean_colour(np.full((2, 2, 3), 255, np.uint8)), [1, 0, 0], atol=2e-3)


def test_the_table_of_measures_marks_missed_bounds() -> None:
    rows = [Measure(name="a", value=0.5, least=0.6), Measure(name="b", value=0.03, most=0.05, unit="s"), Measure(name="c", value=0.1)]

    lines = markdown(rows).splitlines()[2:]

    assert lines == ["| a | 50.0% | at least 60.0% | missed |", "| b | 0.03 s | at most 0.05 s |  |", "| c | 10.0% |  |  |"]
