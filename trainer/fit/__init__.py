"""Fitting a head: its configuration, the loop, the history, checkpoints and curves."""
