# SPDX-License-Identifier: GPL-2.0-only
"""A server whose threads are slow to end when it ends: the plugin is unloaded before the last of them has ended.

A fault shows in about one end of three."""
import os
import shutil
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
