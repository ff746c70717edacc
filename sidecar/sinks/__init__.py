"""Where the composite and the events of a session go; found by entry points as rooms are."""
