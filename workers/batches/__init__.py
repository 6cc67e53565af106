"""One batch from claim to commit: the run, the fault of one among many, results that wait for what is away."""
