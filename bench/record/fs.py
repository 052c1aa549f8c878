"""What shutil_sol's two functions do to small folders."""

import errno
import os
import shutil
import tempfile
import unittest.mock
from pathlib import Path

from common import Topic, inside

TREE = {
    "data/": 0o755,
    "data/a.bin": (0o600, "first"),
    "data/notes/": 0o700,
    "data/notes/b.md": (0o444, "second"),
    "data/void/": 0o755,
}


def make(files):
    """Makes folders (a mode), files (mode and text) and links (a target)."""
    for path, content in files.items():
        if path.endswith("/"):
            Path(path).mkdir(parents=True, exist_ok=True)
        elif isinstance(content, tuple):
            Path(path).write_text(content[1])
        else:
            os.symlink(content, path)
    for path, content in files.items():
        if not isinstance(content, str):
            os.chmod(path, content if path.endswith("/") else content[0])


def state():
    """All entries, sorted: path, kind, mode, text; of a link what is behind it."""
    found = []
    for folder, folders, names in os.walk("."):
        for name in folders + names:
            path = os.path.relpath(os.path.join(folder, name), ".")
            behind = os.path.exists(path)
            mode = oct(os.stat(path).st_mode & 0o777) if behind else "0o777"
            shown = path + ("/" if os.path.isdir(path) else "")
            if os.path.islink(path):
                mode = mode if shown.endswith("/") else "0o777"
                text = [] if shown.endswith("/") else [Path(path).read_text() if behind else None]
                found.append([shown, "symlink", mode, *text])
            elif shown.endswith("/"):
                found.append([shown, "dir", mode])
            else:
                found.append([shown, "file", mode, Path(path).read_text()])
    return sorted(found)


def scenario(name, action, files, call, current="."):
    from nnunet.utilities import shutil_sol

    with tempfile.TemporaryDirectory() as folder, inside(folder):
        make(files() if callable(files) else files)
        entry = {"name": name, "action": action, "before": state()}
        try:
            with inside(current):
                entry["returned"] = call(shutil_sol)
        except Exception as error:
            args = error.args[0] if isinstance(error, shutil.Error) else list(error.args)
            entry.update(raised=type(error).__name__, args=args, str=str(error))
            entry["mro"] = [c.__name__ for c in type(error).__mro__][:4]
        entry["after"] = state()
    return entry


def refusing(number, refused):
    """Within it, copying the refused file raises the error of this number."""
    copy = shutil.copyfile

    def copyfile(source, target, **more):
        if str(source) == refused:
            raise OSError(number, os.strerror(number), str(target))
        return copy(source, target, **more)

    return unittest.mock.patch("shutil.copyfile", copyfile)


def without_metadata(number):
    """Within it, setting the metadata of a folder raises the error of this number."""

    def copystat(source, target, **_):
        raise PermissionError(number, os.strerror(number), str(target))

    return unittest.mock.patch("shutil.copystat", copystat)


def refused(patches):
    def call(module):
        for patch in patches:
            patch.start()
        try:
            return module.copytree("data", "backup")
        finally:
            for patch in patches:
                patch.stop()

    return call


def files_of_copyfile():
    one = {"x.dat": (0o640, "payload")}
    link = {**one, "alias": "x.dat"}
    to = lambda source, target, **more: lambda m: m.copyfile(source, target, **more)
    yield "copyfile_to_file", "copyfile('x.dat','y.dat')", one, to("x.dat", "y.dat")
    yield "copyfile_to_dir", "copyfile('x.dat','box') box is an existing directory", {
        **one,
        "box/": 0o755,
    }, to("x.dat", "box")
    yield "copyfile_overwrites", "existing target overwritten, its mode kept", {
        **one,
        "y.dat": (0o664, "older, longer text"),
    }, to("x.dat", "y.dat")
    yield "copyfile_missing_parent", "parent of dst does not exist", one, to("x.dat", "some/where/y.dat")
    yield "copyfile_missing_src", "src missing", {}, to("absent.dat", "y.dat")
    yield "copyfile_same_file", "src == dst", one, to("x.dat", "x.dat")
    yield "copyfile_into_own_dir", "dst = '.' = directory of src", one, to("x.dat", ".")
    yield "copyfile_src_is_dir", "src is a directory", {"folder/": 0o755}, to("folder", "y.dat")
    yield "copyfile_symlink_followed", "src is a symlink: followed", link, to("alias", "y.dat")
    yield "copyfile_symlink_kwarg_nofollow", "follow_symlinks=False: link itself copied", link, to(
        "alias", "y.dat", follow_symlinks=False
    )
    yield "copyfile_symlink_to_dir_keeps_link_name", "link name used for target name", {
        **link,
        "box/": 0o755,
    }, to("alias", "box")


def relative():
    return {**TREE, "data/broken": "nothing", "data/file link": "a.bin", "data/folder link": "notes"}


def absolute():
    here = os.path.join(os.getcwd(), "data")
    links = {"data/broken": "nothing", "data/file link": "a.bin", "data/folder link": "notes"}
    return {**TREE, **{path: os.path.join(here, target) for path, target in links.items()}}


def record(out, rng):
    os.umask(0o022)
    topic = Topic(out, "fs")
    scenarios = [scenario(*entry) for entry in files_of_copyfile()]
    copy = lambda m: m.copytree("data", "backup")
    add = lambda *entry: scenarios.append(scenario(*entry))
    add("copytree_basic", "copytree('data','backup')", TREE, copy)
    add("copytree_dst_exists", "dst exists", {**TREE, "backup/": 0o755}, copy)
    add(
        "copytree_creates_parents",
        "missing parents created",
        TREE,
        lambda m: m.copytree("data", "far/away/backup"),
    )
    add("copytree_missing_src", "src missing", {}, copy)
    add("copytree_dangling_symlink", "relative links: all skipped", relative, copy)
    add(
        "copytree_absolute_symlinks", "absolute links: those that lead somewhere are followed", absolute, copy
    )
    add(
        "copytree_relative_symlink_cwd_is_src",
        "same relative links, but current directory = src",
        relative,
        lambda m: m.copytree(".", "../backup"),
        "data",
    )
    add(
        "copytree_relative_link_resolves_only_from_cwd",
        "link target exists relative to cwd but not relative to the link",
        {**TREE, "outside.bin": (0o644, "o"), "data/odd": "outside.bin"},
        copy,
    )
    add(
        "copytree_ignore",
        "ignore=shutil.ignore_patterns('*.bak','void')",
        {**TREE, "data/old.bak": (0o644, "b")},
        lambda m: m.copytree("data", "backup", ignore=shutil.ignore_patterns("*.bak", "void")),
    )
    file = "data/notes/b.md"
    add(
        "copytree_copystat_EPERM",
        "simulated: copystat of every directory raises EPERM",
        TREE,
        refused([without_metadata(errno.EPERM)]),
    )
    add(
        "copytree_copystat_EACCES",
        "simulated: copystat of every directory raises EACCES",
        TREE,
        refused([without_metadata(errno.EACCES)]),
    )
    add(
        "copytree_file_EPERM",
        f"simulated: copying {file} raises EPERM",
        TREE,
        refused([refusing(errno.EPERM, file)]),
    )
    add(
        "copytree_file_EACCES",
        f"simulated: copying {file} raises EACCES",
        TREE,
        refused([refusing(errno.EACCES, file)]),
    )
    add(
        "copytree_mixed_errors",
        f"simulated: copystat EPERM everywhere and ENOSPC for {file}",
        TREE,
        refused([without_metadata(errno.EPERM), refusing(errno.ENOSPC, file)]),
    )
    topic.json(
        "shutil_sol_scenarios.json",
        {
            "module": "nnunet/utilities/shutil_sol.py",
            "functions_defined": ["copyfile", "copytree"],
            "scenarios": scenarios,
        },
    )
