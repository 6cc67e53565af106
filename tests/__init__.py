"""The tests, and the real services that they run against."""
