"""How often tests repeat what servers go through: few times as a rule, many in ``make soak``."""

import os

RESTARTS = int(os.environ.get("SIDECAR_SOAK_RESTARTS", "3"))
"""How often a server is killed and comes back; 50 in a soak."""
JOINS = int(os.environ.get("SIDECAR_SOAK_JOINS", "3"))
"""How often a meeting is joined and left; 200 in a soak."""
GUESTS = int(os.environ.get("SIDECAR_SOAK_GUESTS", "8"))
"""How often another participant joins and leaves while the sidecar watches; 60 in a soak."""
MEETINGS = int(os.environ.get("SIDECAR_SOAK_MEETINGS", "2"))
"""Meetings of the first of two systems that a server of many is in; 4 in a soak."""
ROOMS = int(os.environ.get("SIDECAR_SOAK_ROOMS", "2"))
"""How often one room of a server of many is left and joined again; 50 in a soak."""
CHURN = float(os.environ.get("SIDECAR_SOAK_CHURN", "0"))
"""Minutes for which rooms and guests come and go; 30 in a soak, and no such test otherwise."""
