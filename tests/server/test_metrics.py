# SPDX-License-Identifier: GPL-2.0-only
"""What monitoring sees of a real server, through a real mysqld_exporter and a real Prometheus: the numbers that the server shows,
the names that the alert rules and the dashboard use, and which alerts a reload that fails, a missing key file, a missing key, an overdue
key and a missing plugin start."""
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import throwaway  # noqa: E402

MONITORING = Path(__file__).resolve().parents[2] / "packaging/monitoring"
RULES = MONITORING / "keyhold.rules.yml"
DASHBOARD = MONITORING / "keyhold-dashboard.json"
STATUS = "mysql_global_status_file_key_management_"
PATIENCE = 240  # seconds
LAST_VERSION = 4294967294
KEYS = f"""1;000102030405060708090a0b0c0d0e0f;created=2026-03-01
3;303132333435363738393a3b3c3d3e3f;created=2020-02-01;rotate=1d
5;{LAST_VERSION};505152535455565758595a5b5c5d5e5f;created=2025-02-01
"""
# nothing is encrypted, so that the server starts without the plugin too
OPTIONS = ["--plugin-load-add=keyhold_file", "--file-key-management-auto-reload"]
PROMETHEUS = """global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ['{rules}']
scrape_configs:
  - job_name: mysql
    static_configs: [{{targets: ['{target}']}}]
"""


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def fetch(address, path, **query):
    url = f"http://{address}{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return answer.read().decode()


def await_true(test, what):
    """Waits until the test gives something true, and returns it."""
    limit = time.monotonic() + PATIENCE
    while True:
        found = test()
        if found:
            return found
        if time.monotonic() > limit:
            raise AssertionError(what() if callable(what) else what)
        time.sleep(0.2)


def start_daemon(case, log, *command):
    """Starts a program that ends with this class."""
    with open(log, "w", encoding="utf-8") as output:
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def end():
        process.kill()
        process.wait()
    case.addClassCleanup(end)
    return process


def await_daemon(process, log, address, path):
    def answers():
        if process.poll() is not None:
            raise AssertionError(f"{log} ended with {process.returncode}:\n{Path(log).read_text()}")
        try:
            return bool(fetch(address, path))
        except (urllib.error.URLError, OSError):
            return False
    await_true(answers, lambda: f"{log} does not answer:\n{Path(log).read_text()}")


def dashboard_queries():
    """Title and query of each target, with the variables as a user might have chosen them."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("${plugin}", "file").replace("$__rate_interval", "10s")
            yield panel["title"], re.sub(r"\$(job|instance)\b", ".+", query)


class ServerCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = throwaway.fresh_server(cls)
        cls.addClassCleanup(cls.server.kill)
        folder = tempfile.mkdtemp(prefix="keyhold-metrics-")
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.folder = Path(folder)
        cls.keys = cls.folder / "keys"
        cls.write_keys(KEYS)
        cls.plain_options = list(cls.server.options)
        cls.server.options += [*OPTIONS, f"--file-key-management-filename={cls.keys}"]
        cls.server.start()
        cls.server.sql("CREATE USER exporter@localhost IDENTIFIED BY 'secret'; "
                       "GRANT PROCESS, SLAVE MONITOR ON *.* TO exporter@localhost")
        cls.start_exporter()
        cls.start_prometheus()

    @classmethod
    def write_keys(cls, text):
        new = cls.folder / "keys.new"
        new.write_text(text)
        new.chmod(0o600)
        new.rename(cls.keys)

    @classmethod
    def start_exporter(cls):
        options = cls.folder / "exporter.cnf"
        options.write_text(f"[client]\nuser=exporter\npassword=secret\nsocket={cls.server.socket}\n")
        options.chmod(0o600)
        cls.exporter = free_address()
        log = cls.folder / "exporter.log"
        process = start_daemon(cls, log, "prometheus-mysqld-exporter", f"--config.my-cnf={options}",
                               f"--web.listen-address={cls.exporter}")
        await_daemon(process, log, cls.exporter, "/metrics")

    @classmethod
    def start_prometheus(cls):
        config = cls.folder / "prometheus.yml"
        config.write_text(PROMETHEUS.format(rules=RULES, target=cls.exporter))
        cls.prometheus = free_address()
        log = cls.folder / "prometheus.log"
        process = start_daemon(cls, log, "prometheus", f"--config.file={config}", f"--web.listen-address={cls.prometheus}",
                               f"--storage.tsdb.path={cls.folder / 'tsdb'}")
        await_daemon(process, log, cls.prometheus, "/-/ready")

    def metrics(self):
        """Value by name, labels left out."""
        lines = fetch(self.exporter, "/metrics").splitlines()
        found = (re.fullmatch(r"(mysql_\w+)(?:\{.*\})? (\S+)", line) for line in lines)
        return {match.group(1): float(match.group(2)) for match in found if match}

    def status(self):
        return dict(self.server.sql("SHOW GLOBAL STATUS LIKE 'File\\_key\\_management\\_%'"))

    def await_status(self, **wanted):
        def is_shown():
            metrics = self.metrics()
            return all(metrics.get(STATUS + name) == value for name, value in wanted.items())
        await_true(is_shown, lambda: f"not {wanted}, but {self.status()}")

    def alerts(self):
        """Labels and annotations of the alerts that are pending or firing, by name."""
        answer = json.loads(fetch(self.prometheus, "/api/v1/alerts"))
        return {alert["labels"]["alertname"]: alert for alert in answer["data"]["alerts"]}

    def await_alerts(self, *names):
        await_true(lambda: sorted(self.alerts()) == sorted(names), lambda: f"not {names}, but {sorted(self.alerts())}")
        for alert in self.alerts().values():
            self.assertEqual(alert["labels"]["instance"], self.exporter)
            for text in ("summary", "description"):
                self.assertIn(self.exporter, alert["annotations"][text])
            self.assertIn("Next step: ", alert["annotations"]["description"])

    def query(self, text):
        """What Prometheus answers: a list of series, each with its value now."""
        return json.loads(fetch(self.prometheus, "/api/v1/query", query=text))["data"]["result"]

    def test_1_the_exporter_has_each_number_that_the_server_shows(self):
        metrics = self.metrics()
        self.assertEqual(metrics["mysql_up"], 1)
        exported = {name[len(STATUS):]: value for name, value in metrics.items() if name.startswith(STATUS)}
        shown = {name[len("File_key_management_"):]: value for name, value in self.status().items()}
        for name, value in exported.items():
            self.assertEqual(value, float(shown[name]), name)
        numbers = {"keys", "versions", "generation", "rotations", "failures", "keys_overdue", "last_reload_ok", "last_load_timestamp",
                   "next_rotation_timestamp", "oldest_latest_version_timestamp", "missing_keys", "unsaved_versions"}
        self.assertEqual(numbers - set(exported), set())
        self.assertLess(abs(exported["last_load_timestamp"] - time.time()), 300)
        self.assertEqual(exported["next_rotation_timestamp"], 1580601600)  # 2020-02-02
        self.assertEqual(exported["oldest_latest_version_timestamp"], 1580515200)

    def test_2_every_name_in_the_rules_and_the_dashboard_is_exported(self):
        exported = set(self.metrics())
        for path, least in ((RULES, 6), (DASHBOARD, 12)):
            used = set(re.findall(r"\bmysql_[a-z_]+", path.read_text().replace("${plugin}", "file")))
            self.assertGreaterEqual(len(used), least, path.name)
            self.assertEqual(used - exported, set(), path.name)

    def test_3_every_query_of_the_dashboard_gives_data(self):
        # rates need two scrapes
        await_true(lambda: self.query(f"count_over_time({STATUS}keys[10s]) > 2"), "Prometheus does not scrape")
        queries = list(dashboard_queries())
        self.assertGreater(len(queries), 15)
        for title, query in queries:
            self.assertTrue(self.query(query), f"{title}: {query}")

    def test_4_an_overdue_key(self):
        self.await_status(keys_overdue=1)
        self.await_alerts("KeyholdKeyOverdue", "KeyholdKeyVersionOld")
        self.server.sql("SET GLOBAL file_key_management_rotate_key = 3")
        self.await_status(keys_overdue=0, rotations=1, last_reload_ok=1)
        self.await_alerts("KeyholdKeyVersionOld")  # that of key 5, which has no interval

    def test_5_a_rotation_that_fails(self):
        self.write_keys(self.keys.read_text().replace("created=2025-02-01", "created=2025-02-01;rotate=1d"))
        self.await_status(keys_overdue=1)
        self.await_alerts("KeyholdKeyOverdue", "KeyholdKeyVersionOld")
        self.server.sql("SET GLOBAL file_key_management_auto_rotate = ON")
        self.await_alerts("KeyholdRotationFailing", "KeyholdKeyVersionOld")
        self.assertGreater(self.metrics()[STATUS + "failures"], 0)  # key 5 has the last version that is possible
        self.assertEqual(self.metrics()[STATUS + "last_reload_ok"], 1)
        self.server.sql("SET GLOBAL file_key_management_auto_rotate = OFF")
        self.write_keys(self.keys.read_text().replace("created=2025-02-01;rotate=1d", "created=2026-03-01"))
        self.await_status(keys_overdue=0)
        self.await_alerts()

    def test_6_a_key_file_that_is_refused_or_missing(self):
        good = self.keys.read_text()
        self.write_keys(good + "nonsense\n")
        self.await_status(last_reload_ok=0)
        self.await_alerts("KeyholdKeysUnsaved", "KeyholdReloadFailed")
        self.write_keys(good)
        self.await_status(last_reload_ok=1)
        self.await_alerts()
        self.keys.rename(self.folder / "away")
        self.await_status(last_reload_ok=0)
        self.assertIn("not found", self.status()["File_key_management_last_reload_result"])
        self.await_alerts("KeyholdKeysUnsaved", "KeyholdReloadFailed")
        (self.folder / "away").rename(self.keys)
        self.await_status(last_reload_ok=1)
        self.await_alerts()

    def test_7_a_key_that_is_missing(self):
        with_key = self.keys.read_text() + "7;606162636465666768696a6b6c6d6e6f\n"
        without_key = self.keys.read_text()
        self.write_keys(with_key)
        self.await_status(keys=4)
        self.server.sql("CREATE DATABASE d; CREATE TABLE d.t (a INT) ENGINE=InnoDB ENCRYPTED=YES ENCRYPTION_KEY_ID=7; "
                        "INSERT INTO d.t VALUES (1)")
        with self.assertRaises(throwaway.ServerError):
            self.server.sql("CREATE TABLE d.typo (a INT) ENGINE=InnoDB ENCRYPTED=YES ENCRYPTION_KEY_ID=77")
        self.assertEqual(self.metrics()[STATUS + "missing_keys"], 0)
        self.server.stop()
        self.write_keys(without_key)
        self.server.start()
        with self.assertRaises(throwaway.ServerError):
            self.server.sql("SELECT * FROM d.t")
        self.await_status(missing_keys=1)
        self.assertEqual(self.status()["File_key_management_last_missing_key"], "7 version 1")
        self.await_alerts("KeyholdKeyMissing")
        self.server.stop()
        self.write_keys(with_key)
        self.server.start()
        self.assertEqual(self.server.sql("SELECT * FROM d.t"), [["1"]])
        self.await_alerts()
        self.server.sql("DROP DATABASE d")

    def test_8_a_server_without_the_plugin(self):
        self.server.stop()
        await_true(lambda: self.metrics().get("mysql_up") == 0, "the exporter still finds the server")
        self.await_alerts()
        self.server.options = self.plain_options
        self.server.start()
        await_true(lambda: self.metrics().get("mysql_up") == 1, "the exporter does not find the server")
        self.await_alerts("KeyholdPluginMissing")


class DashboardCase(unittest.TestCase):
    def setUp(self):
        self.dashboard = json.loads(DASHBOARD.read_text())
        self.panels = self.dashboard["panels"]

    def test_each_panel_has_a_title_a_description_a_unit_and_the_chosen_data_source(self):
        for panel in self.panels:
            self.assertTrue(panel["title"])
            self.assertTrue(panel["description"], panel["title"])
            self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], panel["title"])
            for source in (panel["datasource"], *(target["datasource"] for target in panel["targets"])):
                self.assertEqual(source, {"type": "prometheus", "uid": "${datasource}"}, panel["title"])
        self.assertEqual(len({panel["id"] for panel in self.panels}), len(self.panels))

    def test_no_panel_covers_another_one(self):
        for one, other in itertools.combinations((panel["gridPos"] for panel in self.panels), 2):
            beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
            below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
            self.assertTrue(beside or below, (one, other))
        self.assertLessEqual(max(panel["gridPos"]["x"] + panel["gridPos"]["w"] for panel in self.panels), 24)

    def test_every_variable_is_defined(self):
        names = {variable["name"] for variable in self.dashboard["templating"]["list"]}
        used = set(re.findall(r"\$\{?(\w+)", DASHBOARD.read_text())) - {"__rate_interval", "__all"}
        self.assertEqual(used, names)


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    unittest.main(verbosity=2)
