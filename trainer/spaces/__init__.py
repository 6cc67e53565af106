"""Spaces, one a file: what turns pictures into vectors, registered in the group `paragone.spaces`. This package itself loads no torch."""
