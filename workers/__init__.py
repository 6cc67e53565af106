"""The workers: the Celery app and its wake-ups, stages, backends, the GPU, the supervisor."""
