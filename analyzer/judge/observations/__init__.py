"""Blocks as the tests see them: each side summed up, histograms at boundaries that both sides have, absence counted."""
