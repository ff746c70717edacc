"""Runs commands in an image's root as a container engine would, without one.

The root is mounted read-only, /tmp is a memory file system, the data folder and a folder for work
are the only places that can be written; the process has the image's user, no capabilities and no
way to get any. The network is the machine's. It needs root, mount and unshare.
"""

import json
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

WORK = "/run/work"
"""Where the folder for work is, inside."""


def _tool(name: str) -> str:
    """Where the program ``name`` is: the image's PATH is not this machine's."""
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(f"{name} is not on this machine")
    return found


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What the image says of how it is run."""

    user: str
    """UID:GID."""
    folder: str
    entrypoint: Sequence[str]
    command: Sequence[str]
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    health: Sequence[str]
    volumes: Sequence[str]

    @classmethod
    def read(cls, path: Path) -> "ImageConfig":
        """That of an image which ``buildah inspect --type image`` described in ``path``."""
        config = json.loads(path.read_text())["Docker"]["config"]
        return cls(
            config["User"],
            config["WorkingDir"],
            config["Entrypoint"],
            config["Cmd"],
            dict(one.split("=", 1) for one in config["Env"]),
            config["Labels"],
            config["Healthcheck"]["Test"][1:],
            sorted(config["Volumes"]),
        )


@dataclass(frozen=True, slots=True)
class ConfinedImage:
    """An image's root with the folders that are mounted into it."""

    root: Path
    config: ImageConfig
    data: Path
    """Mounted at the image's volume."""
    work: Path
    """Mounted at ``WORK``."""

    def words(
        self, program: Sequence[str], variables: Mapping[str, str], folder: str
    ) -> Sequence[str]:
        """The command that runs ``program`` inside."""
        root = shlex.quote(str(self.root))
        uid, _, gid = self.config.user.partition(":")
        mounts = (
            f"mount --bind {root} {root}; mount -o remount,bind,ro {root}; cd {root}",
            "mount -t proc -o nosuid,nodev,noexec proc proc",
            "mount -t tmpfs -o nosuid,nodev,mode=1777 tmp tmp",
            "mount -t tmpfs -o mode=755 dev dev; mkdir dev/shm dev/fd",
            "mount -t tmpfs -o nosuid,nodev,mode=1777 shm dev/shm",
            "for d in null zero random urandom; do touch dev/$d; mount --bind /dev/$d dev/$d; done",
            f"mount --bind {shlex.quote(str(self.data))} .{self.config.volumes[0]}",
            f"mount -t tmpfs run run; mkdir .{WORK}",
            f"mount --bind {shlex.quote(str(self.work))} .{WORK}",
            "mount -o remount,ro dev; mount -o remount,ro run",
        )
        given = {**self.config.environment, **variables}
        environment = [f"{name}={value}" for name, value in given.items()]
        inside = [_tool("setpriv"), "--no-new-privs", "--inh-caps=-all", "--ambient-caps=-all"]
        inside += [_tool("chroot"), f"--userspec={uid}:{gid}", "--groups=", str(self.root)]
        enter = f"import os, sys; os.chdir({folder!r}); os.execvp(sys.argv[1], sys.argv[1:])"
        inside += ["/opt/sidecar/bin/python", "-I", "-S", "-c", enter, *program]
        script = "; ".join(
            ("set -e", *mounts, f"exec env -i {shlex.join([*environment, *inside])}")
        )
        return ["unshare", "--mount", "--propagation=private", "sh", "-c", script]

    def start(
        self, *arguments: str, variables: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Start the image's entry point, as a service does: its output is one pipe."""
        program = [*self.config.entrypoint, *(arguments or self.config.command)]
        words = self.words(program, variables or {}, self.config.folder)
        pipe, none = subprocess.PIPE, subprocess.DEVNULL
        return subprocess.Popen(words, stdin=none, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def run(self, *arguments: str, program: Sequence[str] = (), **variables: str) -> str:
        """What the entry point (or ``program``) prints; it is run in the folder for work.

        Raises RuntimeError with its output where it fails.
        """
        words = self.words([*(program or self.config.entrypoint), *arguments], variables, WORK)
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            shown = f"{done.stdout}\n{done.stderr}"
            raise RuntimeError(f"{shlex.join(arguments)}: status {done.returncode}: {shown}")
        return done.stdout
