"""The only code that knows the Kubernetes client: connection, cached watches, patches, error translation.

Objects are the API server's own JSON, as mappings. Foreign errors become `KubeError`s here, once; the adapters above
(actuation, record, telemetry) say in their own words what they mean there.

Why not the client's `SharedInformer`, `Watch` and `LeaseLock` (read at version 37.0.2; numbers are issues and pull
requests of kubernetes-client/python)? The informer (asked for in #868) cannot tell how old its cache is: it sets no
read time-out, so a half-open connection looks like a quiet cluster for ever (#1148, #1402; #2462 with the open fix
#2527), and nothing here may be decided on a cache of unknown age. It reconnects without a pause after an error, and
holds whole objects as the generated models, which drop fields that they do not know: a template copied through them
would lose what a newer API server has. Leader election (#434; Leases since #2690 for #1877) relies on the wall clock,
which can step, sends requests without a time-out and calls `sys.exit` on bad settings; it has no epoch to fence late
writes with, and no answer to "may this process begin a write now?" between two renewals.
"""
