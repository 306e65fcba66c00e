"""`canary-analyzer demo`: the daemon releases versions of a small shop on this machine.

Rule: the demo composes what users get (configuration file, daemon, documents) with the sandbox; it decides nothing.
"""
