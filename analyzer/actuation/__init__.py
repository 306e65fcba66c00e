"""Carries out one safe move on the cluster, and holds the right to do so: the two Deployments and the Lease."""
