"""The life of a job: nothing outside this package writes the state of one."""
