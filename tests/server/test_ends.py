# SPDX-License-Identifier: GPL-2.0-only
"""A server whose threads are slow to end when it ends: the plugin is unloaded before the last of them has ended. A fault shows in
about one end of three.

And one that ends while it derives a key that no one waits for."""
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import throwaway

ENDS = 20
KEYS = "1;770A8A65DA156D24EE2A093277530142\n"


class Ends(unittest.TestCase):
    def test_slow_threads(self):
        folder = Path(tempfile.mkdtemp(prefix="keyhold-ends-"))
        self.addCleanup(shutil.rmtree, folder)
        keys = folder / "keys"
        keys.write_text(KEYS)
        keys.chmod(0o600)
        server = throwaway.Server(folder / "server", os.environ["KEYHOLD_PLUGINS"], [
            "--plugin-load-add=keyhold_file", "--plugin-maturity=unknown", "--innodb-encrypt-tables=ON", "--innodb-encrypt-log=ON",
            "--innodb-encryption-threads=4", f"--file-key-management-filename={keys}"])
        self.addCleanup(server.kill)
        server.create()
        slow = 0
        for number in range(ENDS):
            server.environment = [f"LD_PRELOAD={os.environ['SLOW_ENDS']}", f"SLOW_ENDS_US={1000 + 1000 * (number % 5)}"]
            server.start()
            server.sql("CREATE DATABASE IF NOT EXISTS d; CREATE OR REPLACE TABLE d.t (a INT PRIMARY KEY, b TEXT) ENGINE=InnoDB; "
                       "INSERT INTO d.t VALUES (1, REPEAT('x', 60000)), (2, REPEAT('y', 60000))")
            server.stop()
            slow += server.log.read_text().count("a thread ends slowly")
        self.assertGreater(slow, ENDS)

    def test_derivation(self):
        folder = Path(tempfile.mkdtemp(prefix="keyhold-ends-"))
        self.addCleanup(shutil.rmtree, folder)
        keys, passphrase = folder / "keys", folder / "passphrase"
        passphrase.write_text("of the server\n")
        passphrase.chmod(0o600)
        # as much as the format allows, which the start accepts for later reloads
        subprocess.run([os.environ["KEYHOLD"], "create", "--memory=128", "--passes=64", f"--passphrase-file={passphrase}", keys],
                       check=True, capture_output=True)
        server = throwaway.Server(folder / "server", os.environ["KEYHOLD_PLUGINS"], [
            "--plugin-load-add=keyhold_file", "--plugin-maturity=unknown", "--file-key-management-auto-reload",
            f"--file-key-management-filename={keys}", f"--file-key-management-filekey=FILE:{passphrase}"])
        self.addCleanup(server.kill)
        server.create()
        server.start()
        again = folder / "again"
        shutil.copy(keys, again)
        again.rename(keys)
        throwaway.wait(lambda: server.has_thread("keyhold-derive"), "the changed file is not opened")
        server.stop()
        self.assertIn("the key derivation was given up: the server is shutting down", server.log.read_text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
