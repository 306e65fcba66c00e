"""The documents of each target as ConfigMaps: Kubernetes is the database.

Rule: state, status and history stand in the analyzer's own namespace and are written by the lease's holder alone,
each against the version that was read; commands stand in the target's namespace, so that ordinary RBAC decides who
may ask for what.
"""

from analyzer.record.configmaps.reading import ClusterDocuments
from analyzer.record.configmaps.store import ConfigMapStore

__all__ = ["ClusterDocuments", "ConfigMapStore"]
