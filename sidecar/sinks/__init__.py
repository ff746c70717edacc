"""Sinks of the composite and of events, found by entry points as rooms are."""
