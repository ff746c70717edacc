"""The number of usable cores: the machine's, or less by a container's quota."""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def usable_cores(root: Path = CGROUP) -> float:
    """Cores that this process may use, by its affinity and by the quota of its cgroup."""
    try:
        count = float(len(os.sched_getaffinity(0)))
    except AttributeError:  # macOS and Windows have no affinity.
        count = float(os.cpu_count() or 1)
    quota = cgroup_quota(root)
    return count if quota is None else min(count, quota)


def cgroup_quota(root: Path) -> float | None:
    """Cores by the CPU quota of cgroup v2 (``cpu.max``) or v1; None where there is no quota."""
    try:
        quota, period = (root / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu" / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (root / "cpu" / "cpu.cfs_period_us").read_text(encoding="ascii").strip()
        except OSError:
            return None
    try:
        cores = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None  # "max": no quota.
    return cores if cores > 0 else None
