#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Key files as containers and hardened units have them: mounts of single files, read-only mounts, Kubernetes' links, files of root,
folders that refuse. A server that runs as the user mysql and the command name the cause and the next step. Needs root, and the
right to mount; all mounts are in a namespace of their own, and end with it."""
import os
import pwd
import re
import shutil
import subprocess
import sys
import time
import unittest

import throwaway

USER = "mysql"
KEY, LATER, THIRD = "770a8a65da156d24ee2a093277530142", "18420b5cba31ccdffe9716e91eb61374", "966050d7777350b6fd5ccb3e5f648da4"
KEYS, MORE = f"1;{KEY}\n", f"1;{KEY}\n1;3;{LATER}\n"
MOUNT_POINT = ("the file itself is a mount point, which cannot be replaced; mount its folder instead: writable to rotate here, or "
               "read-only to rotate where the file is made and use auto_reload")
NOT_NOTICED = "auto_reload cannot notice that another file replaces key file '{}' where it is made"
UNNOTICED_SECONDS = 7  # auto_reload looks every 5 seconds
INSIDE = "KEYHOLD_MOUNTS_INSIDE"


def cannot_run():
    """The sentence about what is not here, or None."""
    if os.geteuid() != 0:
        return "this needs root"
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return f"there is no user {USER}"
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True)
    return None if done.returncode == 0 else "the right to mount is missing"


def run(*command):
    subprocess.run([str(word) for word in command], check=True)


def as_user(user):
    return [throwaway.program("setpriv"), f"--reuid={user}", f"--regid={user}", "--clear-groups"]


WOULD_FAIL = "file_key_management: a rotation would fail"


class Case(unittest.TestCase):
    """Each test has two folders: where the key file is made, and where the server has it."""

    @classmethod
    def setUpClass(cls):
        cls.fresh = throwaway.fresh_server(cls)
        cls.base = cls.fresh.home.parent.resolve()
        cls.base.chmod(0o755)
        cls.command = shutil.copy(os.environ["KEYHOLD"], cls.base / "keyhold")  # what the user mysql can surely run
        cls.uid = pwd.getpwnam(USER).pw_uid

    def setUp(self):
        self.home = self.base / self.id().rsplit(".", 1)[1]
        self.origin, self.place = self.home / "origin", self.home / "place"
        for folder in (self.home, self.origin, self.place):
            folder.mkdir()
            shutil.chown(folder, USER, USER)
        self.keys = self.place / "keys"

    def write(self, path, text=KEYS, user=USER, mode=0o600):
        path.write_text(text)
        shutil.chown(path, user, user)
        path.chmod(mode)

    def replace(self, path, text):
        self.write(path.with_name("new"), text)
        path.with_name("new").rename(path)

    def mount(self, source, target, *options):
        run("mount", "--bind", source, target)
        self.addCleanup(run, "umount", target)
        if options:
            run("mount", "-o", ",".join(["remount", "bind", *options]), target)

    def mount_file(self, *options, user=USER, mode=0o600):
        self.write(self.origin / "keys", user=user, mode=mode)
        self.write(self.keys, "")
        self.mount(self.origin / "keys", self.keys, *options)

    def refuse(self, *arguments, user=USER):
        """What the command reports."""
        done = subprocess.run([*as_user(user), self.command, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done)
        return done.stderr

    def server(self, *options, filename=None):
        home = self.home / "server"
        shutil.copytree(self.fresh.home, home, symlinks=True)
        plugin = home / "plugins" / "keyhold_file.so"
        plugin.unlink()
        shutil.copy(os.path.join(self.fresh.plugins, plugin.name), plugin)
        server = throwaway.Server(home, self.fresh.plugins, [
            "--plugin-load-add=keyhold_file", "--file-key-management=FORCE", f"--file-key-management-filename={filename or self.keys}",
            *options], prefix=as_user(USER))
        server.user = [f"--user={USER}"]
        server.log.touch()
        run("chown", "-R", f"{USER}:{USER}", home)
        self.addCleanup(server.kill)
        return server

    def start(self, *options, **how):
        server = self.server(*options, **how)
        server.start()
        return server

    def refused_start(self, *options, **how):
        """The error log of a server that does not start."""
        server = self.server(*options, **how)
        server.launch()
        self.assertNotEqual(server.wait_end(), 0)
        return server.log.read_text()

    def refused_rotation(self, server):
        done = server.client("SET GLOBAL file_key_management_rotate_key = 1")
        self.assertEqual(done.returncode, 1, done)
        self.assertEqual(self.versions(server), "1")
        self.assertIn(done.stderr.split(": ", 1)[1].strip(), server.log.read_text().replace("mariadbd: ", ""))
        return done.stderr

    def versions(self, server):
        return server.sql("SHOW STATUS LIKE 'file_key_management_versions'")[0][1]

    def wait_versions(self, server, count):
        throwaway.wait(lambda: self.versions(server) == count, f"the server does not load version {count}:\n{server.log_end()}")


class SingleFile(Case):
    def test_it_cannot_be_replaced(self):
        self.mount_file()
        text = self.refused_rotation(self.start())
        self.assertIn(f"Cannot replace file '{self.keys}' (Errcode: 16 \"Device or resource busy\"); the file is unchanged; "
                      f"{MOUNT_POINT}", text)
        self.assertIn(MOUNT_POINT, self.refuse("rotate", "--all", self.keys))
        self.assertEqual(self.keys.read_text(), KEYS)

    def test_a_secret_of_root_in_a_folder_of_root(self):
        """It says so at the lock file already: write access to the folder would not help."""
        self.mount_file("ro", user="root", mode=0o444)
        shutil.chown(self.place, "root", "root")
        server = self.start()
        self.assertIn(f"key file '{self.keys}' can be read by other users (mode 0444): its mount is read-only, so set mode 0400",
                      server.log.read_text())
        text = self.refused_rotation(server)
        self.assertRegex(text, rf"Cannot lock '{self.keys}.lock' \(Errcode: 13 .*\): the file itself is a mount point")
        self.assertIn(MOUNT_POINT, self.refuse("rotate", "--all", self.keys))
        self.assertIn(MOUNT_POINT, self.refuse("rotate", "--all", self.keys, user="root"))

    def test_auto_reload_tells_that_it_cannot_notice_another_file(self):
        self.mount_file()
        server = self.start("--file-key-management-auto-reload=ON")
        throwaway.wait(lambda: NOT_NOTICED.format(self.keys) in server.log.read_text(), server.log_end())
        with open(self.origin / "keys", "a") as file:  # the same file
            file.write(f"1;3;{LATER}\n")
        self.wait_versions(server, "2")
        self.replace(self.origin / "keys", MORE + f"1;5;{THIRD}\n")
        time.sleep(UNNOTICED_SECONDS)
        self.assertEqual(self.versions(server), "2")

    def test_check_has_a_note(self):
        self.mount_file()
        done = subprocess.run([self.command, "check", self.keys], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("note  the file itself is a mount point: it cannot be rotated here", done.stdout)


class Folder(Case):
    def test_a_folder_is_watched_and_rotated(self):
        self.write(self.origin / "keys")
        self.mount(self.origin, self.place)
        server = self.start("--file-key-management-auto-reload=ON")
        self.replace(self.origin / "keys", MORE)
        self.wait_versions(server, "2")
        server.sql("SET GLOBAL file_key_management_rotate_key = 1")
        self.assertEqual(self.versions(server), "3")
        self.assertNotIn("mount", server.log.read_text())

    def test_a_read_only_folder(self):
        self.write(self.origin / "keys")
        self.mount(self.origin, self.place, "ro")
        server = self.start("--file-key-management-auto-reload=ON")
        cause = (f"(Errcode: 30 \"Read-only file system\"): folder '{self.place}' must be writable, and the mount on '{self.place}' is "
                 "read-only; make it writable (in a systemd unit: ReadWritePaths=), or rotate where the file is made and use auto_reload")
        shortened = re.escape(cause).replace(re.escape(str(self.place)), "[^']*place")
        self.assertRegex(self.refused_rotation(server), rf"Cannot lock '{self.keys}.lock' {shortened}")
        self.assertRegex(self.refuse("rotate", "--all", self.keys), shortened)
        self.assertRegex(self.refuse("create", self.place / "other", "--format=text"), r"Cannot create file .*: folder '.*' must be writable, "
                         r"and the mount on '[^']*place' is read-only; make it writable \(in a systemd unit: ReadWritePaths=\)\n$")
        self.replace(self.origin / "keys", MORE)
        self.wait_versions(server, "2")
        self.assertNotIn("cannot notice", server.log.read_text())

    def test_a_kubernetes_secret(self):
        def publish(name, text):
            (self.origin / name).mkdir()
            (self.origin / name).chmod(0o755)
            self.write(self.origin / name / "keys", text, mode=0o440)
            (self.origin / "..tmp").symlink_to(name)
            (self.origin / "..tmp").rename(self.origin / "..data")

        publish("..2026_01_01", KEYS)
        (self.origin / "keys").symlink_to("..data/keys")
        self.mount(self.origin, self.place, "ro")
        server = self.start("--file-key-management-auto-reload=ON")
        publish("..2026_01_02", MORE)
        self.wait_versions(server, "2")
        self.assertRegex(self.refuse("rotate", "--all", self.keys), r"must be writable, and the mount on '[^']*place' is read-only")
        self.assertNotIn("cannot notice", server.log.read_text())


class Refused(Case):
    def cannot(self, what, path, mode, owner="root"):
        return f"user {USER} \\(uid {self.uid}\\) cannot {what} '[^']*{path}' \\(mode {mode}, owner {owner}\\); "

    def test_a_folder_above_the_key_file(self):
        self.write(self.keys)
        shutil.chown(self.place, "root", "root")
        self.place.chmod(0o700)
        (self.home / "link").symlink_to("place/keys")
        pattern = self.cannot("search folder", "place", "0700") + r"give that user search permission \(x\)"
        self.assertRegex(self.refused_start(filename=self.home / "link"), f"Cannot open file '{self.home}/link' .*{pattern}")
        self.assertRegex(self.refuse("list", self.home / "link"), pattern)

    def test_the_key_file(self):
        self.write(self.keys, user="root")
        pattern = f"Cannot open file '{self.keys}' .*" + self.cannot("read", "place/keys", "0600") + "give that user read permission"
        self.assertRegex(self.refused_start(), pattern)
        self.assertRegex(self.refuse("list", self.keys), pattern)

    def test_the_passphrase_file(self):
        secret = self.place / "passphrase"
        self.write(secret, "a passphrase\n")
        run(*as_user(USER), self.command, "create", f"--passphrase-file={secret}", "--memory=1", "--passes=1", self.keys)
        shutil.chown(secret, "root", "root")
        pattern = f"Cannot open file '{secret}' .*" + self.cannot("read", "place/passphrase", "0600")
        self.assertRegex(self.refused_start(f"--file-key-management-filekey=FILE:{secret}"), pattern)
        self.assertRegex(self.refuse("list", self.keys, f"--passphrase-file={secret}"), pattern)

    def test_the_folder_of_a_file_that_others_may_read(self):
        self.write(self.keys, mode=0o644)
        shutil.chown(self.place, "root", "root")
        pattern = (f"Cannot lock '{self.keys}.lock' .*" + self.cannot("write folder", "place", "0755") +
                   "give that user write permission, or rotate where the file is made and use auto_reload")
        self.assertRegex(self.refused_rotation(self.start()), pattern)
        self.assertRegex(self.refuse("rotate", "--all", self.keys), pattern)

    def test_a_lock_file_of_root(self):
        self.write(self.keys)
        self.write(self.place / "keys.lock", "", user="root")
        pattern = f"Cannot lock '{self.keys}.lock' .*" + self.cannot("write", "place/keys.lock", "0600") + "give it the owner, group"
        server = self.start()
        self.assertRegex(self.refused_rotation(server), pattern)
        run(self.command, "rotate", "--all", self.keys)  # root corrects the lock file
        server.sql("SET GLOBAL file_key_management_reload = ON")
        server.sql("SET GLOBAL file_key_management_rotate_key = 1")
        self.assertEqual(self.versions(server), "3")

    def test_a_link_with_the_name_of_the_lock_file(self):
        self.write(self.keys)
        (self.place / "keys.lock").symlink_to("keys")
        self.assertRegex(self.refused_rotation(self.start()), f"Cannot lock '{self.keys}.lock' .*place/keys.lock' is a symbolic link, "
                         "not a lock file; remove it")

    def test_a_file_of_the_user_and_of_the_group_of_root(self):
        self.write(self.keys)
        server = self.start()
        shutil.chown(self.keys, USER, "root")
        self.assertRegex(self.refused_rotation(server), rf"user {USER} \(uid {self.uid}\) owns the file, but is not in its group 0; "
                         r"give the file a group of that user \(chgrp\)")
        self.assertNotIn(WOULD_FAIL, server.log.read_text())
        server.stop()
        server.start()
        self.assertRegex(server.log.read_text(), rf"{WOULD_FAIL}: .* but is not in its group 0; give")

    def test_a_folder_that_the_user_cannot_write(self):
        """A key file that is never rotated may be there."""
        self.write(self.keys)
        shutil.chown(self.place, "root", "root")
        server = self.start()
        self.assertNotIn(WOULD_FAIL, server.log.read_text())
        server.stop()
        server.options = [*server.options, "--file-key-management-auto-rotate=ON"]
        server.start()
        self.assertRegex(server.log.read_text(), rf"{WOULD_FAIL}: .* user {USER} \(uid {self.uid}\) cannot write folder '.*place' ")

    def test_a_file_of_root_in_a_folder_of_the_user(self):
        self.write(self.keys, user="root", mode=0o444)
        server = self.start()
        self.assertIn("(mode 0444): chmod it to 0600, and chown it to the server's user", server.log.read_text())
        pattern = (rf"cannot be given to the new file \(Errcode: 1 .*\); the file is unchanged; user {USER} \(uid {self.uid}\) cannot "
                   "give a file to owner root and group 0; run as root or as the file's owner")
        self.assertRegex(self.refused_rotation(server), pattern)
        self.assertRegex(self.refuse("rotate", "--all", self.keys), pattern)
        self.assertEqual(self.keys.read_text(), KEYS)

    def test_what_a_unit_hides(self):
        """As systemd does for ProtectHome=."""
        self.write(self.keys)
        empty = self.home / "empty"
        empty.mkdir(mode=0)
        self.mount(empty, self.place)
        pattern = "folder '[^']*place' is hidden from this process, such as by ProtectHome= of its systemd unit; move the file"
        self.assertRegex(self.refused_start(), pattern)
        self.assertRegex(self.refuse("list", self.keys), pattern)


class DataDirectory(Case):
    WARNING = "is inside the data directory, so every copy of that directory has it too: move it"

    def test_a_relative_name_is_shown_absolute(self):
        server = self.server("--file-key-management-filekey=FILE:secret", filename="keys")
        self.write(server.data / "keys")
        self.write(server.data / "secret", "a passphrase\n", mode=0o644)
        server.launch()
        self.assertNotEqual(server.wait_end(), 0)
        log = server.log.read_text()
        self.assertIn(f"Cannot decrypt {server.data}/keys. Not encrypted", log)
        self.assertIn(f"passphrase file '{server.data}/secret' can be read by other users", log)
        (server.data / "secret").unlink()
        server.launch()
        self.assertNotEqual(server.wait_end(), 0)
        self.assertRegex(server.log.read_text(), f"File 'secret' not found .*: a relative path starts at '{server.data}'")

    def test_a_key_file_inside_it(self):
        server = self.server(filename="keys")
        self.write(server.data / "keys")
        server.start()
        self.assertIn(f"key file '{server.data}/keys' {self.WARNING}", server.log.read_text())
        done = subprocess.run([self.command, "check", server.data / "keys"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 3, done)
        self.assertIn(f"bad   it is inside the data directory '{server.data}'", done.stdout)

    def test_a_link_counts_as_what_it_leads_to(self):
        server = self.server()
        (server.data / "keys").symlink_to(self.origin / "keys")
        self.write(self.origin / "keys")
        self.keys.symlink_to(server.data / "keys")
        server.start()
        self.assertNotIn(self.WARNING, server.log.read_text())
        server.stop()
        (server.data / "keys").unlink()
        self.write(server.data / "keys")
        server.start()
        self.assertIn(self.WARNING, server.log.read_text())

    def test_a_folder_whose_name_begins_in_the_same_way(self):
        server = self.server(filename=self.home / "server" / "data2" / "keys")
        (server.home / "data2").mkdir()
        self.write(server.home / "data2" / "keys", mode=0o644)
        server.start()
        self.assertNotIn(self.WARNING, server.log.read_text())


if __name__ == "__main__":
    missing = cannot_run()
    if missing is not None:
        print(f"skipped: {missing}")
        sys.exit(77)
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])
    unittest.main(verbosity=2)
