"""The arithmetic of anytime-valid tests on counts: bets, profiles, effects, forecasts. No release, no metric kinds."""
