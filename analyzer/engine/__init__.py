"""Carries out what the decision core decides, at the right moment, for every target.

Rule: no policy in here. It depends on ports and the core alone; `bootstrap` gives it the adapters.
"""
