"""Tries the image that `.ci/image` built: its size, and what it is for.

    python .ci/try_image.py ROOT IMAGE.json      # the mounted root, and what buildah says of it
    python .ci/try_image.py compare ROOT OTHER   # two builds must have the same files

The doctor, a replay, an annotated picture, and a served room in which a participant makes a sign
are run inside (see ``confined_image``). The participant's camera and the client are outside.
"""

import contextlib
import json
import os
import queue
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import image_sizes
from confined_image import ConfinedImage, ImageConfig

ROOT = Path(__file__).resolve().parents[1]
SIGN = "thumbs_up"
TOKEN = "a-token-for-the-image"  # noqa: S105
ABSENT = ("tensorflow", "keras", "pytest", "mypy", "pip")


def make_clip(folder: Path) -> None:
    """A picture and a video of six seconds of a mannequin that holds a sign."""
    sys.path.insert(0, str(ROOT))
    import av
    from PIL import Image

    from reactions.mannequin.person import CAST
    from reactions.mannequin.poses import POSES
    from reactions.mannequin.render import render
    from reactions.mannequin.scene import Scene
    from tests.media_cases import write_video

    pixels = render(next(iter(CAST.values())), POSES[SIGN], Scene(), 640, 360)
    Image.fromarray(pixels).save(folder / "sign.jpg", quality=92)
    frames = [av.VideoFrame.from_ndarray(pixels).reformat(format="yuv420p") for _ in range(150)]
    write_video(folder / "clip.mp4", frames)


def check(condition: object, what: str) -> None:
    """Fail with ``what`` unless ``condition``."""
    if not condition:
        raise RuntimeError(what)


def try_basics(image: ConfinedImage) -> None:
    """It starts, is itself, has its models, and nothing that it should not have."""
    print(f"image: {image.run('--version').strip()}, by user {image.config.user}")
    check(not image.config.user.startswith("0"), "it runs as root")
    print(f"image: {image.run('models', 'verify').strip()}")
    packages = next(image.root.glob("opt/sidecar/lib/python3*/site-packages"))
    for name in ABSENT:
        check(not (packages / name).exists(), f"{name} is inside")
    programs = {path.name for path in image.root.glob("**/bin/*")}
    extra = programs & {"sh", "bash", "dash", "apt", "dpkg"}
    check(not extra, f"{extra} are inside")
    listed = json.loads((image.root / "usr/share/sbom/reaction-sidecar.cdx.json").read_text())
    names = {component["name"] for component in listed["components"]}
    check(
        {"aiortc", "libc6", "hand_landmark_lite.tflite"} <= names,
        "parts are not listed",
    )
    print(f"image: {len(names)} components in the list of contents")


def try_demo(image: ConfinedImage) -> None:
    """The demo's room opens and closes."""
    arguments = ("--no-browser", "--mannequins", "0", "--port", "0", "--for", "1s")
    image.run("demo", *arguments, SIDECAR_SERVER__HOST="127.0.0.1")


def try_doctor(image: ConfinedImage) -> None:
    """Every check of the machine passes."""
    for line in image.run("doctor").splitlines():
        print(f"image: doctor: {line}")


def spent() -> float:
    """CPU seconds of this process's children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def timed(run: Callable[[], object]) -> float:
    """CPU seconds that the processes take which ``run`` starts and waits for."""
    before = spent()
    run()
    return spent() - before


def try_replay(image: ConfinedImage) -> None:
    """A replay sees the sign; what it costs here and in this checkout is printed."""
    outside = [sys.executable, "-m", "sidecar", "replay", "clip.mp4", "outside.mp4"]
    times: list[tuple[float, float]] = []
    for _ in range(3):
        inside = timed(lambda: image.run("replay", "clip.mp4", "out.mp4"))
        there = timed(
            lambda: subprocess.run(outside, cwd=image.work, check=True, capture_output=True)
        )
        times.append((inside, there))
    log = (image.work / "out.mp4.events.jsonl").read_text()
    check(any(SIGN in line and "started" in line for line in log.splitlines()), f"no {SIGN}: {log}")
    inside, there = (min(column) for column in zip(*times, strict=True))
    print(f"image: replay of 6 s: {inside:.2f} s of CPU inside, {there:.2f} s outside")


def try_annotate(image: ConfinedImage) -> None:
    """A picture is annotated."""
    answer = json.loads(image.run("annotate", "sign.jpg"))
    fired = [label["label"] for label in answer["labels"] if label["fires"]]
    check(SIGN in fired, f"annotate: {answer}")
    print(f"image: annotate: {', '.join(fired)}")


def ask(
    url: str, body: bytes | None = None, kind: str = "application/json", method: str | None = None
) -> Any:
    """What the API answers, read as JSON."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind}
    # Our own address.
    request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read() or b"null")


def wait_for(what: str, condition: Callable[[], Any], seconds: float) -> Any:
    """What ``condition`` gives once it is true; RuntimeError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            if found := condition():
                return found
        time.sleep(0.2)
    raise RuntimeError(f"no {what} within {seconds:.0f} s")


class Served:
    """`sidecar serve` inside, as the image starts it without arguments."""

    def __init__(self, image: ConfinedImage) -> None:
        (image.data / "sidecar.toml").write_text('[server]\nport = 0\nhost = "127.0.0.1"\n')
        variables = {
            "SIDECAR_API_TOKEN": TOKEN,
            "SIDECAR_CONFIG": "/var/lib/sidecar/sidecar.toml",
            "SIDECAR_SERVER__HOST": "127.0.0.1",
        }
        self._process = image.start(variables=variables)
        self._lines: queue.Queue[str] = queue.Queue()
        self.printed: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.printed.append(line)
            self._lines.put(line)

    def address(self) -> str:
        """The API's address, once it is printed."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(queue.Empty):
                line = self._lines.get(timeout=0.2)
                if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                    return found[0]
        raise RuntimeError(f"no address: {''.join(self.printed)}")

    def end(self) -> int:
        """Drain, and give the exit status."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise RuntimeError(f"it does not end: {''.join(self.printed)}") from None


@contextlib.contextmanager
def camera(address: str, room: str, secret: str, image: ConfinedImage) -> Iterator[None]:
    """A participant of ``room`` from this checkout, whose camera shows the clip again and again."""
    target = address.replace("http://", "whip+http://") + f"/rooms/{room}/whip"
    command = [sys.executable, "-m", "sidecar", "join", "clip.mp4", "--publish", target]
    sender = subprocess.Popen(
        [*command, "--labels", "face"],
        cwd=image.work,
        env=os.environ | {"WHIP_TOKEN": secret},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        yield
    finally:
        sender.terminate()
        sender.wait(30)


def try_room(image: ConfinedImage, address: str) -> None:
    """A hosted room recognises what a participant's camera shows, in a process of the image."""
    made = ask(f"{address}/v1/rooms", b'{"url": "room:standup"}')
    room = f"{address}/v1/rooms/{made['id']}"
    with camera(address, "standup", made["token"], image):
        wait_for("live room", lambda: ask(room)["state"] == "live", 30)
        wait_for("participant", lambda: ask(f"{room}/participants"), 30)
        seen = wait_for(f"{SIGN} in the room", lambda: ask(room)["reactions"].get(SIGN), 60)
    # A server that drains would wait for the room, which is kept while it is empty.
    ask(room, method="DELETE")
    print(f"image: served room: {seen} times {SIGN} from a participant's camera")


def try_serve(image: ConfinedImage) -> None:
    """The API answers; a room lives; a picture is annotated; the health check says so."""
    served = Served(image)
    try:
        address = served.address()
        port = address.rpartition(":")[2]
        check(ask(f"{address}/livez"), "/livez")
        wait_for("readiness", lambda: ask(f"{address}/readyz"), 60)
        picture = (image.work / "sign.jpg").read_bytes()
        answer = ask(f"{address}/v1/annotate", picture, "image/jpeg")
        fired = [label["label"] for label in answer["labels"] if label["fires"]]
        check(SIGN in fired, f"POST /v1/annotate: {answer}")
        health = image.config.health
        image.run(program=health, SIDECAR_SERVER__PORT=port)
        try_room(image, address)
    except Exception:
        print("".join(served.printed))
        raise
    finally:
        status = served.end()
    check(status == 0, f"it ended with status {status}: {''.join(served.printed)}")
    try:
        image.run(program=health, SIDECAR_SERVER__PORT=port)
    except RuntimeError:
        print("image: serve: live, ready, annotated, drained; the health check tells both apart")
    else:
        raise RuntimeError("the health check passes without a server")


def start_time(image: ConfinedImage) -> None:
    """Print how long the shortest command takes."""
    times = []
    for _ in range(5):
        before = time.monotonic()
        image.run("--version")
        times.append(time.monotonic() - before)
    print(f"image: --version takes {min(times):.2f} s")


def try_all(root: Path, description: Path) -> None:
    config = ImageConfig.read(description)
    for name, value in sorted(config.labels.items()):
        print(f"image: label {name}={value}")
    with tempfile.TemporaryDirectory() as scratch:
        data, work = Path(scratch, "data"), Path(scratch, "work")
        uid = int(config.user.partition(":")[0])
        Path(scratch).chmod(0o755)
        for folder in (data, work):
            folder.mkdir()
        make_clip(work)
        for folder in (data, work):
            os.chown(folder, uid, uid)
        image = ConfinedImage(root, config, data, work)
        try_basics(image)
        start_time(image)
        try_demo(image)
        try_doctor(image)
        try_annotate(image)
        try_replay(image)
        try_serve(image)


def main(first: str, second: str, *rest: str) -> int:
    """The exit status."""
    if first == "compare":
        lines = image_sizes.differences(Path(second), Path(rest[0]))
        print("\n".join(f"image: {line}" for line in lines) or "image: two builds are alike")
        return 1 if lines else 0
    total = image_sizes.report(Path(first))
    try:
        try_all(Path(first), Path(second))
        check(total <= image_sizes.LIMIT, f"{total} bytes are more than {image_sizes.LIMIT}")
    except RuntimeError as error:
        print(f"image: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
