# SPDX-License-Identifier: GPL-2.0-only
"""What all storms share: rounds, threads that disturb, and the ledger of every key version that was ever seen."""
import collections
import hashlib
import hmac
import json
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))
import keyfiles  # noqa: E402
from throwaway import require  # noqa: E402

COMMAND_SECONDS = 240
OPERATIONS_SHOWN = 15
LEDGER_MAX = 4000  # key versions


def fingerprints(text):
    """{(id, version): fingerprint} of a key file in plain text, by docs/inventory.md alone."""
    return {number: hmac.digest(bytes.fromhex(key), b"Keyhold fingerprint", hashlib.sha256)[:8].hex()
            for number, key in keyfiles.versions(text).items()}


class Ledger:
    """Every key version that was seen in force or in a key file, with the fingerprint of its key. Thread-safe."""

    def __init__(self):
        self._seen = {}
        self._lock = threading.Lock()

    def __len__(self):
        return len(self._seen)

    def see(self, found, where):
        """Adds versions; one that was seen with another key was made twice."""
        with self._lock:
            for number, fingerprint in found.items():
                first, key_of_first = self._seen.setdefault(number, (where, fingerprint))[:2]
                require(key_of_first == fingerprint, f"key id {number[0]} version {number[1]} was made twice: "
                        f"{key_of_first} ({first}), {fingerprint} ({where})")

    def require_all(self, found, where, retired=()):
        """Every version that was ever seen is among these, or was removed on purpose."""
        self.see(found, where)
        with self._lock:
            lost = {number: seen for number, seen in self._seen.items() if number not in found and number not in retired}
        require(not lost, f"lost in {where}: " + ", ".join(
            f"key id {key_id} version {version} (seen: {seen[0]})" for (key_id, version), seen in sorted(lost.items())))


class Gang:
    """Threads that each repeat an action until the block ends. The first failure of one ends all and is raised."""

    def __init__(self):
        self.stopped = threading.Event()
        self._threads = []
        self._failure = None

    def repeat(self, action, *arguments):
        thread = threading.Thread(target=self._run, args=(action, arguments), name=f"{action.__name__}-{len(self._threads)}")
        self._threads.append(thread)
        thread.start()

    def _run(self, action, arguments):
        try:
            while not self.stopped.is_set():
                action(*arguments)
        except Exception as failure:  # raised in the main thread, which must not wait for ever
            self._failure = self._failure or failure
            self.stopped.set()

    def sleep(self, seconds):
        """Returns early when a thread has failed."""
        self.stopped.wait(seconds)

    def end(self):
        self.stopped.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.end()
        if self._failure is not None and (kind is None or issubclass(kind, Exception)):
            raise self._failure


class Storm:
    """Rounds of disturbance, each followed by the checks. `home` is a folder of its own, which a failure leaves; `place` is in it,
    for what prepare() makes."""
    name = None

    def __init__(self, home, build, fresh, seed):
        self.home = home
        self.build = build
        self.fresh = fresh  # a server whose data directory was made, to be copied
        self.command = build / "bin/keyhold"
        self.random = random.Random(f"{seed} {self.name}")
        self.counts = collections.Counter()
        self.operations = collections.deque(maxlen=OPERATIONS_SHOWN)
        self._notes = None
        self._lock = threading.Lock()  # of operations, their file, counts and random

    # --- What a storm defines ---

    def prepare(self):
        raise NotImplementedError

    def play_round(self):
        raise NotImplementedError

    def close(self):
        """Ends every process."""

    # --- What runs it ---

    def run(self, seconds):
        """At least one round. Counts are in `counts`."""
        self.home.mkdir()
        end = time.monotonic() + seconds
        with (self.home / "operations").open("w", buffering=1) as self._notes:
            try:
                self.start()
                while self.counts["rounds"] == 0 or time.monotonic() < end:
                    if len(self.ledger) > LEDGER_MAX:
                        self.start_anew()
                    self.note("round", self.counts["rounds"] + 1)
                    self.play_round()
                    self.count("rounds")
            finally:
                self.close()
        self.count("versions", len(self.ledger))

    def start(self):
        self.place = self.home / "place"
        self.place.mkdir()
        self.ledger = Ledger()
        self.prepare()

    def start_anew(self):
        """With a new key file, since each round reads the whole of it."""
        self.close()
        self.count("versions", len(self.ledger))
        shutil.rmtree(self.place)
        self.start()

    def note(self, *words):
        """Writes down an operation or its result."""
        line = f"{time.monotonic():.3f} {threading.current_thread().name}: {' '.join(map(str, words))}"
        with self._lock:
            self.operations.append(line)
            self._notes.write(line + "\n")

    def count(self, what, number=1):
        with self._lock:
            self.counts[what] += number

    def chance(self, part):
        with self._lock:
            return self.random.random() < part

    def pick(self, choices):
        with self._lock:
            return self.random.choice(list(choices))

    def between(self, low, high):
        with self._lock:
            return self.random.uniform(low, high)

    # --- The command ---

    def run_command(self, *arguments, kill_after=None):
        """A run of the command, killed after some seconds if it still runs then. Returns (exit status, messages)."""
        process = subprocess.Popen([self.command, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            out = process.communicate(timeout=COMMAND_SECONDS if kill_after is None else kill_after)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            out = process.communicate()[0]
            require(kill_after is not None, f"the command does not end: {arguments}")
        if process.returncode == -signal.SIGKILL:
            self.count("kills")
        require(process.returncode in (0, 1, -signal.SIGKILL), f"{arguments[0]} ended with {process.returncode}: {out}")
        self.note("keyhold", *arguments, "->", process.returncode, out.strip().replace("\n", " | "))
        self.count("commands")
        return process.returncode, out

    def must_run(self, *arguments):
        status, out = self.run_command(*arguments)
        require(status == 0, f"keyhold {' '.join(map(str, arguments))}: {out}")
        return out


def in_force(server):
    """{(id, version): fingerprint} of a running server."""
    [[report]] = server.sql("SELECT CONVERT(file_key_management_keys() USING utf8mb4)")
    return {(key["key_id"], version["version"]): version["fingerprint"]
            for key in json.loads(report) for version in key["versions"]}
