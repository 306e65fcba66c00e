"""How much a metric varies by itself, estimated from stable's own history before a release, and checked on it."""
