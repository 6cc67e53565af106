"""Heads, one a file, registered in the entry point group `paragone.heads`. Importing this package does not load torch."""
