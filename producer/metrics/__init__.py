"""The state of the queue for Prometheus, read from the database."""
