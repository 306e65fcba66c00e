"""The embedded default: pods as local processes, traffic and a real Prometheus, behind Kubernetes' ports.

Rule: `pod` and `traffic` are programs that start in processes of their own, so they import nothing heavy;
whatever starts a process also makes sure that it dies with this one, even when this one is killed.
This file re-exports nothing, to keep those programs quick to start.
"""
