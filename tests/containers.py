"""The steps of a Dockerfile without Docker: this machine stands in for the base image.

Each stage is an overlay on the root folder of this machine, entered with chroot in a mount
namespace of its own: commands run as they stand in the file, as the user that it names,
and what they write goes to the overlay. It needs Linux and root.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import NamedTuple

# What a base image of Python has in its environment.
_PATH = f"{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
# The host's settings of pip and of proxies, which `docker build` takes as build arguments.
_PASSED_ON = re.compile(r"pip_|https?_proxy|no_proxy", re.IGNORECASE)
_ENTER = """
set -eu
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
for folder in dev proc sys; do mount --rbind "/$folder" "$1/root/$folder"; done
if [ -n "$3" ]; then
    mount -o remount,ro "$1/root"
    for folder in $3; do mount --bind "$1/upper$folder" "$1/root$folder"; done
    mount -t tmpfs -o mode=1777 tmpfs "$1/root/tmp"
fi
root=$1 user=$2
shift 3
exec chroot --userspec="$user" "$root/root" "$@"
"""


class Step(NamedTuple):
    """One instruction: ``RUN``, and the rest of its lines."""

    name: str
    text: str


def read_dockerfile(path):
    """Return the steps; comments are left out and continued lines joined."""
    lines = [
        line
        for line in path.read_text("utf-8").splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Step(*line.split(None, 1)) for line in text.splitlines()]


def context_files(root, files):
    """Return the files that .dockerignore lets into the build, relative to the root."""
    patterns = [
        line
        for line in (root / ".dockerignore").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]

    def is_ignored(path):
        for part in [path, *path.parents][:-1]:
            for pattern in patterns:
                anywhere = pattern.startswith("**/")
                name = part.name if anywhere else str(part)
                if fnmatch(name, pattern.removeprefix("**/")):
                    return True
        return False

    relative = [PurePosixPath(path.relative_to(root)) for path in files]
    return [path for path in relative if not is_ignored(path)]


def why_not_here():
    """Return why no container can be entered on this machine, or None."""
    if not sys.platform.startswith("linux") or os.geteuid():
        return "needs Linux and root"
    if not all(map(shutil.which, ("unshare", "mount", "chroot"))):
        return "needs unshare, mount and chroot"
    probe = "mount -t tmpfs probe /mnt"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", probe], capture_output=True, check=False
    )
    return "may not mount anything" if done.returncode else None


class Container:
    """One stage: its files in ``upper`` and what ENV, USER, WORKDIR, ... have set."""

    def __init__(self, folder):
        self.folder, self.upper = folder, folder / "upper"
        for name in ("upper", "work", "root"):
            (folder / name).mkdir(parents=True)
        self.env, self.arguments = {"PATH": _PATH}, {}
        self.user, self.workdir, self.entrypoint = "0:0", "/", []
        # The interpreter may lie in root's home, which others may not enter.
        above = [str(p) for p in Path(sys.base_prefix).parents][:-1]
        self.call(["chmod", "o+x", *above] if above else ["true"])

    def call(self, words, user=None, env=None, volumes=()):
        """Run a command in the container; return its standard output.

        With volumes, folders of the container, everything else but /tmp is read-only.

        Raises
        ------
        RuntimeError
            It failed; the message has its standard error.
        """
        settings = [f"{k}={v}" for k, v in (self.env | (env or {})).items()]
        inside = ["env", "-i", *settings, "sh", "-c", 'cd "$0" && exec "$@"']
        enter = ["unshare", "--mount", "sh", "-c", _ENTER, "sh"]
        where = [self.folder, user or self.user, " ".join(volumes)]
        done = subprocess.run(
            [*enter, *where, *inside, self.workdir, *words],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{shlex.join(words)}: {done.stderr}")
        return done.stdout

    def copy(self, source, files, target):
        """Copy files, given relative to a folder, to a folder of the container."""
        for name in files:
            path = self.upper / target.lstrip("/") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, path, follow_symlinks=False)


def build(steps, folder, root, files):
    """Carry out the steps, and return the container of the last stage.

    Parameters
    ----------
    steps : list of Step
    folder : Path
        Where the stages go.
    root, files : Path and list of PurePosixPath
        The build context.
    """
    host = {k: v for k, v in os.environ.items() if _PASSED_ON.match(k)}
    stages, now = {}, None
    for step in steps:
        words = shlex.split(step.text)
        if step.name == "FROM":
            now = Container(folder / str(len(stages)))
            stages[words[2] if words[1:2] == ["AS"] else str(len(stages))] = now
        elif step.name == "ARG":
            name, _, default = step.text.partition("=")
            now.arguments[name] = default
        elif step.name == "ENV":
            pairs = (word.partition("=")[::2] for word in words)
            now.env |= {k: v.replace("$PATH", now.env["PATH"]) for k, v in pairs}
        elif step.name == "COPY" and words[0].startswith("--from="):
            source = stages[words[0].removeprefix("--from=")].upper / words[1][1:]
            shutil.copytree(
                source, now.upper / words[2][1:], symlinks=True, copy_function=os.link
            )
        elif step.name == "COPY":
            assert words[0] == ".", step
            now.copy(root, files, words[1])
        elif step.name == "RUN":
            # The host's own place of packages: the official one may be out of reach.
            given = {name: host.get(name, "") for name in now.arguments}
            now.call(["sh", "-c", step.text], env=host | given)
        elif step.name == "WORKDIR":
            now.workdir = step.text
        elif step.name == "USER":
            now.user = f"{step.text}:{step.text}"
        elif step.name == "ENTRYPOINT":
            now.entrypoint = json.loads(step.text)
        else:
            assert step.name in ("CMD", "VOLUME"), step
    return now
