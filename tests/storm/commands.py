# SPDX-License-Identifier: GPL-2.0-only
"""Processes of the command that rotate, add, change slots, convert and seal one key file, and are killed at random."""
import subprocess

import keyfiles
from storm import Gang, Storm, fingerprints
from throwaway import require

CHEAP = ("--memory=1", "--passes=1")
DERIVATION = ("--digest=sha256", "--pbkdf2-iterations=1000")  # of the format openssl
NEW_DERIVATION = ("--new-digest=sha256", "--new-pbkdf2-iterations=1000")
WORKERS = 4
IDS = (1, 2, 3)
ROUND_SECONDS = (1.5, 3)
KILL_SECONDS = (0, 0.03)  # a command takes 10 to 30 ms
KILLED_PART = 0.4


class CommandStorm(Storm):
    name = "commands"

    def prepare(self):
        self.file = self.place / "keys"
        self.passphrases = [self.place / f"passphrase{number}" for number in range(3)]
        for path in self.passphrases:
            path.write_text(f"{path.name} of a storm\n")
            path.chmod(0o600)
        # one of them opens the file; the empty one is for the format text
        self.hows = [[], *([f"--passphrase-file={path}"] for path in self.passphrases)]
        self.next_id = IDS[-1] + 1
        self.must_run("create", "--format=text", self.file)
        for key_id in IDS[1:]:
            self.must_run("add", self.file, str(key_id))
        self.made = {key_id: 1 for key_id in IDS}  # versions by id that commands have reported
        self.seen = self.place / "seen"

    def play_round(self):
        self.seen.mkdir(exist_ok=True)
        self.last = b""
        with Gang() as gang:
            gang.repeat(self.look)
            for _ in range(WORKERS):
                gang.repeat(self.act)
            gang.sleep(self.between(*ROUND_SECONDS))
        self.check()

    # --- Disturbance ---

    def look(self):
        """Keeps each content that another process could have read."""
        data = self.file.read_bytes()
        if data != self.last:
            self.last = data
            (self.seen / f"{len(list(self.seen.iterdir())):06}").write_bytes(data)

    def act(self):
        action = self.pick((self.rotate, self.rotate, self.rotate_all, self.add, self.add, self.change_slots, self.convert, self.seal))
        action(self.between(*KILL_SECONDS) if self.chance(KILLED_PART) else None)

    def try_each(self, kill_after, *arguments):
        """Runs a command with each passphrase in turn until one opens the file. Returns what it printed if it reported success."""
        derivation = () if arguments[0] == "slot" else DERIVATION
        for how in list(self.hows):
            status, out = self.run_command(*arguments, *how, *(derivation if how else ()), kill_after=kill_after)
            if status != 1:
                with self._lock:  # this one first, the next time
                    self.hows.sort(key=lambda other: other is not how)
                return out if status == 0 else ""
        return ""

    def rotate(self, kill_after):
        key_id = self.pick(IDS)
        # or it passed over a version that another process has just made
        if ": 1 new version." in self.try_each(kill_after, "rotate", f"--id={key_id}", self.file):
            self.report_made(key_id)

    def rotate_all(self, kill_after):
        self.try_each(kill_after, "rotate", "--all", self.file)

    def report_made(self, key_id):
        with self._lock:
            self.made[key_id] = self.made.get(key_id, 0) + 1

    def add(self, kill_after):
        with self._lock:
            key_id = self.next_id
            self.next_id += 1
        if self.try_each(kill_after, "add", self.file, str(key_id)):
            self.report_made(key_id)

    def change_slots(self, kill_after):
        new = f"--new-passphrase-file={self.pick(self.passphrases)}"
        self.try_each(kill_after, *self.pick((("slot", "add", self.file, "other", new, *CHEAP),
                                              ("slot", "change", self.file, "main", new, *CHEAP),
                                              ("slot", "remove", self.file, "other"))))

    def convert(self, kill_after):
        new = f"--new-passphrase-file={self.pick(self.passphrases)}"
        self.try_each(kill_after, "convert", self.file, *self.pick((
            ("--to=text",), ("--to=openssl", new, *NEW_DERIVATION), ("--to=sealed", new, *CHEAP))))

    def seal(self, kill_after):
        self.try_each(kill_after, "seal", self.file, f"--new-passphrase-file={self.pick(self.passphrases)}", *CHEAP)

    # --- Checks ---

    def text_of(self, path):
        messages = []
        for how in self.hows:
            done = subprocess.run([self.command, "export", "--yes-print-the-keys", path, *how, *(DERIVATION if how else ())], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, start_new_session=True)
            if done.returncode == 0:
                return done.stdout
            messages.append(done.stderr.strip())
        raise keyfiles.Broken(f"{path} does not open: {'; '.join(messages)}")

    def check(self):
        for path in sorted(self.seen.iterdir()):
            self.ledger.see(fingerprints(self.text_of(path)), f"seen/{path.name}")
            self.count("contents")
        found = fingerprints(self.text_of(self.file))
        self.ledger.require_all(found, "the key file after the round")
        for key_id, made in self.made.items():
            there = sum(number[0] == key_id for number in found)
            require(there >= made, f"{made} versions of key id {key_id} were reported as made, the file has {there}")
        # the next change works, and leaves nothing beside the file and its lock
        require(self.try_each(None, "rotate", "--all", self.file), "no rotation works after the round")
        left = [path.name for path in self.place.iterdir() if path.name.startswith(".")]
        require(not left, f"temporary files are left: {left}")
        for path in self.seen.iterdir():
            path.unlink()
