"""One room while it runs: participants, sampling, events and statistics."""
