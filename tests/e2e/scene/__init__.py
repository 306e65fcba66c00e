"""One test's piece of the lab: its namespaces, pairs of Deployments, users, watchers, and daemons to look after them.

Rule: whatever judges the daemon here sees the cluster by itself, through `lab.api`; nothing is taken from the daemon's
word but what it says of itself (its documents, alerts and log). `scene.Scene` is the whole; `conftest` makes them.
"""
