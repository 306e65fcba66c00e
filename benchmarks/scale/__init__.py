"""How the daemon does with thousands of targets, on a real API server and a real Prometheus.

Rule: what is measured is the daemon's own code in a process of its own (`daemon`); everything around it, which makes
the cluster and the series that it works on, runs in the process that started it.
"""
