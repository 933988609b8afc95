#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A Galera cluster of three nodes with everything encrypted: what docs/galera.md says is what happens.

  galera.py PLUGINS

PLUGINS is a folder with keyhold_file.so. To run in namespaces of its own, which end with it, whatever happens:

  unshare --mount --pid --net --fork --kill-child --mount-proc galera.py PLUGINS

That needs root's rights. The servers run as the user mysql, since rsync's daemon gives up root's rights. Each node has a mount
namespace too, where its own folder of keys is at the path that all nodes use: as on three hosts."""
import argparse
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import throwaway
from throwaway import Failure, ServerError, program, require, wait

throwaway.START_SECONDS = 240  # a state transfer is a part of the start
USER = "mysql"
PROVIDERS = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so")
KEYS = "1;00112233445566778899aabbccddeeff\n2;0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
ENCRYPTED = ["--innodb-encrypt-tables=FORCE", "--innodb-encrypt-log=ON", "--innodb-encrypt-temporary-tables=ON",
             "--innodb-encryption-threads=2", "--aria-encrypt-tables=ON", "--encrypt-tmp-files=ON", "--encrypt-tmp-disk-tables=ON",
             "--encrypt-binlog=ON", "--log-bin=binlog", "--binlog-format=ROW", "--innodb-tablespaces-encryption"]
MARKER = "marker-of-galera"
NODES = ("one", "two", "three")
TABLES = "d.t1, d.t2"


class Node(throwaway.Server):
    """One node. Its ports are its own, on 127.0.0.1; its files are in its home."""

    def __init__(self, root, name, plugins):
        home = root / name
        at = root / "keys"
        option_file = home / "options"
        self.name = name
        self.key_folder = home / "keys"
        self.cache = home / "cache"
        ports = {other: 20000 + 10 * number for number, other in enumerate(NODES)}
        address = f"127.0.0.1:{ports[name]}"
        cluster = ",".join(f"127.0.0.1:{other}" for other in ports.values())
        provider = next(path for path in PROVIDERS if Path(path).exists())
        # its own folder of keys, at the path of all nodes
        prefix = [program("unshare"), "--mount", "sh", "-euc", f'mount --bind "{self.key_folder}" "{at}"; exec "$@"', "node",
                  program("setpriv"), f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
        super().__init__(home, plugins, [
            "--plugin-load-add=keyhold_file", "--file-key-management=FORCE", f"--file-key-management-filename={at / 'keys'}",
            "--file-key-management-auto-reload=ON", *ENCRYPTED, "--innodb-autoinc-lock-mode=2",
            "--wsrep-on=ON", f"--wsrep-provider={provider}", "--wsrep-cluster-name=keyhold",
            f"--wsrep-cluster-address=gcomm://{cluster}", f"--wsrep-node-name={name}", f"--wsrep-node-address={address}",
            f"--wsrep-sst-receive-address=127.0.0.1:{ports[name] + 2}", "--wsrep-sst-auth=root:",
            f"--wsrep-provider-options='gmcast.listen_addr=tcp://{address};ist.recv_addr=127.0.0.1:{ports[name] + 1};"
            f"gcache.dir={self.cache};gcache.size=8M'"], option_file=option_file, prefix=prefix)
        self.user = [f"--user={USER}"]
        for folder in (self.key_folder, self.cache, home / "tmp", self.data):
            folder.mkdir(parents=True)
        self.log.touch()
        for path in (home, *home.iterdir()):
            shutil.chown(path, USER, USER)
        self.option_file = option_file
        # in a file, since mariadb-backup refuses some of a server's options on its own command line
        self.in_file, self.options = self.options, []
        self.write_options("mariabackup")
        self.put_keys(KEYS)

    def write_options(self, method):
        lines = [option[2:] for option in self.in_file]
        # mariadb-backup's words go to files in the data directory
        self.option_file.write_text("\n".join(["[mariadbd]", *lines, f"wsrep-sst-method={method}", "[sst]", "sst-syslog=0", ""]))

    def put_keys(self, text):
        """As a tool that distributes files does it."""
        fresh = self.key_folder / "fresh"
        fresh.write_text(text)
        fresh.chmod(0o600)
        shutil.chown(fresh, USER, USER)
        fresh.rename(self.key_folder / "keys")

    def keys(self):
        return (self.key_folder / "keys").read_text()

    def start(self, *options):
        """Starts it, and waits until it is a part of the cluster."""
        super().start(*options)
        wait(lambda: self.sql("SHOW STATUS LIKE 'wsrep_local_state_comment'")[0][1] == "Synced" and
             self.sql("SHOW STATUS LIKE 'wsrep_ready'")[0][1] == "ON", f"{self.name} is not synced")

    def join(self, method):
        """Starts it; a state transfer, if it needs one, is by that method."""
        self.write_options(method)
        self.start()

    def join_empty(self, method):
        """With an empty data directory: by a whole state transfer."""
        self.empty()
        self.join(method)
        self.require_log(f"wsrep_sst_{method} ", "whole state transfer")

    def empty(self):
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir()
        shutil.chown(self.data, USER, USER)
        self.link_plugins()

    def recovered_position(self):
        """What the server finds after a kill, as Debian's galera_recovery asks for it."""
        self.launch("--wsrep-recover")
        self.wait_end()
        return re.search(r"Recovered position: (\S+)", self.log.read_text())[1]

    def logs(self):
        """Its error log, and those of mariadb-backup that a state transfer left."""
        return [path for path in (self.log, *self.data.glob("mariabackup.*.log")) if path.exists()]

    def require_log(self, text, what):
        require(any(text in path.read_text(errors="replace") for path in self.logs()), f"{self.name}: no {what}")

    def versions(self):
        """The latest key version that it has, and the least in its tables of key id 1 and 2."""
        return [tuple(map(int, row)) for row in self.sql(
            "SELECT current_key_version, min_key_version FROM information_schema.innodb_tablespaces_encryption "
            "WHERE name IN ('d/t1', 'd/t2') ORDER BY name")]

    def wait_versions(self, version):
        wait(lambda: self.versions() == [(version, version)] * 2, f"{self.name} does not move to version {version}")

    def files_with_marker(self):
        """The names of its files with the marker in plain text, but for Aria's log, which MariaDB does not encrypt."""
        return {path.name for path in self.home.rglob("*") if path.is_file() and not path.is_symlink()
                and not path.name.startswith("aria_log.") and MARKER.encode() in path.read_bytes()}


class Cluster:
    def __init__(self, root, plugins):
        root.chmod(0o711)
        (root / "keys").mkdir()
        self.nodes = [Node(root, name, plugins) for name in NODES]
        self.rows = 0

    def write(self, node, count=100):
        """Rows that have the marker, by one node."""
        for table in TABLES.split(", "):
            node.sql(f"INSERT INTO {table} SELECT seq, CONCAT('{MARKER} ', REPEAT(seq, 9)) "
                     f"FROM d.seq_{self.rows + 1}_to_{self.rows + count}")
        self.rows += count

    def check(self, *nodes):
        """All of these nodes have the same rows, all of them, in good tables."""
        sums = set()
        for node in nodes:
            counts = node.sql("SET SESSION wsrep_sync_wait = 1; SELECT COUNT(*) FROM d.t1 UNION ALL SELECT COUNT(*) FROM d.t2")
            require(counts == [[str(self.rows)]] * 2, f"{node.name} has {counts} rows of {self.rows}")
            sums.add(str(node.sql(f"CHECKSUM TABLE {TABLES}")))
            for row in node.sql(f"CHECK TABLE {TABLES}"):
                require(row[-1] == "OK", f"{node.name}: {row}; {node.log_end()}")
        require(len(sums) == 1, f"the nodes have different rows: {sums}")


# --- The steps, in their order ---

def begin(cluster):
    """A new cluster of one node."""
    one = cluster.nodes[0]
    one.create()
    one.start("--wsrep-new-cluster")
    one.sql("CREATE DATABASE d; CREATE TABLE d.t1 (n INT PRIMARY KEY, t VARCHAR(200)) ENGINE=InnoDB ENCRYPTION_KEY_ID=1;"
            "CREATE TABLE d.t2 (n INT PRIMARY KEY, t VARCHAR(200)) ENGINE=InnoDB ENCRYPTION_KEY_ID=2")
    cluster.write(one, 5000)


def transfer_whole_state(cluster):
    """One node joins by mariadb-backup, one by rsync."""
    one, two, three = cluster.nodes
    two.join_empty("mariabackup")
    three.join_empty("rsync")
    cluster.write(three)
    cluster.check(one, two, three)


def transfer_what_is_missing(cluster):
    """A node that was away gets the write sets, from the memory or the galera.cache of another one."""
    one, two, three = cluster.nodes
    two.stop()
    cluster.write(one)
    two.join("mariabackup")
    two.require_log("IST received", "incremental state transfer")
    cluster.check(one, two, three)


def look_for_rows(cluster):
    """galera.cache has rows in plain text, no other file has."""
    for node in cluster.nodes:
        require(node.files_with_marker() == {"galera.cache"}, f"{node.name}: {node.files_with_marker()}")
        require((node.cache / "galera.cache").exists(), "galera.cache is not in gcache.dir")


def rotate(cluster):
    """A rotation is not replicated: the other nodes take the new version when they get the file."""
    one, two, three = cluster.nodes
    one.sql("SET GLOBAL file_key_management_rotate_key = -1")
    one.wait_versions(3)
    cluster.write(two)
    cluster.check(one, two, three)
    for node in (two, three):
        require(node.versions() == [(1, 1)] * 2, f"{node.name} has {node.versions()}")
        node.put_keys(one.keys())
    for node in (two, three):
        node.wait_versions(3)
    cluster.check(one, two, three)


def kill(cluster):
    """A killed node recovers its position, and gets what it missed."""
    one, two, three = cluster.nodes
    cluster.write(three)
    three.process.send_signal(signal.SIGKILL)
    require(three.wait_end() == -signal.SIGKILL, "it ended before it was killed")
    cluster.write(one)
    position = three.recovered_position()
    three.start(f"--wsrep-start-position={position}")
    three.require_log("IST received", "incremental state transfer")
    cluster.check(one, two, three)


def join_with_old_keys(cluster, method, error):
    """A joiner whose key file is from before a rotation fails, and joins when it has the file of the others."""
    one, two, three = cluster.nodes
    three.stop()
    three.put_keys(KEYS)
    try:
        three.join_empty(method)
    except ServerError:
        pass
    else:
        raise Failure(f"{method}: a joiner with an old key file joined")
    three.kill()
    three.require_log(error, f"'{error}' in its logs")
    cluster.write(one)
    cluster.check(one, two)
    three.put_keys(one.keys())
    three.join(method)
    cluster.check(one, two, three)


def get_write_sets_with_old_keys(cluster):
    """Write sets need no keys: a node that was away for a rotation joins with its old key file, and its own versions."""
    one, two, three = cluster.nodes
    two.stop()
    one.sql("SET GLOBAL file_key_management_rotate_key = -1")
    cluster.write(one)
    two.join("mariabackup")
    two.require_log("IST received", "incremental state transfer")
    require(two.versions() == [(3, 3)] * 2, f"{two.name} has {two.versions()}")
    cluster.check(one, two, three)


OLD_KEYS = "key id 1 version 3 is missing in "  # before InnoDB's own line, which has key_version=3
STEPS = {"a new cluster": begin, "whole state transfers": transfer_whole_state,
         "incremental state transfer": transfer_what_is_missing, "rows in plain text": look_for_rows, "rotation": rotate,
         "kill": kill,
         "old keys, mariabackup": lambda cluster: join_with_old_keys(cluster, "mariabackup", OLD_KEYS),
         "old keys, rsync": lambda cluster: join_with_old_keys(cluster, "rsync", OLD_KEYS),
         "old keys, write sets": get_write_sets_with_old_keys}


def telling_lines(log):
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join([line for line in lines if re.search("ERROR|Warning|WSREP_SST|rsync|key_version", line)][-40:])


def run(cluster):
    try:
        for name, step in STEPS.items():
            began = time.monotonic()
            step(cluster)
            print(f"{name}: {time.monotonic() - began:.0f} seconds", flush=True)
        for node in reversed(cluster.nodes):
            node.stop()
    except (Failure, ServerError) as failure:
        logs = "".join(f"\n--- {path}\n{telling_lines(path)}" for node in cluster.nodes for path in node.logs())
        raise Failure(f"{name}: {failure}{logs}") from failure
    finally:
        for node in cluster.nodes:
            node.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plugins", type=lambda path: Path(path).resolve(strict=True))
    arguments = parser.parse_args()
    # in the namespace of its own network, nothing is there
    subprocess.run([program("ip"), "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="keyhold-galera-") as root:
        try:
            run(Cluster(Path(root), arguments.plugins))
        except Failure as failure:
            print(f"FAILED: {failure}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
