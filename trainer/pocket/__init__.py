"""The recipe of the pocket models: a captioner, a refiner and a CLIP of a few million parameters, in the classes that production uses.

Read it in this order: `recipe` (how much of everything), `paintings` (what is looked at), `texts` (what is said about it), `architecture`
(the models), `fitting` (one loop for all), then the models in the order of their training: `autoencoder`, `contrast`, `refiner`,
`captioner`; `judge` and `measures` say how good they are, `pack` writes what ships. `python -m trainer.pocket` runs it.
"""
