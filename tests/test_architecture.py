"""Which package imports which, and where private parts of libraries are used: from the source."""

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {
    "config": {"config"},
    "gifs": {"config", "gifs"},
    "reactions": {"config", "reactions"},
    "sidecar": {"config", "gifs", "reactions", "sidecar"},
}
"""Each package with those that it may import."""
SIDECAR_FLOORS = (
    {"captured", "plain_text"},
    {"redaction"},
    {"log_repeats"},
    {"aio", "addresses", "logs", "open_files"},
    {"media", "inference"},
    {"rooms"},
    {"session"},
    {"sinks"},
    {"supervisor"},
    {"dispatch"},
    {"server", "cluster"},
    {"join", "replay", "annotate", "serve", "pictures_of_videos"},
    {"demo", "datasets", "modelling"},
    {"doctor"},
    {"cli", "web"},
    {"__main__"},
)
"""The modules and packages of ``sidecar``: each imports from floors before its own alone."""
OURS = {*FLOORS, "bench", "tests"}
LABEL_NAMES = "reactions.training.label_names"
"""The table of labels, which is pure: imports of data sets read it as well."""
TRAINING = ROOT / "reactions" / "training"
MAKING_MODELS = (
    ROOT / "sidecar" / "modelling",
    ROOT / "sidecar" / "cli" / "model.py",
    ROOT / "sidecar" / "cli" / "model_detector.py",
    ROOT / "sidecar" / "cli" / "model_training.py",
    ROOT / "sidecar" / "cli" / "object_figures.py",
)
"""What trains: nothing else imports it, so that a meeting never loads it."""
PATCHES = ROOT / "sidecar" / "media" / "aiortc_patches.py"


@cache
def sources(package: str) -> Sequence[tuple[Path, ast.Module]]:
    paths = sorted((ROOT / package).rglob("*.py"))
    return [(path, ast.parse(path.read_text(encoding="utf-8"), str(path))) for path in paths]


@pytest.fixture(scope="module", autouse=True)
def _trees() -> Iterator[None]:
    """Free the syntax trees after this module: they take a hundred megabytes."""
    yield
    sources.cache_clear()


def imported(tree: ast.AST) -> set[str]:
    """The full names of all modules that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide who imports whom"
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def packages(tree: ast.AST) -> set[str]:
    return {name.partition(".")[0] for name in imported(tree)}


def private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def borrowed(tree: ast.AST) -> set[str]:
    """Private attributes that a module reads or writes of anything but its own classes' objects.

    Names that the module itself defines or assigns on ``self`` are its own.
    """
    own: set[str] = set()
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Name):
            own.add(node.id)
        elif isinstance(node, ast.Attribute) and private(node.attr):
            of_self = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
            (own if of_self else used).add(node.attr)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            reflects = node.func.id in {"getattr", "hasattr", "setattr", "delattr"}
            names = [arg.value for arg in node.args[1:2] if isinstance(arg, ast.Constant)]
            used |= {str(name) for name in names if reflects and private(str(name))}
    return used - own


@pytest.mark.parametrize("package", FLOORS)
def test_imports_go_down_only(package: str) -> None:
    for path, tree in sources(package):
        upwards = packages(tree) & OURS - FLOORS[package]
        assert not upwards, f"{path.relative_to(ROOT)} imports {upwards}"


SKIPPED = {"__pycache__", "py.typed"}


def test_every_part_of_the_sidecar_is_on_a_floor() -> None:
    parts = {path.stem for path in (ROOT / "sidecar").iterdir() if path.name not in SKIPPED}
    assert parts - {"__init__"} == set().union(*SIDECAR_FLOORS)


def test_parts_of_the_sidecar_import_from_lower_floors_alone() -> None:
    below: set[str] = set()
    for floor in SIDECAR_FLOORS:
        for path, tree in sources("sidecar"):
            part = path.relative_to(ROOT / "sidecar").parts[0].removesuffix(".py")
            if part not in floor:
                continue
            used = {name.split(".")[1] for name in imported(tree) if name.startswith("sidecar.")}
            wrong = used - below - {part}
            assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"
        below |= floor


@pytest.mark.parametrize("package", ["config", "gifs", "reactions"])
def test_only_the_sidecar_talks(package: str) -> None:
    for path, tree in sources(package):
        talking = packages(tree) & {"asyncio", "aiortc", "aiohttp", "aioice"}
        assert not talking, f"{path.relative_to(ROOT)} imports {talking}"


@pytest.mark.parametrize("package", FLOORS)
def test_only_training_knows_tensorflow(package: str) -> None:
    for path, tree in sources(package):
        if TRAINING in path.parents:
            continue
        heavy = packages(tree) & {"tensorflow", "keras", "mediapipe", "cv2"}
        if any(path == part or part in path.parents for part in MAKING_MODELS):
            assert not heavy, f"{path.relative_to(ROOT)} imports {heavy}"
            continue
        trained = {
            name
            for name in imported(tree)
            if name.startswith("reactions.training.") and not name.startswith(LABEL_NAMES)
        }
        assert not heavy | trained, f"{path.relative_to(ROOT)} imports {heavy | trained}"


@pytest.mark.parametrize("package", FLOORS)
def test_private_parts_of_libraries_are_touched_in_one_module_alone(package: str) -> None:
    for path, tree in sources(package):
        touched = borrowed(tree)
        if path == PATCHES:
            assert "_send_keyframe" in touched, "this test no longer sees what it looks for"
        else:
            assert not touched, f"{path.relative_to(ROOT)} touches {touched}"
        hidden = {name for name in imported(tree) if any(map(private, name.split(".")))}
        assert not hidden, f"{path.relative_to(ROOT)} imports {hidden}"


def test_undocumented_modules_of_aiortc_are_used_by_media_alone() -> None:
    modules = ("aiortc.sdp", "aiortc.rtcicetransport", "aiortc.codecs", "aiortc.jitterbuffer")
    for path, tree in sources("sidecar"):
        if PATCHES.parent not in path.parents:
            used = {name for name in imported(tree) if name.startswith(modules)}
            assert not used, f"{path.relative_to(ROOT)} imports {used}"


BROAD = {
    "sidecar/media/sdp.py": 1,  # aiortc's parser meets bad text with any exception
    "sidecar/media/peer.py": 1,  # so does aiortc's negotiation with bad descriptions
    "sidecar/media/pictures.py": 1,  # and Pillow with damaged files
    "sidecar/sinks/registry.py": 1,  # another package breaks while it is loaded
}
"""How many clauses of a module may catch every exception, and why they must.

Other code runs what may raise anything in ``Captured`` or ``Contained``, and cleans up by an exit
stack or ``undo_on_failure``.
"""


def is_broad(handler: ast.ExceptHandler) -> bool:
    match handler.type:
        case None | ast.Name(id="Exception" | "BaseException"):
            return True
        case ast.Tuple(elts=kinds):
            names = {kind.id for kind in kinds if isinstance(kind, ast.Name)}
            return bool(names & {"Exception", "BaseException"})
    return False


@pytest.mark.parametrize("package", FLOORS)
def test_few_places_catch_every_exception(package: str) -> None:
    for path, tree in sources(package):
        handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
        broad = [handler.lineno for handler in handlers if is_broad(handler)]
        where = path.relative_to(ROOT).as_posix()
        assert len(broad) <= BROAD.get(where, 0), f"{where} catches every exception: {broad}"


LONGEST = 40
"""Lines of a function, without its docstring."""
LONG = {
    "sidecar/server/api/room_endpoints.py: endpoints",  # a table with a row an endpoint
}


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from ``def`` to the end, without the docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return lines


@pytest.mark.parametrize("package", FLOORS)
def test_functions_are_short(package: str) -> None:
    for path, tree in sources(package):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                where = f"{path.relative_to(ROOT).as_posix()}: {node.name}"
                assert length(node) <= LONGEST or where in LONG, f"{where} has {length(node)} lines"


UNOWNED = {
    "sidecar/aio.py": "TaskSet and run_until_first themselves",
    "sidecar/cli/signals.py": "the program itself",
    "sidecar/session/session.py": "ended() raises what ends it",
    "sidecar/media/compositor/render_loop.py": "watch() raises what ends it",
    "sidecar/sinks/delivery.py": "contains what the sink raises",
    "sidecar/rooms/hosted/camera_forwarder.py": "close() logs its failure",
    "sidecar/rooms/files/room.py": "they wait for events",
    "sidecar/rooms/sidecar_room/room.py": "a session contains its failures",
    "sidecar/rooms/janus/transport.py": "the one that waits for them raises their failures",
    "sidecar/rooms/whep/client/session.py": "a request that outlives the call that sent it",
    "sidecar/rooms/whep/room.py": "they wait for events",
    "sidecar/supervisor/child_room.py": "start() raises what ends it",
}
"""Modules that start tasks on their own, and who learns of their failures.

All others start them in a ``TaskSet``, which logs a failure and passes it to its owner, in a
``TaskGroup`` or by ``run_until_first``, which raise it.
"""


def test_tasks_have_owners() -> None:
    for path, tree in sources("sidecar"):
        where = path.relative_to(ROOT).as_posix()
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="asyncio" | "loop"), attr=name)
                ) if name in ("create_task", "ensure_future"):
                    assert where in UNOWNED, f"{where}:{node.lineno} starts a task without an owner"
