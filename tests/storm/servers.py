# SPDX-License-Identifier: GPL-2.0-only
"""Storms over real servers: a crowd of connections, two servers on one key file, versions retired beside DDL, an old key file."""
import re
import shutil
import signal
import subprocess

import keyfiles
from rotations import RELOAD, page_versions
from storm import Gang, Storm, fingerprints, in_force
from throwaway import Server, program, require

IDS = (1, 2, 3)
CONNECTIONS = 200
FORMS = (keyfiles.TextFile, keyfiles.ContainerFile, keyfiles.SealedFile)
OPTIONS = ["--plugin-load-add=keyhold_file", "--file-key-management=FORCE", "--plugin-maturity=unknown", "--innodb-encrypt-tables=ON",
           "--innodb-encrypt-log=ON", "--innodb-encryption-threads=2", "--innodb-encryption-rotate-key-age=1",
           "--aria-encrypt-tables=ON", "--innodb-log-file-size=32M", f"--max-connections={CONNECTIONS + 50}"]
CONNECTION_LOST = re.compile(r"ERROR (2002|2003|2006|2013|2026|1053|1927) ")
ROWS = 400


class ServerStorm(Storm):
    """Each server has tables that do not change, of each key, and the same key file."""
    forms = FORMS
    names = ("server",)
    rows = ROWS

    def prepare(self):
        folder = self.place / "keys"
        folder.mkdir(mode=0o700)
        self.key_file = self.pick(self.forms)(folder)
        self.key_file.create()
        self.note("key file:", self.key_file.form)
        self.servers = [self.make_server(name) for name in self.names]
        for server in self.servers:
            server.start()
            self.fill(server)
        self.server = self.servers[0]
        self.sums = [server.checksums(self.tables()) for server in self.servers]

    def make_server(self, name):
        server = Server(self.place / name, self.fresh.plugins, [*OPTIONS, *self.key_file.options()])
        shutil.copytree(self.fresh.home, server.home, symlinks=True)
        return server

    def tables(self):
        return [*(f"d.i{key_id}" for key_id in IDS), "d.a1"]

    def fill(self, server):
        columns = "(n INT PRIMARY KEY, t VARCHAR(200))"
        server.sql("CREATE FUNCTION file_key_management_keys RETURNS STRING SONAME 'keyhold_file.so'; CREATE DATABASE d; " + "".join(
            f"CREATE TABLE d.i{key_id} {columns} ENGINE=InnoDB ENCRYPTED=YES ENCRYPTION_KEY_ID={key_id};" for key_id in IDS) +
            f"CREATE TABLE d.a1 {columns} ENGINE=Aria TRANSACTIONAL=1")
        server.sql("".join(f"INSERT INTO {table} SELECT seq, REPEAT(seq, 20) FROM d.seq_1_to_{self.rows};" for table in self.tables()))

    def close(self):
        for server in getattr(self, "servers", ()):
            server.kill()

    # --- Disturbance ---

    def try_sql(self, server, statement, refused=None):
        """A statement at a server that may be killed meanwhile. An error is a failure, unless it is the lost connection, or matches
        `refused`. Returns whether it was done."""
        done = server.client(statement)
        self.count("statements")
        self.note(server.home.name, statement, "->", " ".join(done.stderr.split()) or "done")
        require(done.returncode == 0 or CONNECTION_LOST.search(done.stderr) or (refused and re.search(refused, done.stderr)),
                f"{statement}: {done.stderr}; {server.log_end()}")
        return done.returncode == 0

    def rotate(self, server, refused=None):
        return self.try_sql(server, f"SET GLOBAL file_key_management_rotate_key = {self.pick((-1, *IDS))}", refused)

    def reload(self, server, refused=None):
        return self.try_sql(server, RELOAD, refused)

    def rotate_by_command(self):
        self.must_run("rotate", f"--id={self.pick(IDS)}", self.key_file.path, *self.key_file.command_options())

    def look(self, server):
        """Notes what is in force, and what the file has."""
        where = f"{server.home.name}, {self.counts['rounds'] + 1}. round"
        try:
            found = in_force(server)
        except Exception as failure:
            if not CONNECTION_LOST.search(str(failure)):
                raise
            return
        self.ledger.see(found, f"in force: {where}")
        self.ledger.see(fingerprints(self.key_file.text()), f"in the file: {where}")
        self.count("looks")

    def kill(self, server):
        """SIGKILL at a random moment."""
        self.note("SIGKILL", server.home.name)
        server.process.send_signal(signal.SIGKILL)
        require(server.wait_end() == -signal.SIGKILL, f"the server ended before it was killed: {server.log_end()}")
        self.count("kills")

    # --- Checks ---

    def check_file(self):
        text = self.key_file.text()
        found, retired = fingerprints(text), keyfiles.retired(text)
        self.ledger.require_all(found, "the key file after the round", retired)
        return found, retired

    def check_pages(self, server, found):
        for key_id in IDS:
            path = server.data / f"d/i{key_id}.ibd"
            # killed between the renames of ALTER TABLE, the server finds it at its start
            for version in page_versions(path) if path.exists() else ():
                require((key_id, version) in found, f"a page has version {version} of key {key_id}, the file has not")

    def check(self):
        """After all disturbance; servers that were killed are started."""
        found = self.check_file()[0]
        for server, sums in zip(self.servers, self.sums):
            if not server.is_running():
                self.check_pages(server, found)
                server.start()
            self.check_server(server, sums)

    def check_server(self, server, sums):
        self.try_sql(server, RELOAD)
        server.check_tables(self.tables())
        require(server.checksums(self.tables()) == sums, "rows have changed")
        found, retired = self.check_file()
        now = in_force(server)
        differing = {number for number, _ in found.items() ^ now.items()} - retired
        require(not differing, f"file and server differ in {sorted(differing)}")


class CrowdStorm(ServerStorm):
    """Connections that insert, rotations by the server and by the command, and reloads, until the server is killed. Each row that a
    client has seen committed is there."""
    name = "crowd"
    clients = ()

    def play_round(self):
        self.write_scripts()
        try:
            with Gang() as gang:
                self.clients = [self.start_client(number) for number in range(CONNECTIONS)]
                gang.repeat(self.disturb)
                gang.repeat(self.rotate_by_command)
                gang.repeat(self.look, self.server)
                gang.sleep(self.between(1, 4))
                self.kill(self.server)
        finally:
            self.end_clients()
        self.check()
        self.check_rows()

    def write_scripts(self):
        self.crowd = self.place / "crowd"
        self.crowd.mkdir(exist_ok=True)
        self.server.sql("DROP TABLE IF EXISTS d.c1, d.c2, d.c3; " + "".join(
            f"CREATE TABLE d.c{key_id} (c INT, n INT, t BLOB, PRIMARY KEY (c, n)) ENGINE=InnoDB ENCRYPTED=YES ENCRYPTION_KEY_ID={key_id};"
            for key_id in IDS))
        for client in range(CONNECTIONS):
            (self.crowd / f"{client}.sql").write_text("SELECT 0;\n" + "".join(
                f"INSERT INTO d.c{client % 3 + 1} VALUES ({client}, {row}, REPEAT(MD5('{client} {row}'), 5));\nSELECT {row};\n"
                for row in range(1, 500)))

    def start_client(self, number):
        """It prints the number of each row after it is committed."""
        with (self.crowd / f"{number}.sql").open() as script, (self.crowd / f"{number}.out").open("w") as out:
            return subprocess.Popen([program("mariadb"), "--no-defaults", f"--socket={self.server.socket}", "--user=root", "--batch",
                                     "--unbuffered", "--skip-column-names"], stdin=script, stdout=out, stderr=subprocess.DEVNULL)

    def end_clients(self):
        for client in self.clients:
            client.kill()
        for client in self.clients:
            client.wait()
        self.clients = ()

    def disturb(self):
        self.pick((self.rotate, self.rotate, self.reload))(self.server)

    def check_rows(self):
        """Also that no row has another text than was written."""
        there = {}
        for key_id in IDS:
            self.server.check_tables([f"d.c{key_id}"])
            for client, rows, last, right in self.server.sql(
                    f"SELECT c, COUNT(*), MAX(n), SUM(t = REPEAT(MD5(CONCAT(c, ' ', n)), 5)) FROM d.c{key_id} GROUP BY c"):
                require(rows == last == right, f"client {client}: {rows} rows up to {last}, {right} as written")
                there[int(client)] = int(rows)
        for client in range(CONNECTIONS):
            printed = (self.crowd / f"{client}.out").read_text()
            seen = int(printed[:printed.rfind("\n")].rpartition("\n")[2]) if "\n" in printed else None
            self.count("connections", seen is not None)
            self.count("statements", seen or 0)
            require((seen or 0) <= there.get(client, 0), f"client {client} saw row {seen} committed, {there.get(client, 0)} are there")


class TwoServersStorm(ServerStorm):
    """Both rotate and reload one key file, and the command too; one or both are killed."""
    name = "two-servers"
    names = ("first", "second")

    def play_round(self):
        with Gang() as gang:
            for server in self.servers:
                gang.repeat(self.disturb, server)
                gang.repeat(self.look, server)
            gang.repeat(self.rotate_by_command)
            gang.sleep(self.between(0.5, 2))
            for server in self.servers if self.chance(0.2) else [self.pick(self.servers)]:
                self.kill(server)
                gang.sleep(self.between(0, 0.5))
        self.check()

    def disturb(self, server):
        self.pick((self.rotate, self.rotate, self.reload, self.write))(server)

    def write(self, server):
        """Pages of the latest versions."""
        self.try_sql(server, "".join(f"UPDATE d.i{key_id} SET t = REPEAT(n, 20) WHERE n < 50; ALTER TABLE d.i{key_id} FORCE;" for key_id in IDS))


class RetireStorm(ServerStorm):
    """keyhold retire beside DDL, rotations and kills of both."""
    name = "retire"
    forms = (keyfiles.SealedFile,)
    rows = 5000
    TABLES = [f"d.t{number}" for number in range(6)]

    def play_round(self):
        with Gang() as gang:
            gang.repeat(self.define)
            gang.repeat(self.define)
            gang.repeat(self.disturb)
            gang.repeat(self.retire, gang)
            gang.sleep(self.between(1, 6))
            self.kill(self.server)
        self.check()
        self.check_defined()

    def define(self):
        table, key_id = self.pick(self.TABLES), self.pick(IDS)
        self.try_sql(self.server, self.pick((
            f"DROP TABLE IF EXISTS {table}",
            f"ALTER TABLE {table} FORCE",
            f"ALTER TABLE {table} ENCRYPTED=YES ENCRYPTION_KEY_ID={key_id}",
            f"CREATE TABLE {table} (n INT PRIMARY KEY, t BLOB) ENGINE=InnoDB ENCRYPTED=YES ENCRYPTION_KEY_ID={key_id} "
            f"SELECT seq AS n, REPEAT(MD5(seq), 9) AS t FROM d.seq_1_to_{ROWS}")), "ERROR (1050|1146|1205|1213|1412|1684) ")

    def disturb(self):
        """The threads are not stopped: the server then reports a version as gone while pages of it are still to be written, and
        retire believes it (docs/command.md)."""
        self.rotate(self.server)
        self.look(self.server)
        self.server.client(f"SELECT COUNT(*) FROM information_schema.INNODB_TABLESPACES_ENCRYPTION; "  # wakes InnoDB's threads
                           f"DO SLEEP({self.between(0, 1.5)})")

    def retire(self, gang):
        """Forced only for what is not here: backups and other servers. Often the server is killed right afterwards, before it has
        moved more pages."""
        self.reload(self.server)
        status, out = self.run_command(
            "retire", "--force=elsewhere", self.key_file.path, *self.key_file.command_options(), "--defaults-file=/dev/null",
            f"--socket={self.server.socket}", "--user=root", kill_after=self.between(0, 0.8) if self.chance(0.3) else None)
        self.count("retirements", status == 0)
        if status == 0 and self.chance(0.5):
            gang.stopped.set()

    def check_file(self):
        """What was removed is marked as such, and in a copy."""
        found, retired = super().check_file()
        kept = {}
        for copy in self.key_file.folder.glob(f"{self.key_file.path.name}.retired-*"):
            kept.update(fingerprints(self.key_file.text_of(copy.read_bytes())))
        self.ledger.see(kept, "the copies of retired versions")
        require(retired <= kept.keys(), f"retired and in no copy: {sorted(retired - kept.keys())}")
        return found, retired

    def check_defined(self):
        there = [f"d.{name}" for [name] in self.server.sql("SHOW TABLES FROM d LIKE 't%'")]
        for table in there:
            self.server.check_tables([table])
            found = self.server.sql(f"SELECT COUNT(*), SUM(t = REPEAT(MD5(n), 9)) FROM {table}")
            require(found == [[str(ROWS)] * 2], f"{table}: rows, and those that are as written: {found}")


class OldFileStorm(ServerStorm):
    """An old content of the key file is put back under a running server, which rotates and reloads meanwhile. Then the remedy of
    docs/first-aid.md, and a restart."""
    name = "old-file"
    REFUSED = "was not (rotated|reloaded)"

    def prepare(self):
        super().prepare()
        self.contents = [self.key_file.path.read_bytes()]

    def play_round(self):
        before = in_force(self.server)
        with Gang() as gang:
            gang.repeat(self.disturb)
            gang.repeat(self.look, self.server)
            for _ in range(self.pick((1, 1, 2))):
                gang.sleep(self.between(0.2, 1))
                self.put_back(self.pick(self.contents))
            gang.sleep(self.between(0, 0.5))
        now = in_force(self.server)
        require(before.keys() <= now.keys(), f"no longer in force: {sorted(before.keys() - now.keys())}")
        self.remedy()
        self.kill(self.server) if self.chance(0.7) else self.server.stop()
        self.check()
        self.contents = [*self.contents[-20:], self.key_file.path.read_bytes()]

    def disturb(self):
        self.pick((self.rotate, self.rotate, self.reload))(self.server, self.REFUSED)

    def put_back(self, data):
        """As a configuration management does. The content that was there is kept beside it."""
        displaced = self.place / "displaced"
        displaced.write_bytes(self.key_file.path.read_bytes())
        displaced.chmod(0o600)
        self.note("an old file is put back, with", len(fingerprints(self.key_file.text_of(data))), "versions")
        self.key_file.put(data)
        self.count("put back")

    def remedy(self):
        require(self.try_sql(self.server, "SET GLOBAL file_key_management_save = ON"), "the keys were not saved")
        self.check_file()
        if self.chance(0.5):
            same = self.key_file.command_options()
            self.must_run("merge", self.key_file.path, self.place / "displaced", *same)
        require(self.reload(self.server), "no reload works after the remedy")
        require(self.rotate(self.server), "no rotation works after the remedy")
        self.look(self.server)
