"""Check this machine: WebRTC stack, encoder, models and their speed."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from statistics import median

import av
import numpy as np

from config.errors import ModelError
from config.reaction_rule import ReactionRule
from config.settings import Settings
from reactions.landmark_types import Sample
from reactions.landmarks.model_store import ModelStore, State
from reactions.mannequin import CAST, POSES, Scene, render
from reactions.pipeline import Memory, RecognitionPipeline
from sidecar.doctor.check import Check, Verdict
from sidecar.media.aiortc_patches import dtls_suites, known_version
from sidecar.media.encoder import Encoder
from sidecar.session.factories import make_pipeline, make_store, models_for
from sidecar.sinks.virtual_camera.devices import (
    INSTALL,
    LOOPBACK,
    REPAIR,
    is_installed,
    loopback_devices,
)

SAMPLES = 15
"""Detections, or encoded pictures, of which the median is shown."""


async def machine_checks(
    settings: Settings, table: Mapping[str, ReactionRule]
) -> AsyncGenerator[Check, None]:
    """Everything that can be known without a meeting."""
    for check in (check_stack, check_dtls, check_encoder, check_virtual_camera):
        yield await asyncio.to_thread(check)
    store = make_store(settings)
    models = await asyncio.to_thread(check_models, store, models_for(table))
    yield models
    if models.verdict is Verdict.WRONG:
        return
    try:
        yield await asyncio.to_thread(
            check_detection,
            lambda: make_pipeline(store, table, settings),
            settings.sampling.rate,
        )
    except ModelError as error:
        yield Check("detection", Verdict.WRONG, str(error), "run: sidecar models fetch")


def check_stack() -> Check:
    """Whether the WebRTC stack is the one that our faster paths were written for."""
    if known_version():
        return Check("WebRTC stack", Verdict.FINE, "aiortc as tested: patches in use")
    return Check(
        "WebRTC stack",
        Verdict.WORTH_KNOWING,
        "another aiortc than the tested one: no patches, each hop adds a frame",
        "install the version that constraints.txt names",
    )


def check_dtls() -> Check:
    """Which certificates of other peers, and which cipher suites, DTLS takes here."""
    suites = dtls_suites()
    kinds = [kind for kind in ("ECDSA", "RSA") if any(kind in suite for suite in suites)]
    found = f"{' and '.join(kinds) or 'no'} certificates; {', '.join(suites)}"
    if "RSA" in kinds:
        return Check("DTLS", Verdict.FINE, found)
    return Check(
        "DTLS",
        Verdict.WORTH_KNOWING,
        f"{found}: peers with RSA certificates (GStreamer, some Janus) can't connect",
        "install the aiortc that constraints.txt names, or give those peers ECDSA certificates",
    )


def check_encoder() -> Check:
    """How fast the composite is encoded here."""
    encoder = Encoder(1280, 720)
    noise = np.random.default_rng(0).integers(0, 255, (720 * 3 // 2, 1280), dtype=np.uint8)
    spent = []
    for tick in range(SAMPLES):
        moved = np.roll(noise, 8 * tick, axis=1)
        frame = av.VideoFrame.from_ndarray(moved, format="yuv420p")
        began = time.thread_time()
        encoder.encode(frame, tick)
        spent.append(time.thread_time() - began)
    milliseconds = median(spent) * 1000
    found = f"1280x720 of pure noise in {milliseconds:.0f} ms of a core a picture"
    if milliseconds < 40:
        return Check("encoder", Verdict.FINE, found)
    return Check("encoder", Verdict.WORTH_KNOWING, found, "make composite.width and height smaller")


def check_virtual_camera() -> Check:
    """Whether ``--publish camera:`` can work here; no device is opened."""
    what = "virtual camera"
    if not is_installed():
        found = "not installed; only `--publish camera:` needs it"
        return Check(what, Verdict.WORTH_KNOWING, found, INSTALL)
    if sys.platform != "linux":
        return Check(what, Verdict.FINE, f"pyvirtualcam is installed; if none opens: {REPAIR}")
    devices = loopback_devices()
    if not devices:
        return Check(what, Verdict.WORTH_KNOWING, "there is no v4l2loopback device", LOOPBACK)
    found = ", ".join(f"{path} ({name})" for path, name in devices.items())
    return Check(what, Verdict.FINE, found)


def check_models(store: ModelStore, names: Collection[str]) -> Check:
    """Check that the models ``names``, without the optional ones, are there and undamaged."""
    entries = [entry for entry in store.list() if entry.model.name in names]
    missing = [
        entry.model.file
        for entry in entries
        if entry.state is not State.VERIFIED and not entry.model.optional
    ]
    if missing:
        found = f"missing or damaged in {store.folder}: {', '.join(missing)}"
        return Check("models", Verdict.WRONG, found, "run: sidecar models fetch")
    verified = sum(entry.state is State.VERIFIED for entry in entries)
    off = {
        entry.model.without: entry.model.name
        for entry in entries
        if entry.state is not State.VERIFIED and entry.model.without
    }
    if off:
        found = f"{verified} verified in {store.folder}; {', '.join(off)} is off"
        do = f"install npm and run: sidecar models fetch {' '.join(off.values())}"
        return Check("models", Verdict.WORTH_KNOWING, found, do)
    return Check("models", Verdict.FINE, f"{verified} verified in {store.folder}")


def check_detection(make: Callable[[], RecognitionPipeline], rate: float) -> Check:
    """How long one sample takes, of a mannequin who shows a hand: about the worst case."""
    person = next(iter(CAST.values()))
    picture = render(person, POSES["open_palm"], Scene(), 640, 360)
    detector = make()
    memory: Memory | None = None
    spent = []
    for number in range(SAMPLES):
        began = time.thread_time()
        detection = detector.detect(Sample(picture, number / rate), memory)
        spent.append(time.thread_time() - began)
        memory = detection.memory
    seconds = median(spent)
    cores = os.cpu_count() or 1
    found = (
        f"{seconds * 1000:.0f} ms of a core a sample with a hand in it: "
        f"about {int(1 / (seconds * rate))} participants per core at {rate:g} samples/s; "
        f"{cores} cores here"
    )
    return Check("detection", Verdict.FINE, found)
