"""Events to HTTP servers: signed, in order for each room, at least once."""
