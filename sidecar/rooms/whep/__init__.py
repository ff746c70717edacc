"""The adapter of WHEP streams, and one stream as a feed; ``client`` speaks the protocol."""
