"""The vocabulary: frozen values and enums that every other package speaks in. No behaviour that needs the world.

Rule: nothing here imports from another package of the analyzer, and nothing here can change after it was made.
"""
