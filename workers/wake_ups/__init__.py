"""Wake-ups: the Celery application, who sends them, and the consumer that hears them."""
