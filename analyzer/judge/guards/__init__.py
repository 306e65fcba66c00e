"""Guards: one PromQL value against fixed bounds. Rules, not tests: no error rate is claimed."""
