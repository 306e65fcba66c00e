"""`canary-analyzer judge FILE`: verdicts on recorded blocks, one case a line, without Prometheus and cluster.

Rule: one line at a time. A line is read, judged, written and forgotten; what is wrong with one is said about that
one, and the next is judged.
"""
