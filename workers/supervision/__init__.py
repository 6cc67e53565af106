"""The supervisor of one host: a worker process for each device, why each ended, and what becomes of its jobs."""
