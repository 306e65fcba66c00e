"""A real Kubernetes and a real Prometheus on this machine, without containers: for tests, and to try things out.

Rule: nothing in here knows the analyzer, but for the sandbox whose pods and traffic it runs; every process ends with
the one that started it. `lab.Lab` is the whole, `python -m tests.e2e.lab` runs one until Ctrl-C.
"""
