"""The evaluation as one table: a head beside frozen backbones, trivial probes and chance, figures with intervals and verdicts."""
