"""The life of a job: nothing else in the house writes job state."""
