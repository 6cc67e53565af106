"""The chaos suite: the installed command under faults of every kind, and gates that judge what is left."""
