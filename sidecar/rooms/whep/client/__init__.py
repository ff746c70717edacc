"""A client of WHIP and WHEP servers, used by several rooms and by the WHIP sink."""
