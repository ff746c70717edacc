"""Fail where a test was skipped for a reason that is not on the list.

On other machines a test that needs Chromium, npm, the models or a server is skipped with a reason;
CI installs them, so that a skip means that something was not tested.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree

ALLOWED = (
    "shared",
    "can't be had here",
    "SIDECAR_MEDIAPIPE_PYTHON",
    "this system has no such thing",
    "`make soak`",
    "`.ci/charts`",
    "`.ci/cluster`",
)
"""What stands in the reason of those that need the team's folder of photos and servers, a server
that this machine has no means to install or build, or a Python with MediaPipe, which wants older
versions of our libraries; a behaviour of rooms that one system does not know; what takes half
an hour; and what another job does."""


_WHOLE_FILE = "collection skipped"
"""What pytest writes in the place of the reason where a whole file is skipped: the reason then
stands in the element's text."""


def skipped(report: Path) -> list[tuple[str, str]]:
    """Each skipped test or file of tests of a JUnit report, with its reason."""
    # Our own pytest wrote the file a moment ago: nothing hostile is in it.
    cases = ElementTree.parse(report).iter("testcase")  # noqa: S314
    return [
        (f"{case.get('classname')}.{case.get('name')}", _reason(mark))
        for case in cases
        for mark in case.iter("skipped")
    ]


def _reason(mark: ElementTree.Element) -> str:
    message = mark.get("message", "")
    return (mark.text or "") if message == _WHOLE_FILE else message


def main(report: Path) -> int:
    """The exit status."""
    if not report.is_file():
        print("error: no report: the tests did not run")
        return 1
    bad = 0
    for name, reason in skipped(report):
        allowed = any(word in reason for word in ALLOWED)
        bad += not allowed
        print(f"{'skipped' if allowed else 'error: skipped'}: {name}: {reason}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
