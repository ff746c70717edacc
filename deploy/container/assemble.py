"""Assembles the root file system of the image: `python -m deploy.container.assemble`.

It is run by the Python of the environment that the image gets. The root has that Python with its
standard library, the environment, the shared libraries of both, certificates and the names of
users, and nothing else: no shell, no package manager. Python's modules are there as byte code
alone, which is read faster than it is compiled; tracebacks have lines' numbers, not their text.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode
from py_compile import compile as compile_module

from deploy.container.libraries import closure, is_elf, owners
from deploy.container.pruning import PrunePattern, kept_files, parse_patterns

USER = 10001
"""The user and the group that the image runs as."""
_TEXTS = {
    "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\n"
    f"sidecar:x:{USER}:{USER}:Reaction Sidecar:/var/lib/sidecar:/sbin/nologin\n",
    "etc/group": f"root:x:0:\nsidecar:x:{USER}:\n",
    # Names are looked up in /etc/hosts, then by DNS: both are parts of glibc itself.
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
_COPIES = ("/etc/os-release", "/etc/ssl/certs/ca-certificates.crt")
_MERGED = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
"""Folders of the root that are links to those below /usr."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where this Python keeps its parts, as absolute paths."""

    interpreter: Path
    """The program itself, without links."""
    library: Path
    """The standard library."""
    environment: Path
    """The virtual environment."""
    prefix: Path
    """The folder of this Python: /usr where it is Debian's own, /usr/local in Docker's image."""

    @classmethod
    def here(cls) -> "Layout":
        """That of the Python that runs this. Raises SystemExit outside of an environment."""
        if sys.prefix == sys.base_prefix:
            sys.exit("assemble: error: this Python is not one of a virtual environment")
        program = Path(sys.executable).resolve()
        library = Path(sysconfig.get_path("stdlib"))
        return cls(program, library, Path(sys.prefix), Path(sys.base_prefix))

    def debian(self, path: Path) -> bool:
        """Whether ``path`` is from one of Debian's packages."""
        folders = [self.environment, *([self.prefix] if self.prefix != Path("/usr") else [])]
        return not any(path.is_relative_to(folder) for folder in folders)

    @property
    def packages(self) -> Path:
        """The environment's site-packages."""
        return self.environment / "lib" / self.library.name / "site-packages"


def below(root: Path, path: Path) -> Path:
    """Where ``path``, an absolute one, is in ``root``."""
    return root / path.relative_to("/")


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(source.readlink())
    else:
        shutil.copy2(source, target)


def _compile(job: tuple[Path, Path, Path]) -> None:
    """Compile the module ``source``, which is called ``name`` in tracebacks, to ``target``."""
    source, name, target = job
    target.parent.mkdir(parents=True, exist_ok=True)
    compile_module(
        str(source),
        cfile=str(target),
        dfile=str(name),
        doraise=True,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )


def copy_modules(
    folder: Path, part: str, patterns: Sequence[PrunePattern], root: Path
) -> Sequence[Path]:
    """Copy what is kept of ``folder`` into ``root``, modules as byte code; return the copied
    files' paths in ``folder``."""
    files = list(kept_files(folder, part, patterns))
    modules = [file for file in files if file.suffix == ".py" and file.exists()]
    jobs = [(file, file, below(root, file).with_suffix(".pyc")) for file in modules]
    # Names are interned in the order of compilation; a process a core, and each module by itself.
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for _ in pool.map(_compile, jobs, chunksize=64):
            pass
    others = [file for file in files if file.suffix != ".py"]
    for file in others:
        _place(file, below(root, file))
    return others


def strip(files: Iterable[Path]) -> None:
    """Remove the symbols of programs and extension modules. Libraries that auditwheel put beside
    them stay as they are: stripped after its patching, OpenBLAS can't be loaded any more."""
    wanted = [str(file) for file in files if not file.parent.name.endswith(".libs")]
    for start in range(0, len(wanted), 50):
        subprocess.run(["strip", "--strip-unneeded", *wanted[start : start + 50]], check=True)


def copy_environment(layout: Layout, root: Path) -> None:
    """What an environment has beside its packages: links to Python, the command, its settings."""
    environment = layout.environment
    _place(environment / "pyvenv.cfg", below(root, environment / "pyvenv.cfg"))
    _place(environment / "bin/sidecar", below(root, environment / "bin/sidecar"))
    for name in ("python", "python3", layout.library.name):
        for link in _links(environment / "bin" / name):
            if not os.path.lexists(below(root, link)):
                _place(link, below(root, link))


def _links(path: Path) -> Iterator[Path]:
    """``path``, and what it leads to from link to link."""
    yield path
    while path.is_symlink():
        path = path.parent / path.readlink()
        path = path.parent.resolve() / path.name
        yield path


def copy_libraries(files: Iterable[Path], environment: Path, root: Path) -> Sequence[Path]:
    """Copy the libraries that ``files`` load and that are none of the environment's own."""
    libraries = [one for one in closure(files) if not one.is_relative_to(environment)]
    for library in libraries:
        target = below(root, library)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy2(library.resolve(), target)
    return libraries


def link_merged_folders(root: Path) -> None:
    """Make the links from / to folders below /usr that this machine has."""
    for name in _MERGED:
        if Path("/", name).is_symlink() and (root / "usr" / name).is_dir():
            (root / name).symlink_to(Path("usr", name))


def write_texts(root: Path) -> None:
    """Users, names, certificates, and the system's name."""
    for name, text in _TEXTS.items():
        below(root, Path("/", name)).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for name in _COPIES:
        target = below(root, Path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(name).resolve(), target)
    for folder in ("dev", "proc", "sys", "run", "etc/sidecar"):
        (root / folder).mkdir(exist_ok=True)
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)


def write_packages(files: Iterable[Path], root: Path) -> None:
    """The Debian packages that ``files`` are from: their copyright, and their records in the
    place where scanners of images without a package manager look for them."""
    # No package has the bundle of certificates: ca-certificates makes it where it is installed.
    for package in sorted({*owners(files), "ca-certificates"}):
        shown = ["dpkg-query", "--status", package]
        status = subprocess.run(shown, capture_output=True, text=True, check=True).stdout
        record = root / "var/lib/dpkg/status.d" / package
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(status)
        copyright_file = Path("/usr/share/doc", package, "copyright")
        if copyright_file.exists():
            target = below(root, copyright_file)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(copyright_file.resolve(), target)


def write_loader_cache(root: Path) -> None:
    """Let the loader find libraries outside of its own folders, such as /usr/local/lib."""
    for name in ("ld.so.conf", "ld.so.conf.d"):
        source, target = Path("/etc", name), root / "etc" / name
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copyfile(source, target)
    subprocess.run(["ldconfig", "-r", str(root)], check=True)
    shutil.rmtree(root / "var/cache/ldconfig", ignore_errors=True)


def assemble(layout: Layout, patterns: Sequence[PrunePattern], root: Path) -> None:
    """Fill ``root``, which must not exist."""
    root.mkdir(parents=True)
    copied = [
        *copy_modules(layout.library, "python", patterns, root),
        *copy_modules(layout.packages, "packages", patterns, root),
    ]
    copy_environment(layout, root)
    programs = [file for file in copied if not file.is_symlink() and is_elf(file)]
    programs.append(layout.interpreter)
    libraries = copy_libraries(programs, layout.environment, root)
    # Debian's files are stripped, and stay as its packages have them.
    files = [*programs, *libraries]
    strip(below(root, one) for one in files if not layout.debian(one))
    write_texts(root)
    link_merged_folders(root)
    write_packages([*filter(layout.debian, files), *map(Path, _COPIES)], root)
    write_loader_cache(root)


def main() -> None:
    parser = argparse.ArgumentParser(prog="assemble", description=__doc__)
    parser.add_argument("root", type=Path, help="the folder to fill; it must not exist")
    parser.add_argument("--prune", type=Path, required=True, help="the list of what is left out")
    options = parser.parse_args()
    patterns = parse_patterns(options.prune.read_text())
    assemble(Layout.here(), patterns, options.root)


if __name__ == "__main__":
    main()
