# SPDX-License-Identifier: GPL-2.0-only
"""A server whose key file or passphrase file is a FIFO, and whose writer does not come, or dies."""
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

import throwaway

KEY = "000102030405060708090a0b0c0d0e0f"
WAITING = "waiting for a process to write to FIFO '"
ENDED = "SIGTERM ended the wait"


class Fifo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="keyhold-fifo-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.fifo = cls.folder / "fifo"
        os.mkfifo(cls.fifo, 0o600)
        cls.keys = cls.folder / "keys"
        cls.keys.write_text(f"1;{KEY}\n")
        cls.keys.chmod(0o600)
        throwaway.Server(cls.folder / "server", os.environ["KEYHOLD_PLUGINS"], []).create()

    def server(self, *options):
        server = throwaway.Server(self.folder / "server", os.environ["KEYHOLD_PLUGINS"],
                                  ["--plugin-load-add=keyhold_file", "--plugin-maturity=unknown", *options])
        self.addCleanup(server.kill)
        return server

    def wait_for(self, server, text):
        throwaway.wait(lambda: text in server.log.read_text(), f"the log does not have: {text}\n{server.log_end()}")

    def assert_ends(self, server):
        """The start reports what it waits for, and SIGTERM ends the server."""
        server.launch()
        self.wait_for(server, f"{WAITING}{self.fifo}'")
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(throwaway.STOP_SECONDS), -signal.SIGTERM)
        self.assertIn(f"'{self.fifo}': it is a FIFO, and {ENDED}", server.log.read_text())

    def test_key_file(self):
        self.assert_ends(self.server(f"--file-key-management-filename={self.fifo}"))

    def test_passphrase_file(self):
        self.assert_ends(self.server(f"--file-key-management-filename={self.keys}",
                                     f"--file-key-management-filekey=FILE:{self.fifo}"))

    def test_a_writer_that_comes_late(self):
        server = self.server(f"--file-key-management-filename={self.fifo}")
        server.launch()
        self.wait_for(server, WAITING)
        self.fifo.write_text(self.keys.read_text())
        throwaway.wait(lambda: server.socket.exists() and server.is_answering(), "the server does not answer")
        self.assertEqual(server.sql("SHOW GLOBAL STATUS LIKE 'file_key_management_keys'"), [["File_key_management_keys", "1"]])
        server.stop()

    def test_a_writer_that_dies_in_the_last_key(self):
        server = self.server(f"--file-key-management-filename={self.fifo}")
        server.launch()
        self.fifo.write_text(f"1;{KEY}{KEY}\n2;{KEY}")
        self.wait_for(server, f"Cannot use what came through FIFO '{self.fifo}'")
        server.kill()

    def test_what_was_decrypted_is_whole(self):
        plain, passphrase = self.folder / "plain", self.folder / "passphrase"
        passphrase.write_text("a passphrase")
        plain.write_text(f"1;{KEY}{KEY}\n2;{KEY}")
        for file in (plain, passphrase):
            file.chmod(0o600)
        encrypted = subprocess.run(["openssl", "enc", "-aes-256-cbc", "-md", "sha1", "-pass", f"file:{passphrase}", "-in", plain],
                                   check=True, capture_output=True).stdout
        server = self.server(f"--file-key-management-filename={self.fifo}", f"--file-key-management-filekey=FILE:{passphrase}")
        server.launch()
        self.fifo.write_bytes(encrypted)
        throwaway.wait(lambda: server.socket.exists() and server.is_answering(), "the server does not answer")
        self.assertEqual(server.sql("SHOW GLOBAL STATUS LIKE 'file_key_management_keys'"), [["File_key_management_keys", "2"]])
        server.stop()

    def test_a_running_server_does_not_wait_without_limit(self):
        server = self.server()
        server.options = [option for option in server.options if "keyhold_file" not in option]
        server.options.append(f"--loose-file-key-management-filename={self.fifo}")
        server.start()
        with self.assertRaisesRegex(throwaway.ServerError, "no process wrote to it"):
            server.sql("INSTALL SONAME 'keyhold_file'")
        self.wait_for(server, f"Cannot read '{self.fifo}': it is a FIFO, and no process wrote to it")
        server.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
