"""The recipe of the pocket models: a captioner, a refiner and a CLIP of a few million parameters, in the classes that production uses.

Read it in this order: `recipe` (how much of everything), `paintings` (the images), `texts` (the texts about them), `architecture`
(the models), `train_loop` (one loop for all), then the models in the order of their training: `autoencoder`, `clip`, `refiner`,
`captioner`; `attribute_classifier` and `pack_measures` measure them, `pack` writes what ships. `python -m trainer.pocket` runs it.
"""
