"""Many rooms, one process each: admission, restarts, the journal of wanted rooms, drain."""
