"""HTTP servers: the hosted rooms and their page; ``api`` is the control API."""
