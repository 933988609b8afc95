#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A rotation loses nothing: each system call of it fails in turn, the server is killed at each, the disk is full or read-only.
Neither does a reload whose system calls fail.

  test_rotation_faults.py BUILD [--self-check] [--verbose]

BUILD is a build folder with plugins/keyhold_file.so and tests/server/keyhold_faults.so (faults.c). --self-check spoils the key
file during a rotation, and fails unless that is noticed. Needs Linux 5.9; to fill a disk it needs the right to mount one."""
import argparse
import contextlib
import ctypes
import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keyfiles
from rotations import Rotations
from throwaway import Failure, ServerError, require

FORMS = (keyfiles.TextFile, keyfiles.ContainerFile, keyfiles.SealedFile)

# What can go wrong with each call. One that is not here fails with EIO.
ERRORS = {
    "open+creat": ("EACCES", "EMFILE", "ENOSPC", "EROFS"),
    "open": ("EACCES", "EIO", "EMFILE"),
    "stat": ("EACCES", "EIO"),
    "readlink": ("EACCES", "EIO"),
    "read": ("EINTR", "EIO"),
    "write": ("EDQUOT", "EINTR", "EIO", "ENOSPC"),
    "fsync": ("EIO", "ENOSPC"),
    "rename": ("EACCES", "EIO", "ENOSPC"),
    "fchmod": ("EIO", "EPERM"),
    "fchown": ("EIO", "EPERM"),
    "flock": ("EINTR", "ENOLCK"),
    "close": ("EINTR", "EIO"),
    "getrandom": ("EINTR",),
    "mmap": ("ENOMEM",),
    "mprotect": ("ENOMEM",),
    "madvise": ("EINVAL",),
    "mlock": ("ENOMEM", "EPERM"),
    "munlock": ("ENOMEM",),
    "munmap": ("ENOMEM",),
    "brk": ("ENOMEM",),
    "membarrier": ("ENOMEM",),
}
CHANGING = ("open+creat", "write", "fsync", "rename", "fchmod", "fchown")  # calls at which a disk can fail, and fail from then on
TAKEN_FOR_GRANTED = ("mprotect", "membarrier")  # by libsodium before it wipes and by liburcu: the server may end
RETRIED = ("read", "write", "flock", "getrandom")  # EINTR must not make these fail


def orders(call):
    """The orders to the shim for a call."""
    for name in ERRORS.get(call.kind, ("EIO",)):
        yield f"fail {call.number} {getattr(errno, name)}"
    if call.kind in CHANGING:
        yield f"broken {call.number} {errno.EIO}"
        yield f"broken {call.number} {errno.EROFS}"
    if call.kind == "write":
        yield f"short {call.number}"
    if call.kind in ("fsync", "rename"):
        yield f"after {call.number} {errno.EIO}"


def must_work(call, order):
    return order == f"short {call.number}" or (call.kind in RETRIED and order == f"fail {call.number} {errno.EINTR}")


class Disturbances:
    """All failures of the rotations of one key file, counted."""

    def __init__(self, rotations, say):
        self.rotations = rotations
        self.key_file = rotations.key_file
        self.server = rotations.server
        self.say = say
        self.calls = self.failures = self.kills = 0

    @contextlib.contextmanager
    def during(self, what):
        """Adds to an error which failure was injected."""
        try:
            yield
        except (Failure, keyfiles.Broken, ServerError) as failure:
            raise Failure(f"{self.key_file.form} key file, {what}: {failure}") from failure

    def disturb(self):
        """Every failure that this process can inject."""
        calls = self.calls_of_a_rotation()
        self.calls = len(calls)
        self.disturb_each(calls)
        self.rotations.without_lock_file = True
        self.disturb_each([call for call in self.calls_of_a_rotation() if call.file == str(self.rotations.lock)])
        self.rotations.without_lock_file = False
        self.fail_each_reload()

    def calls_of_a_rotation(self):
        calls = self.rotations.check_rotation()
        with self.during("undisturbed"):
            check_order(calls, self.rotations)
        return calls

    def disturb_each(self, calls):
        for call in calls:
            for order in orders(call):
                self.attempt(self.fail, call, order)
        for call in calls:
            self.attempt(self.kill, call, f"kill {call.number}")

    def attempt(self, disturb, call, order):
        with self.during(f"'{order}', {call.kind} {call.file}"):
            # the number of malloc()'s calls may vary
            require(any(disturb(call, order) for _ in range(3)), "the call is not made any more")

    @staticmethod
    def has_fired(outcome):
        fired = any(call.fired for call in outcome.calls)
        require(fired or not outcome.errors, f"it fails undisturbed: {outcome.errors}")
        return fired

    # --- Failures ---

    def fail(self, call, order):
        before, sums = self.key_file.text(), self.rotations.checksums()
        outcome = self.rotations.rotate(order)
        self.say(f"{order}, {call.kind} {call.file}: {outcome.errors or 'done'}")
        if not self.has_fired(outcome):
            return False
        self.failures += 1
        new = self.rotations.check_file(before)
        if call.kind in TAKEN_FOR_GRANTED and not self.server.is_answering():
            self.rotations.check_restart(sums)
            return True
        require(self.server.is_answering(), f"the server ended: {self.server.log_end()}")
        if outcome.errors:
            self.check_error(outcome.errors, order, new)
            require(not must_work(call, order), f"it fails: {outcome.errors}")
        else:
            require(new, "it is reported as done, and made no versions")
        if not order.startswith("broken"):
            self.rotations.check_folder()
        self.rotations.versions_in_use()
        require(self.rotations.checksums() == sums, "rows have changed")
        self.rotations.check_rotation()
        return True

    def fail_each_reload(self):
        self.key_file.add_version()
        for call in self.rotations.check_reload():
            for order in orders(call):
                self.attempt(self.fail_reload, call, order)

    def fail_reload(self, call, order):
        self.key_file.add_version()
        file, in_use, sums = self.key_file.path.read_bytes(), self.rotations.versions_in_use(), self.rotations.checksums()
        outcome = self.rotations.reload(order)
        self.say(f"reload, {order}, {call.kind} {call.file}: {outcome.errors or 'done'}")
        if not self.has_fired(outcome):
            return False
        self.failures += 1
        require(self.key_file.path.read_bytes() == file, "the key file has changed")
        if call.kind in TAKEN_FOR_GRANTED and not self.server.is_answering():
            self.rotations.check_restart(sums)
            return True
        require(self.server.is_answering(), f"the server ended: {self.server.log_end()}")
        if outcome.errors:
            self.check_error(outcome.errors, order, new=False)
            require(not must_work(call, order), f"it fails: {outcome.errors}")
            require(self.rotations.versions_in_use() == in_use, "a reload was refused, and other versions are in use")
        self.rotations.check_reload()
        return True

    def check_error(self, errors, order, new):
        require(any(str(path) in errors for path in self.key_file.paths), f"the error does not name the file: {errors}")
        if new and not order.startswith("after"):  # a rename that was done and reported as failed looks like one that was not done
            require("as it was" not in errors, f"the file has new versions, and the error denies it: {errors}")

    # --- Kills ---

    def kill(self, call, order):
        before, sums = self.key_file.text(), self.rotations.checksums()
        outcome = self.rotations.rotate(order)
        if not outcome.calls[-1].fired:
            return False
        new = self.rotations.check_file(before)
        self.say(f"{order}, {call.kind} {call.file}: {'new' if new else 'old'} file")
        require(self.rotations.check_restart(sums) == -signal.SIGKILL, "the server ended otherwise")
        self.kills += 1
        return True

    # --- The real thing ---

    def check_refused(self, number):
        before, names = self.key_file.path.read_bytes(), sorted(self.key_file.folder.iterdir())
        outcome = self.rotations.rotate()
        self.say(f"{errno.errorcode[number]}: {outcome.errors}")
        require(str(self.key_file.path) in outcome.errors and f"Errcode: {number} " in outcome.errors,
                f"not refused as it should be: {outcome.errors or 'done'}")
        require(self.key_file.path.read_bytes() == before, "the key file has changed")
        require(sorted(self.key_file.folder.iterdir()) == names, "a file is left behind")
        self.rotations.versions_in_use()
        self.rotations.write_rows()
        self.failures += 1

    def fill_disk(self):
        """The disk has room for none, some, or all but one of the pages of the new file."""
        filler = self.key_file.folder / "filler"
        pages = -(-self.key_file.path.stat().st_size // 4096)
        for room in sorted({0, 1, pages // 2, pages - 1}):
            with self.during(f"a disk with room for {room} of {pages} pages"):
                with filler.open("wb", buffering=0) as file:
                    fill(file)
                    file.truncate(file.tell() - room * 4096)
                self.check_refused(errno.ENOSPC)
        filler.unlink()
        self.rotations.check_rotation()

    def make_disk_read_only(self):
        with self.during("a read-only disk"):
            remount(self.key_file.folder, "ro")
            self.check_refused(errno.EROFS)
            remount(self.key_file.folder, "rw")
            self.rotations.check_rotation()

    def forbid_folder(self):
        with self.during("a read-only folder"):
            self.key_file.folder.chmod(0o500)
            self.check_refused(errno.EACCES)
            self.key_file.folder.chmod(0o700)
            self.rotations.check_rotation()

    # --- Self-check ---

    def spoil(self):
        """The shim cuts the new file in half, unnoticed by the server: the test must notice."""
        rename = next(call for call in self.calls_of_a_rotation() if call.kind == "rename")
        try:
            self.attempt(self.fail, rename, f"spoil {rename.number}")
        except Failure as failure:
            print(f"noticed: {failure}")
            return
        raise Failure("a key file that was cut in half was not noticed")


def check_order(calls, rotations):
    """What must be on the disk before what, so that a power failure loses nothing either. The file is read before the lock is taken,
    since deriving keys takes its time, and again under the lock: what is written is made from that."""
    def last(kind, file):
        return max((call.number for call in calls if call.kind == kind and call.file == str(file)), default=0)

    rename = next(call for call in calls if call.kind == "rename")
    steps = [last("flock", rotations.lock) and min(call.number for call in calls if call.file == str(rotations.lock)),
             last("read", rotations.key_file.path),
             last("write", rename.file), last("fsync", rename.file),
             rename.number, last("fsync", rotations.key_file.folder), last("close", rotations.lock)]
    require(steps[0] > 0 and steps == sorted(set(steps)),
            f"lock, read, write, flush, rename, flush the folder, unlock are the calls {steps}")


# --- Disks ---

def have_own_mounts():
    """Whether this process can mount. Its mounts are private and end with the process."""
    clone_newns = 0x20000
    return (os.geteuid() == 0 and ctypes.CDLL(None).unshare(clone_newns) == 0 and
            subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True).returncode == 0)


@contextlib.contextmanager
def small_disk(folder, can_mount):
    """Mounts a small file system at a folder. Returns whether that is possible."""
    mounted = can_mount and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "keyhold", folder],
                                           capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)


def remount(folder, how):
    subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)


def fill(file):
    try:
        while True:
            file.write(bytes(4096))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


# --- The test ---

def run(arguments, root, kind, can_mount):
    """One form of key file, with a server of its own."""
    home = root / kind.form
    folder = home / "keys"
    folder.mkdir(parents=True)
    rotations = Rotations(home, arguments.build, kind(folder))
    disturbances = Disturbances(rotations, print if arguments.verbose else lambda _: None)
    with small_disk(folder, can_mount) as mounted, rotations.server:
        rotations.create()
        rotations.check_rotation()  # makes the lock file
        if arguments.self_check:
            disturbances.spoil()
            return disturbances
        disturbances.disturb()
        if mounted:
            disturbances.fill_disk()
            disturbances.make_disk_read_only()
        else:
            print("skipped: a full and a read-only disk, which need the right to mount")
        if os.geteuid() != 0:  # root may write everywhere
            disturbances.forbid_folder()
        rotations.check_tables()
        rotations.server.stop()
        rotations.check_pages()
    return disturbances


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=lambda path: Path(path).resolve())
    parser.add_argument("--self-check", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


def scratch_folder():
    """In memory if there is room."""
    memory = Path("/dev/shm")
    room = shutil.disk_usage(memory).free if memory.is_dir() and os.access(memory, os.W_OK) else 0
    return tempfile.TemporaryDirectory(prefix="keyhold-", dir=memory if room > 1 << 30 else None)


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    can_mount = have_own_mounts()
    with scratch_folder() as root:
        try:
            done = [run(arguments, Path(root), kind, can_mount) for kind in FORMS]
        except (Failure, keyfiles.Broken, ServerError) as failure:
            print(f"FAILED: {failure}", file=sys.stderr)
            return 1
    if not arguments.self_check:
        calls = ", ".join(f"{one.calls} ({one.key_file.form})" for one in done)
        print(f"system calls of a rotation: {calls}; failures: {sum(one.failures for one in done)}; "
              f"kills: {sum(one.kills for one in done)}; restarts: {sum(one.server.starts - 1 for one in done)}; "
              f"{time.monotonic() - began:.0f} seconds; nothing was lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
