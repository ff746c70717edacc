"""How often tests repeat what servers go through: few times as a rule, many in ``make soak``."""

import os

RESTARTS = int(os.environ.get("SIDECAR_SOAK_RESTARTS", "5"))
"""How often a server is killed and comes back; 50 in a soak."""
JOINS = int(os.environ.get("SIDECAR_SOAK_JOINS", "5"))
"""How often a meeting is joined and left; 200 in a soak."""
GUESTS = int(os.environ.get("SIDECAR_SOAK_GUESTS", "8"))
"""How often another participant joins and leaves while the sidecar watches; 60 in a soak."""
