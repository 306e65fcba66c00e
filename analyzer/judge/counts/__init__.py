"""Metrics that count events (ratios, histograms, rates, restarts): evidence, its reading, verdict, words."""
