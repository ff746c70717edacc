"""The composite as a camera of this machine, which any meeting program can choose."""
