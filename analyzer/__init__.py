"""canary-analyzer: set-and-forget canary releases on plain Kubernetes Deployments.

Data flows one way: config -> engine -> observation -> judge -> decision -> workloads -> record -> alerting.
"""
