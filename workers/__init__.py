"""The workers: the Celery app and its rings, stages, backends, the GPU, the supervisor."""
