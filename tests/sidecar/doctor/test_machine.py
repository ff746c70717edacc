import hashlib
import sys
from pathlib import Path

import pytest

from config.reaction_table import load_reaction_table
from config.settings import Settings
from reactions.labels import LABELS
from reactions.landmark_types import ModelFamily
from reactions.landmarks.model_manifest import ModelFile, Package, Registry, Shipped
from reactions.landmarks.model_store import ModelStore
from sidecar.doctor.check import Verdict
from sidecar.doctor.machine import (
    check_dtls,
    check_encoder,
    check_models,
    check_stack,
    check_virtual_camera,
    machine_checks,
)


def test_the_stack_here_is_the_expected_one() -> None:
    assert check_stack().verdict is Verdict.FINE


def test_another_stack_is_worth_knowing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.doctor.machine.known_version", lambda: False)
    assert check_stack().verdict is Verdict.WORTH_KNOWING


def test_peers_with_rsa_certificates_can_connect() -> None:
    check = check_dtls()
    assert check.verdict is Verdict.FINE
    assert "ECDSA and RSA certificates" in check.found
    assert "ECDHE-RSA-AES128-GCM-SHA256" in check.found


def test_a_stack_without_rsa_is_worth_knowing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.doctor.machine.dtls_suites", lambda: ("ECDHE-ECDSA-AES128-SHA",))
    check = check_dtls()
    assert check.verdict is Verdict.WORTH_KNOWING
    assert "GStreamer" in check.found


def test_the_encoder_is_measured() -> None:
    assert "1280x720" in check_encoder().found


@pytest.mark.models
async def test_models_that_are_there_are_measured() -> None:
    found = [
        check async for check in machine_checks(Settings(), load_reaction_table(LABELS, environ={}))
    ]
    assert [check.what for check in found] == [
        "WebRTC stack",
        "DTLS",
        "encoder",
        "virtual camera",
        "models",
        "detection",
    ]
    assert "5 samples/s" in found[-1].found


async def test_missing_models_end_the_checks_with_what_gets_them(tmp_path: Path) -> None:
    settings = Settings(models={"folder": tmp_path})
    *_, last = [
        check async for check in machine_checks(settings, load_reaction_table(LABELS, environ={}))
    ]
    assert (last.what, last.verdict) == ("models", Verdict.WRONG)
    assert "sidecar models fetch" in last.do


def test_a_label_that_is_off_for_want_of_an_optional_model_is_worth_knowing(tmp_path: Path) -> None:
    def model(name: str, *, without: str = "") -> ModelFile:
        origin = Shipped(Package(Registry.NPM, "weights", "1.0", 9), name)
        digest = hashlib.sha256(name.encode()).hexdigest()
        return ModelFile(
            name, 9, digest, origin, ModelFamily.OBJECTS, optional=True, without=without
        )

    files = {"cups": model("cups", without="drinking"), "lite": model("lite")}
    check = check_models(ModelStore(tmp_path, files=files), files)
    assert check.verdict is Verdict.WORTH_KNOWING
    assert "drinking is off" in check.found
    assert "sidecar models fetch cups" in check.do
    (tmp_path / "cups.tflite").write_bytes(b"cups")
    assert check_models(ModelStore(tmp_path, files=files), files).verdict is Verdict.FINE


@pytest.mark.parametrize(
    ("installed", "devices", "verdict", "said"),
    [
        (False, {}, Verdict.WORTH_KNOWING, "pip install 'reaction-sidecar[camera]'"),
        (True, {}, Verdict.WORTH_KNOWING, "modprobe v4l2loopback"),
        (True, {"/dev/video10": "Reactions"}, Verdict.FINE, "/dev/video10 (Reactions)"),
    ],
)
def test_what_a_virtual_camera_lacks_is_said_with_its_repair(
    monkeypatch: pytest.MonkeyPatch,
    installed: bool,
    devices: dict[str, str],
    verdict: Verdict,
    said: str,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("sidecar.doctor.machine.is_installed", lambda: installed)
    monkeypatch.setattr("sidecar.doctor.machine.loopback_devices", lambda: devices)
    check = check_virtual_camera()
    assert check.verdict is verdict
    assert said in f"{check.found} {check.do}"
