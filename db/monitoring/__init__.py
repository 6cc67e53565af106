"""How far the work is, and who does it."""
