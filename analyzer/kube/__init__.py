"""The only code that knows the Kubernetes client: connection, cached watches, patches, error translation.

Objects are the API server's own JSON, as mappings. Foreign errors become `KubeError`s here, once; the adapters above
(actuation, record, telemetry) say in their own words what they mean there.
"""
