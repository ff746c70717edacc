"""Media: feeds, peer connections, SDP, ICE, decoding, encoding and recording."""
