# SPDX-License-Identifier: GPL-2.0-only
"""An attack on real redo logs, with each cipher: a program that reads ib_logfile0 alone, without any key, and knows the row that
its author inserted (redo_log.py). It reads the rows of others under CTR, and the ends of rows under CBC, with the server's own
plugin and with Keyhold. Under aes256-xts it reads nothing."""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))
import redo_log  # noqa: E402
import throwaway  # noqa: E402

KEY = "966050d7777350b6fd5ccb3e5f648da45c63befb6deddfa13443f156b7d35c84"
# With these widths, pages are split, and 8 to 10 bytes come after the last whole block of an insert's message.
NAME, CARD = 115, 16
FIRST_ID = 1025  # the first bytes of all ids are equal: InnoDB leaves out what a row has in common with the one before it
ROUNDS, ROWS = 8, 20
WINDOW = 8
FIRST_NAMES = ("Ada", "Grace", "Edsger", "Barbara", "Donald", "Frances", "Niklaus", "Radia")
LAST_NAMES = ("Lovelace", "Hopper", "Dijkstra", "Liskov", "Knuth", "Allen", "Wirth", "Perlman")


class Session:
    """A client that stays connected, so that it can hold a transaction open."""

    def __init__(self, server):
        self.client = subprocess.Popen([throwaway.program("mariadb"), "--no-defaults", f"--socket={server.socket}", "--user=root",
                                        *server.no_tls, "--batch", "--skip-column-names", "--unbuffered", "shop"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def sql(self, sql):
        """Returns when the server has done it."""
        self.client.stdin.write(sql + "; SELECT 'done';\n")
        self.client.stdin.flush()
        answer = self.client.stdout.readline()
        if answer != "done\n":
            raise throwaway.ServerError(f"{sql}: {answer!r}")

    def end(self):
        self.client.stdin.close()
        self.client.stdout.close()
        self.client.wait()


def stored(name, card):
    """The text of a row as InnoDB stores it."""
    return name.ljust(NAME).encode() + card.encode()


def some_rows(chance):
    return [(f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}", f"{chance.randrange(10**16):016}") for _ in range(ROWS)]


def insert(rows, ids):
    return "INSERT INTO cards VALUES " + ", ".join(f"({ids.pop()}, '{name}', '{card}')" for name, card in rows)


class RedoLog(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fresh = throwaway.fresh_server(cls)

    def start(self, plugin, algorithm, cipher=""):
        folder = Path(tempfile.mkdtemp(prefix="keyhold-attack-"))
        self.addCleanup(shutil.rmtree, folder)
        self.keys = folder / "keys"
        self.keys.write_text(f"1;{KEY}{cipher and ';cipher=' + cipher}\n")
        self.keys.chmod(0o600)
        self.server = throwaway.Server(folder / "server", os.environ["KEYHOLD_PLUGINS"], [
            "--plugin-maturity=unknown", f"--plugin-load-add={plugin}", "--file-key-management=FORCE",
            f"--file-key-management-filename={self.keys}", f"--file-key-management-encryption-algorithm={algorithm}",
            "--innodb-encrypt-tables=ON", "--innodb-encrypt-log=ON", "--innodb-flush-log-at-timeout=2700"])
        shutil.copytree(self.fresh.home, self.server.home, symlinks=True)
        self.addCleanup(self.server.kill)
        self.server.start()

    def record(self):
        """In turn, rows of others in a transaction, and one row of the attacker's, whose commit ends the flush interval. Returns
        the others' rows and that one."""
        self.server.sql(f"CREATE DATABASE IF NOT EXISTS shop; CREATE OR REPLACE TABLE shop.cards (id INT PRIMARY KEY, name CHAR({NAME}),"
                        f" card CHAR({CARD})) CHARSET=latin1")
        chance = random.Random(16)
        ids = chance.sample(range(FIRST_ID, FIRST_ID + 255), 255)  # in this order pages are split, and rows moved
        mine = ("Mallory Attacker", "1234123412341234")
        attacker, others = Session(self.server), Session(self.server)
        rows = []
        try:
            attacker.sql(insert([mine], ids))
            for _ in range(ROUNDS):
                more = some_rows(chance)
                others.sql("BEGIN; " + insert(more, ids))
                attacker.sql(insert([mine], ids))
                others.sql("COMMIT")
                rows += [stored(*row) for row in more]
        finally:
            attacker.end()
            others.end()
        return set(rows), stored(*mine)

    def log_file(self):
        return (self.server.data / "ib_logfile0").read_bytes()

    def attack(self, *arguments):
        """The same for a server with this plugin, encryption algorithm and cipher of key 1."""
        self.start(*arguments)
        return self.attack_server(*arguments)

    def attack_server(self, *name):
        """Inserts rows, ends the server and attacks its redo log. Returns the rows and the ends of rows that were read; each is
        one that was inserted."""
        others, mine = self.record()
        self.server.stop()
        log = self.log_file()
        rows = set(redo_log.read_rows(log, mine)) - {mine}
        ends = set(redo_log.read_ends(log, mine)) - {mine[-size:] for size in range(redo_log.BLOCK)}
        print(*name, f": {len(rows)} of {len(others)} rows, the ends of {len(ends)}:", *sorted(rows or ends)[:1])
        self.assertLessEqual(rows, others)
        for end in ends:
            self.assertTrue(any(row.endswith(end) for row in others), end)
        self.shown = self.count_shown(log, others | {mine}, len(mine))
        self.assertGreater(self.count_repeated(log, len(mine)), ROWS, "no IVs repeat, so this shows nothing")
        return rows, ends

    def count_repeated(self, log, size):
        return sum(map(len, redo_log.groups(log, size)))

    def count_shown(self, log, rows, size):
        """In how many places the XOR of two messages of one IV is the XOR of two rows, for so many bytes: an attack that knows
        all rows would see that, however it found them."""
        rows = sorted(rows)
        shown = {(at, redo_log.xor(a[at:at + WINDOW], b[at:at + WINDOW]))
                 for at in range(size - WINDOW + 1) for i, a in enumerate(rows) for b in rows[:i] if a[at:] != b[at:]}
        count = 0
        for group in redo_log.groups(log, size):
            parts = [message.row(size) for message in group]
            for i, a in enumerate(parts):
                for b in parts[:i]:
                    count += sum((at, redo_log.xor(a[at:at + WINDOW], b[at:at + WINDOW])) in shown
                                 for at in range(size - WINDOW + 1))
        return count

    def assert_rows_read(self, *arguments):
        rows, _ = self.attack(*arguments)
        self.assertGreater(len(rows), ROWS)
        self.assertGreater(self.shown, 0)

    def assert_ends_read(self, *arguments):
        rows, ends = self.attack(*arguments)
        self.assertEqual(rows, set())
        self.assertGreater(len(ends), ROWS)
        self.assertGreater(self.shown, 0)

    def test_ctr_of_the_servers_own_plugin_shows_rows(self):
        self.assert_rows_read("file_key_management", "aes_ctr")

    def test_cbc_of_the_servers_own_plugin_shows_ends_of_rows(self):
        self.assert_ends_read("file_key_management", "aes_cbc")

    def test_ctr_shows_rows(self):
        self.assert_rows_read("keyhold_file", "aes_ctr")

    def test_ctr_with_256_bits_shows_rows(self):
        self.assert_rows_read("keyhold_file", "aes_cbc", "aes256-ctr")

    def test_cbc_shows_ends_of_rows(self):
        self.assert_ends_read("keyhold_file", "aes_cbc")

    def test_cbc_with_256_bits_shows_ends_of_rows(self):
        self.assert_ends_read("keyhold_file", "aes_ctr", "aes256-cbc")

    def assert_nothing_read(self, rows, ends):
        self.assertEqual((len(rows), len(ends), self.shown), (0, 0, 0))

    def test_xts_shows_nothing(self):
        self.assert_nothing_read(*self.attack("keyhold_file", "aes_ctr", "aes256-xts"))

    def test_the_way_from_ctr_to_xts(self):
        """docs/rotation.md has it: a new version of key 1, another size of the log, a restart."""
        self.start("keyhold_file", "aes_ctr")
        self.keys.write_text(f"1;{KEY}\n1;2;{KEY[::-1]};cipher=aes256-xts\n")
        self.server.sql("SET GLOBAL file_key_management_reload = ON")
        rows, _ = self.attack_server("a new version alone")
        self.assertGreater(len(rows), ROWS)
        self.server.start()
        self.server.sql(f"SET GLOBAL innodb_log_file_size = {32 << 20}")
        self.assertEqual(redo_log.key_version(self.log_file()), 1, "the statement alone does not make a log with the new version")
        self.server.stop()
        self.server.start()
        self.assertEqual(redo_log.key_version(self.log_file()), 2)
        self.assert_nothing_read(*self.attack_server("a new log"))


if __name__ == "__main__":
    unittest.main()
