# SPDX-License-Identifier: GPL-2.0-only
"""Throwaway roots: the whole system as it is, with what is written kept in memory and forgotten. Needs root, and mounts.

A root is an overlay over `/`: /etc/mysql, /usr/local and /var/lib/mysql are private, and nothing has to be substituted in what runs.
enter() puts the caller into namespaces of its own first, whose processes and mounts end with it."""
import contextlib
import fcntl
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PASSPHRASE = re.search(r"PASSPHRASE='(.*)'", (HERE / "setup.sh").read_text())[1]
QUESTION = re.compile(rb"(?:assphrase|Once more)[^\n]*: $")
READER = "/srv/keyhold"  # where the reader of a page is: the project's folder
SMALL = """[mariadb]
innodb_buffer_pool_size = 16M
innodb_log_file_size = 8M
performance_schema = OFF
skip_networking = ON
"""


def can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], stderr=subprocess.DEVNULL).returncode == 0


def enter():
    """Runs the program again, in namespaces of its own."""
    if os.environ.get("KEYHOLD_DOCS_INSIDE"):
        return
    os.environ["KEYHOLD_DOCS_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--mount-proc", "--kill-child",
                          "bash", "-c", '"$@"; exit $?', "bash",  # it waits for every orphan, as the first process must
                          sys.executable, *sys.argv])


def run(*command):
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


class Result:
    def __init__(self, status, output):
        self.status, self.output = status, output


class Root:
    """One root over others, and those over a folder: its changes are in a folder, which a later root can be made over."""

    def __init__(self, base, name, lower=(), bottom="/"):
        self.folder = Path(base, name)
        self.path = self.folder / "root"
        for part in ("upper", "work", "root"):
            (self.folder / part).mkdir(parents=True)
        below = ":".join([*(str(root.folder / "upper") for root in lower), str(bottom)])
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir={below},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}", self.path)
        run("mount", "-t", "proc", "proc", self.path / "proc")
        run("mount", "--rbind", "/dev", self.path / "dev")
        for name in ("run", "tmp"):
            run("mount", "-t", "tmpfs", "-o", "mode=1777" if name == "tmp" else "mode=0755", "tmpfs", self.path / name)

    def end(self):
        """Ends what still runs in it, by its id, and forgets everything."""
        self.bash("systemctl stop")
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(process / "root") == str(self.path):
                    os.kill(int(process.name), 9)
            except OSError:  # it has ended
                pass
        run("umount", "--recursive", "--lazy", self.path)
        shutil.rmtree(self.folder / "upper")

    def write(self, path, text, mode=0o644):
        file = self.path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def command(self, *words):
        # /usr/local/sbin is where the pages' sudo and systemctl are
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return ["chroot", str(self.path), "env", "-i", f"PATH={path}", "HOME=/root", "TERM=dumb", "LANG=C.UTF-8", "sh", "-c",
                f'cd {READER} 2>/dev/null; exec "$@"', "sh", *words]

    def bash(self, text, timeout=600):
        """Runs commands as the reader does: on a terminal, where questions for a passphrase are answered."""
        return on_terminal(self.command("bash", "-eo", "pipefail", "-c", text), timeout)

    def quiet(self, text):
        """Runs commands of the test itself, with those of setup.sh."""
        return self.bash(f". /run/setup.sh; set -u\n{text}")

    def sql(self, text, *options):
        done = subprocess.run(self.command("mariadb", "--batch", "--raw", *options), input=text, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=300)
        return Result(done.returncode, done.stdout)


def on_terminal(command, timeout):
    master, slave = pty.openpty()

    def own_terminal():
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=own_terminal)
    os.close(slave)
    output = talk(process, master, time.monotonic() + timeout)
    status = process.wait()
    os.close(master)  # not before, since that sends SIGHUP
    return Result(status, output)


def talk(process, master, end):
    """Reads the output until the process has ended, and answers what it asks on the terminal."""
    output, asked = b"", b""
    while True:
        ready = select.select([process.stdout, master], [], [], 0.2)[0]
        if process.stdout in ready:
            data = os.read(process.stdout.fileno(), 65536)
            output += data
            ended = not data
        else:
            ended = process.poll() is not None and not ready  # what it started may hold the pipe
        if master in ready:
            asked += read_terminal(master)
            if QUESTION.search(asked):
                os.write(master, PASSPHRASE.encode() + b"\n")
                asked = b""
        if ended:
            return output.decode(errors="replace")
        if time.monotonic() > end:
            process.kill()
            return output.decode(errors="replace") + "\n(stopped: it took too long)"


def read_terminal(master):
    try:
        return os.read(master, 65536)
    except OSError:  # no one has the other end any more
        time.sleep(0.02)
        return b""


def template(base, source, build, sample):
    """What all pages are over: Keyhold installed, a new data directory, the pages' sudo and systemctl."""
    root = Root(base, "template")
    run("env", f"DESTDIR={root.path}", "cmake", "--install", build, "--prefix", "/usr/local")
    run("cp", *(HERE / "bin").iterdir(), root.path / "usr/local/sbin")
    shutil.copytree(source, root.path / READER.lstrip("/"), ignore=shutil.ignore_patterns("build*", ".git"))
    root.write("/etc/mysql/mariadb.conf.d/00-throwaway.cnf", SMALL)
    root.write("/etc/apt/apt.conf.d/99throwaway", 'APT::Get::Assume-Yes "true";\nAPT::Get::Upgrade "false";\n')
    made = root.bash("rm -rf /var/lib/mysql; install -d -o mysql -g mysql /var/lib/mysql /run/mysqld; "
                     "mariadb-install-db --user=mysql --skip-test-db --rpm")
    if made.status != 0:
        raise RuntimeError(made.output)
    give_files(root, sample)
    return root


@contextlib.contextmanager
def memory_folder(prefix):
    """A folder in memory, for roots. Nothing in it is ever removed by name, since the roots have the system's /dev: if its mounts
    cannot be ended, it stays, and they end with the namespace."""
    base = tempfile.mkdtemp(prefix=prefix)
    try:
        run("mount", "-t", "tmpfs", "tmpfs", base)
        try:
            yield base
        finally:
            run("umount", "--recursive", "--lazy", base)
    finally:
        os.rmdir(base)


def with_template(source, build, sample_of, action):
    """The result of action(folder, template, sample), in namespaces of its own; 77, which CTest counts as skipped, without the rights."""
    if not can_mount():
        print("skipped: this needs root, and the right to mount")
        return 77
    enter()
    with memory_folder("keyhold-docs-") as base:
        sample = sample_of(source)
        return action(base, template(base, source.resolve(), build.resolve(), sample), sample)


def give_files(root, sample):
    """What setup.sh needs, below /run, which every root has for itself."""
    root.write("/run/setup.sh", (HERE / "setup.sh").read_text())
    root.write("/run/readme.cnf", sample)
