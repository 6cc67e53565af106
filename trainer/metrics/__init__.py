"""Metrics, one a file: each computed from similarities by blocks and a table of pairs, each checked against a plain form in its tests."""
