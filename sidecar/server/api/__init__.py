"""The control API under ``/v1``: who may call, what is taken and answered, and its description."""
