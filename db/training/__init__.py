"""Triplet sets and training runs."""
