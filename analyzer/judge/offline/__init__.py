"""Verdicts on recorded blocks, for `canary-analyzer judge` and benchmarks: the same evidence, many blocks at once."""
