# SPDX-License-Identifier: GPL-2.0-only
"""A command that crashes dumps no core. If it is made to dump one, the core has no secret, since secret memory is excluded. If
that is switched off too, the secrets are found: so the search works."""
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import unittest

import command
from command import CHEAP, KEY1, KEY2, OTHER, PASSPHRASE

TEXT = f"1;{KEY1}\n2;{KEY2}\n"
SHIM = os.environ.get("KEYHOLD_CRASH", "")


def kernel_writes_files():
    """Returns whether core dumps go to a file in the current folder, and not to a program."""
    with open("/proc/sys/kernel/core_pattern") as file:
        pattern = file.read().strip()
    is_allowed = resource.getrlimit(resource.RLIMIT_CORE)[1] == resource.RLIM_INFINITY
    return is_allowed and pattern != "" and "|" not in pattern and "/" not in pattern


def has_gdb():
    """Returns whether gdb is installed and may inspect another process."""
    if shutil.which("gcore") is None:
        return False
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(["sleep", "600"]) as process:
        try:
            return subprocess.run(["gcore", "-o", os.path.join(folder, "probe"), str(process.pid)],
                                  capture_output=True).returncode == 0
        finally:
            process.kill()


class Core(command.Case):
    def setUp(self):
        super().setUp()
        before = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_CORE, before)
        os.mkdir(self.path("cores"))
        self.sealed_file = self.path("sealed")
        self.openssl_file, *self.openssl_how = self.openssl("openssl", TEXT)
        self.text = self.write("text", TEXT)
        self.how = f"--passphrase-file={self.passphrase()}"
        self.new = f"--new-passphrase-file={self.passphrase(OTHER, 'new')}"
        self.run_command("seal", self.text, f"--output={self.sealed_file}", f"--new-passphrase-file={self.path('passphrase')}",
                         *CHEAP)
        explained = subprocess.run([*os.environ["KEYHOLD_OPEN_SEALED"].split(), "--explain", self.sealed_file,
                                    self.write("bare", PASSPHRASE)], capture_output=True, check=True, text=True).stdout
        self.slot_key, self.file_key = (explained.split(f"{name}: ")[1].split("\n")[0] for name in ("slot key", "file key"))
        self.secrets.update({self.slot_key, self.file_key})
        # the moment of the crash, the arguments, and the secrets in memory at that moment
        self.crashes = [
            ("unwrap", ["list", self.sealed_file, self.how], {PASSPHRASE, self.slot_key}),
            ("decrypt", ["list", self.sealed_file, self.how], {PASSPHRASE, self.file_key}),
            ("write", ["add", self.sealed_file, self.how], {PASSPHRASE, KEY1, KEY2}),
            ("write", ["rotate", "--all", self.openssl_file, *self.openssl_how], {PASSPHRASE, KEY1, KEY2}),
            ("write", ["rotate", "--all", self.text], {KEY1, KEY2}),
            ("write", ["unseal", self.sealed_file, self.how], {PASSPHRASE, KEY1, KEY2}),
            ("write", ["seal", self.openssl_file, *self.openssl_how, self.new, *CHEAP], {PASSPHRASE, OTHER, KEY1, KEY2}),
            ("write", ["slot", "add", self.sealed_file, "safe", self.how, self.new, *CHEAP], {PASSPHRASE, OTHER, KEY1, KEY2}),
            ("write", ["create", self.path("made"), self.how, *CHEAP], {PASSPHRASE}),
        ]

    def start(self, moment, words, without="", by="abort"):
        return subprocess.Popen([command.PROGRAM, *words], cwd=self.path("cores"), start_new_session=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                env={**os.environ, "LD_PRELOAD": SHIM, "KEYHOLD_CRASH_AT": moment, "KEYHOLD_CRASH_BY": by,
                                     "KEYHOLD_CRASH_WITHOUT": without})

    def crash(self, *arguments):
        """Crashes the command, and returns whether it dumped core."""
        process = self.start(*arguments)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = status
        self.assertTrue(os.WIFSIGNALED(status), status)
        self.assertEqual(os.WTERMSIG(status), signal.SIGABRT)
        return os.WCOREDUMP(status)

    def core_by_kernel(self, moment, words, without):
        self.assertTrue(self.crash(moment, words, without))

    def core_by_gdb(self, moment, words, without):
        process = self.start(moment, words, without, "stop")
        try:
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            self.assertTrue(os.WIFSTOPPED(status), status)
            subprocess.run(["gcore", "-o", self.path("cores/core"), str(process.pid)], check=True, capture_output=True)
        finally:
            process.kill()
            process.wait()

    def core(self, writer, *arguments):
        writer(*arguments)
        [name] = os.listdir(self.path("cores"))
        content = self.read("cores/" + name).lower()
        os.unlink(self.path("cores/" + name))
        return content

    def found_in(self, core, secrets):
        return {secret for secret in secrets for form in command.forms(secret) if form in core}

    def clean(self):
        for name in os.listdir(self.folder):
            if name.endswith("keyhold-new") or name == "made":
                os.unlink(self.path(name))

    def search(self, writer):
        for moment, words, there in self.crashes:
            with self.subTest(moment=moment, command=words[0]):
                core = self.core(writer, moment, words, "private")
                self.assertEqual(self.found_in(core, self.secrets), set())
                core = self.core(writer, moment, words, "private dontdump")
                self.assertEqual(self.found_in(core, there), there)
                self.clean()

    def test_it_dumps_no_core(self):
        for moment, words, _ in self.crashes:
            with self.subTest(moment=moment, command=words[0]):
                self.assertFalse(self.crash(moment, words))
                self.assertEqual(os.listdir(self.path("cores")), [])
                self.clean()

    @unittest.skipUnless(kernel_writes_files(), "the kernel writes no core dumps here")
    def test_a_core_dump_of_the_kernel_has_no_secret(self):
        self.search(self.core_by_kernel)

    @unittest.skipUnless(has_gdb(), "no gdb that may write core dumps")
    def test_a_core_dump_of_gdb_has_no_secret(self):
        self.search(self.core_by_gdb)

    def test_no_core_while_it_asks_for_a_passphrase(self):
        """The first answer is in memory when the process crashes."""
        terminal = self.terminal("create", self.path("made"), *CHEAP)
        terminal.answer("New passphrase for .*: ", PASSPHRASE)
        terminal.read_until("Repeat passphrase for .*: ")
        self.assertEqual(resource.prlimit(terminal.process.pid, resource.RLIMIT_CORE), (0, 0))
        terminal.process.send_signal(signal.SIGSEGV)
        _, status = os.waitpid(terminal.process.pid, 0)
        terminal.process.returncode = status
        self.assertTrue(os.WIFSIGNALED(status))
        self.assertFalse(os.WCOREDUMP(status))
        terminal.close()

    def test_no_other_process_of_the_user_reads_its_memory(self):
        fifo = self.path("fifo")
        os.mkfifo(fifo, 0o600)
        as_other = []
        if os.geteuid() == 0:
            as_other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            for path in (self.folder, fifo, self.sealed_file):
                os.chown(path, 65534, 65534)
        process = subprocess.Popen([*as_other, command.PROGRAM, "list", self.sealed_file, f"--passphrase-file={fifo}"],
                                   stdout=subprocess.DEVNULL)
        writing = self.open_fifo(fifo, process)  # the process waits for the passphrase
        try:
            for name in ("mem", "environ", "maps"):
                done = subprocess.run([*as_other, "cat", f"/proc/{process.pid}/{name}"], capture_output=True, text=True)
                self.assertIn("Permission denied", done.stderr)
                self.assertEqual(done.stdout, "")
        finally:
            os.write(writing, PASSPHRASE.encode())
            os.close(writing)
            self.assertEqual(process.wait(command.PATIENCE), 0)


if __name__ == "__main__":
    command.main()
