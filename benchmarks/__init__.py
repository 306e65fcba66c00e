"""Programs that measure the analyzer and print tables; run them from the repository's root."""
