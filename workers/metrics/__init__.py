"""What worker processes tell Prometheus, served for all of a host by their supervisor."""
