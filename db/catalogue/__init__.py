"""Artworks, their paths and how they came in."""
