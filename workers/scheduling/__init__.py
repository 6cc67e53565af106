"""Which batch a free thread takes next, and how many jobs of it."""
