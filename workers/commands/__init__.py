"""The workers' commands."""
