"""The installed command, real worker processes, real servers."""
