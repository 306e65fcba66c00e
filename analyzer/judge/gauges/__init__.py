"""Metrics that are levels (CPU, memory, queues), compared on the log scale: evidence and verdict."""
