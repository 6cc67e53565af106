"""From similarities to probabilities: fitted on validation pairs, judged on pairs left out of the fit, kept as plain numbers."""
