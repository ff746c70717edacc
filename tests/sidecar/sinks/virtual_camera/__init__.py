"""The virtual camera, without a driver."""
