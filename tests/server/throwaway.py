# SPDX-License-Identifier: GPL-2.0-only
"""A throwaway MariaDB server for tests in Python: a private folder, no network, no system files touched, no root needed.
(tools/lib/server.sh is the same for scripts.) KEYHOLD_BASEDIR names the folder of an unpacked server that takes the place of
the installed one."""
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

BASEDIR = os.environ.get("KEYHOLD_BASEDIR")
START_SECONDS = 180
STOP_SECONDS = 180
WAIT_SECONDS = 240
SYSTEM_PLUGINS = [Path(folder, "plugin") for folder in
                  ("/usr/lib/mysql", "/usr/lib/mariadb", "/usr/lib64/mariadb", "/usr/lib64/mysql")]

# small and quick to start; what is committed outlasts SIGKILL
SMALL = ["--skip-networking", "--skip-log-bin", "--performance-schema=OFF", "--innodb-buffer-pool-size=16M",
         "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=1", "--innodb-fast-shutdown=1",
         "--innodb-buffer-pool-dump-at-shutdown=OFF", "--innodb-buffer-pool-load-at-startup=OFF",
         "--innodb-data-file-path=ibdata1:4M:autoextend", "--innodb-temp-data-file-path=ibtmp1:1M:autoextend",
         "--key-buffer-size=1M", "--aria-pagecache-buffer-size=1M", "--thread-cache-size=0"]


class ServerError(Exception):
    """The server did something unexpected."""


class Failure(Exception):
    """A fault that the test has found."""


def require(condition, what):
    if not condition:
        raise Failure(what)


def wait(condition, what):
    """Until the condition holds."""
    limit = time.monotonic() + WAIT_SECONDS
    while not condition():
        require(time.monotonic() < limit, what)
        time.sleep(0.02)


def program(name):
    unpacked = f"{BASEDIR}/bin:{BASEDIR}/scripts:" if BASEDIR else ""
    found = shutil.which(name, path=unpacked + os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise ServerError(f"there is no {name}")
    return found


def fresh_server(case):
    """A server whose data directory was made and never started, until the tests of this class have ended."""
    folder = tempfile.mkdtemp(prefix="keyhold-server-")
    case.addClassCleanup(shutil.rmtree, folder)
    server = Server(os.path.join(folder, "server"), os.environ["KEYHOLD_PLUGINS"], [])
    server.create()
    return server


class Server:
    """One server: its home is a folder, which the caller makes and removes. In a `with` it ends with the block."""

    def __init__(self, home, plugins, options, environment=(), option_file=None, prefix=()):
        self.home = Path(home)
        self.data = self.home / "data"
        self.socket = self.home / "socket"
        self.log = self.home / "error.log"
        self.plugins = plugins
        self.options = [*SMALL, *options]
        self.environment = list(environment)
        self.prefix = list(prefix)  # a command that becomes the server
        self.defaults = "--no-defaults" if option_file is None else f"--defaults-file={option_file}"
        self.user = ["--user=root"] if os.geteuid() == 0 else []
        self.basedir = [f"--basedir={BASEDIR}"] if BASEDIR else []
        # 11.4 makes a certificate at each start, which takes seconds with the TLS library that is in its binary
        self.no_tls = ["--skip-ssl"] if BASEDIR else []
        self.process = None
        self.starts = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def create(self):
        """A data directory. The account root has no password: the folder's mode is what protects it."""
        (self.home / "tmp").mkdir(parents=True, exist_ok=True)
        # --rpm: or mariadb-install-db, run as root, would change the owner of a system folder (auth_pam_tool_dir)
        done = subprocess.run([program("mariadb-install-db"), "--no-defaults", "--rpm", *self.basedir, *self.user, f"--datadir={self.data}",
                               "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise ServerError(done.stdout)
        self.link_plugins()

    def link_plugins(self):
        """The system's plugins and, over them, those of the build."""
        folder = self.home / "plugins"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        system = next((path for path in SYSTEM_PLUGINS if (path / "file_key_management.so").exists()), None)
        for path in [*(system.glob("*.so") if system else ()), *Path(self.plugins).resolve().glob("*.so")]:
            link = folder / path.name
            link.unlink(missing_ok=True)
            link.symlink_to(path)

    def start(self, *options):
        """Starts the server and waits until it answers. The error log is that of this start only."""
        self.launch(*options)
        self._wait_for_answer()

    def launch(self, *options):
        self.log.write_text("")
        # setpriv: the server ends with this process even when that is killed by SIGKILL
        command = [program("setpriv"), "--pdeathsig", "KILL", "env", *self.environment, *self.prefix, program("mariadbd"),
                   self.defaults, *self.basedir, *self.no_tls, *self.user, f"--datadir={self.data}", f"--tmpdir={self.home / 'tmp'}",
                   f"--socket={self.socket}", f"--plugin-dir={self.home / 'plugins'}", f"--pid-file={self.home / 'pid'}",
                   f"--log-error={self.log}", *self.options, *options]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.starts += 1

    def _wait_for_answer(self):
        limit = time.monotonic() + START_SECONDS
        while not (self.socket.exists() and self.is_answering()):
            if self.process.poll() is not None or time.monotonic() > limit:
                raise ServerError("the server did not start; the end of its error log:\n" + self.log_end())
            time.sleep(0.02)

    def log_end(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def client(self, sql, *options):
        """The finished mariadb client: rows come out tab-separated, without a header."""
        return subprocess.run([program("mariadb"), "--no-defaults", f"--socket={self.socket}", "--user=root", *self.no_tls,
                               "--batch", "--raw", "--skip-column-names", *options],
                              input=sql, capture_output=True, text=True, timeout=300)

    def sql(self, sql):
        """The rows, each a list of texts; any error is one of the test."""
        done = self.client(sql)
        if done.returncode != 0:
            raise ServerError(f"{sql}\n{done.stderr}\n{self.log_end()}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def checksums(self, tables):
        return self.sql(f"CHECKSUM TABLE {', '.join(tables)}")

    def check_tables(self, tables):
        for row in self.sql(f"CHECK TABLE {', '.join(tables)}"):
            require(row[-1] == "OK", f"CHECK TABLE: {row}; {self.log_end()}")

    def has_thread(self, name):
        names = subprocess.run(["ps", "-L", "-o", "comm=", "-p", str(self.process.pid)], capture_output=True, text=True)
        return name in names.stdout.split()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def is_answering(self):
        return self.client("SELECT 1").returncode == 0

    def wait_end(self):
        """The exit status, negative for a signal."""
        status = self.process.wait(timeout=STOP_SECONDS)
        self.process = None
        self.socket.unlink(missing_ok=True)
        return status

    def stop(self):
        self.process.terminate()
        status = self.wait_end()
        if status != 0:
            raise ServerError(f"the server ended with {status}:\n{self.log_end()}")

    def kill(self):
        if self.is_running():
            self.process.send_signal(signal.SIGKILL)
            self.wait_end()
