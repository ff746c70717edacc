"""What all tests have in common."""

from hypothesis import HealthCheck, settings

# How long an example takes says more about what else this machine is doing than about the code.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")
