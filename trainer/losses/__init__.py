"""Losses, one a file, registered in the entry point group `paragone.losses`. Importing this package does not load torch."""
