#!/usr/bin/python3
"""The reader of scenario files and the comparison with what they expect: no namespaces needed."""
import pathlib
import sys
import unittest

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from kualab import hosting, judge, lists, names, origin, plan, zones  # noqa: E402
from kualab.judge import Evidence  # noqa: E402
from kualab.parse import read_file, read_scenario  # noqa: E402
from kualab.scenario import Answer, Expectation  # noqa: E402
from kualab.source import ScenarioError, read_documents  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
HEAD = "name: t\nprobe: {check: 'https://www.example.com/'}\nexpect: {state: ok}\n"
SITE = "sites:\n  - {host: www.example.com, addresses: [203.0.113.10]}\n"


def read(text: str, head: str = HEAD):
    return read_scenario(read_documents(head + text, "file.yaml")[0])


class Mistakes(unittest.TestCase):
    # (what is wrong, the text behind the head of three lines, the line, a word of the message)
    CASES = [
        ("unknown key of a scenario", "sitess: []", 4, "unknown key 'sitess'"),
        ("unknown key of a site", "sites:\n  - {host: a.example, addresses: [], colour: red}", 5, "'colour'"),
        ("unknown key of an answer", "sites:\n  - host: a.example\n    addresses: []\n    http: {code: 3}", 7, "'code'"),
        ("unknown key of a rule", "censor:\n  - match: {sni: a.example}\n    act: drop\n    hops: 2", 7, "'hops'"),
        ("unknown key of a match", "censor:\n  - {match: {snii: a.example}, act: drop}", 5, "'snii'"),
        ("unknown word of an act", "censor:\n  - {match: {sni: a.example}, act: explode}", 5, "explode"),
        ("two keys in an act", "censor:\n  - {match: {sni: a.b}, act: {rate_kbps: 3, loss: 0.1}}", 5, "an act is"),
        ("a match of nothing", "censor:\n  - {match: {}, act: drop}", 5, "protocol: all"),
        ("what a box beside the path cannot do", "censor:\n  - {match: {sni: a.b}, act: drop, on_path: true}", 5, "on_path"),
        ("unknown key of the line", "line: {los: 0.1}", 4, "'los'"),
        ("a share beyond one", "line: {loss: 10}", 4, "between"),
        ("a word that is no address", "sites:\n  - {host: a.example, addresses: [203.0.113.300]}", 5, "not an IP address"),
        ("an address of the lab's own", "sites:\n  - {host: a.example, addresses: [198.19.80.1]}", 5, "collector"),
        ("a host described twice", SITE + "  - {host: www.example.com, addresses: []}", 6, "twice"),
        ("a key that is there twice", "control: up\ncontrol: absent", 5, "twice"),
        ("an unknown certificate", "sites:\n  - {host: a.example, addresses: [], certificate: gold}", 5, "gold"),
        ("a resolver's unknown answer", "resolver: {a.example: maybe}", 4, "maybe"),
        ("a time that ends before it begins",
         "censor:\n  - {match: {sni: a.b}, act: drop, from_seconds: 9, until_seconds: 3}", 5, "not after"),
        ("text that is no YAML", "sites: [", 4, ""),
        ("a list where a mapping belongs", "line: [1]", 4, "mapping"),
    ]

    def test_table(self):
        for claim, text, line, message in self.CASES:
            with self.subTest(claim), self.assertRaises(ScenarioError) as caught:
                read(text)
            self.assertIn(f"file.yaml:{line}: ", str(caught.exception), claim)
            self.assertIn(message, str(caught.exception), claim)

    def test_expectations(self):
        for expect in ("expect: {states: ok}", "expect: {state: fine}", "expect: {mechanism: TLS}", "expect: {host: a.b}"):
            with self.subTest(expect), self.assertRaises(ScenarioError):
                read("", f"name: t\nprobe: {{check: 'https://a.example/'}}\n{expect}\n")

    def test_a_scenario_that_cannot_fail_is_none(self):
        with self.assertRaises(ScenarioError):
            read("", "name: t\nprobe: {check: 'https://a.example/'}\n")


class Reading(unittest.TestCase):
    def test_defaults_of_a_site(self):
        site = read(SITE).sites[0]
        self.assertEqual((site.ports, site.certificate), ((80, 443), "valid"))
        self.assertEqual(site.https, Answer(200, None, None, 1000))

    def test_names_become_a_labels(self):
        scenario = read("sites: [{host: Bücher.example, addresses: []}]\ncensor: [{match: {sni: '*.қаз'}, act: drop}]")
        self.assertEqual(scenario.sites[0].hosts, ("xn--bcher-kva.example",))
        self.assertEqual(scenario.censor[0].match["sni"], "*." + names.to_ascii("қаз"))
        self.assertEqual(lists.check_url("https://Bücher.example"), "https://xn--bcher-kva.example/")

    def test_addresses_and_times_are_read_as_they_stand(self):
        scenario = read('sites: [{host: a.example, addresses: [2001:db8::10]}]\nresolver: {a.example: ["::1"]}')
        self.assertEqual(scenario.sites[0].addresses, ("2001:db8::10",))
        self.assertEqual(scenario.resolver["a.example"], ("::1",))

    def test_a_file_may_hold_one_scenario_a_list_or_documents(self):
        one = HEAD + SITE
        listed = "".join("- " + line + "\n" if i == 0 else "  " + line + "\n" for i, line in enumerate(one.splitlines()))
        self.assertEqual([len(read_documents(text, "f")) for text in (one, listed, one + "---\n" + one)], [1, 1, 2])

    def test_every_scenario_of_ours_can_be_read_and_names_are_unique(self):
        scenarios = [s for path in sorted(HERE.glob("scenarios/**/*.yaml")) for s in read_file(str(path))]
        self.assertGreaterEqual(len(scenarios), 15)
        self.assertEqual(len({s.name for s in scenarios}), len(scenarios))

    def test_acts_reach_the_plan(self):
        scenario = read("censor:\n  - {match: {host: a.b}, act: {blockpage: {location: 'http://x/'}}}\n"
                        "  - {match: {address: 203.0.113.9}, act: {delay_ms: 20, loss: 0.5}, hop: 4}\n")
        rules = [plan.rule(number, rule) for number, rule in enumerate(scenario.censor)]
        self.assertIn("HTTP/1.1 302 Found\r\n", rules[0]["act"]["response"])
        self.assertEqual(rules[1]["act"], {"kind": "impair", "delay_seconds": 0.02, "loss": 0.5})
        self.assertEqual((rules[1]["match"]["address"], rules[1]["hop"]), ("203.0.113.9/32", 4))


class World(unittest.TestCase):
    def test_the_control_vantage_meets_a_twin(self):
        table = hosting.build(read("sites:\n  - {host: a.example, addresses: [203.0.113.10], to_control: {https: {status: 503}}}"))
        twin = table.aliases["203.0.113.10"]
        self.assertEqual(table.listeners[(twin, 443)].hosts[0].site.https.status, 503)
        self.assertEqual(table.listeners[("203.0.113.10", 443)].hosts[0].site.https.status, 200)
        self.assertFalse(table.names_differ)

    def test_a_servfail_and_an_nxdomain_leave_what_is_below(self):
        data = {"example.com": ["x"], "www.example.com": ["y"]}
        resolver = zones.Resolver("r", [], data, {"example.com": "nxdomain"})
        self.assertIn('  local-zone: "www.example.com." always_transparent', resolver.local)

    def test_the_most_exact_path_answers(self):
        site = read("sites:\n  - {host: a.example, addresses: [203.0.113.10], paths: "
                    "{'/*': {status: 404}, '/a/*': {status: 410}, /a/b: {status: 418}, '/n/*': {countdown: true}}}").sites[0]
        host = hosting.VirtualHost("k", site)
        for path, status in (("/", 404), ("/a/x", 410), ("/a/b", 418), ("/a/b?q", 418)):
            self.assertEqual(origin.answer_for(host, "http", path).status, status, path)
        self.assertEqual(origin.answer_for(host, "http", "/n/2").location, "/n/1")
        self.assertEqual(origin.answer_for(host, "http", "/n/0").status, 200)

    def test_a_page_has_the_length_that_was_asked_for(self):
        for size in (0, 10, 500, 20000):
            self.assertEqual(len(origin.page("A title", size, "seed")), size)


def verdict(host="a.example", state="ok", mechanism="", layer="tls", family=None):
    return {"host": host, "state": state, "mechanism": mechanism, "layer": layer, "family": family}


class Judging(unittest.TestCase):
    # (claim, expectation, verdicts, whether it is met)
    CASES = [
        ("a state is the summary over layers", Expectation(state=("blocked",)),
         [verdict(), verdict(state="blocked", layer="dns")], True),
        ("QUIC stands apart", Expectation(state=("ok",)), [verdict(), verdict(state="blocked", layer="quic")], True),
        ("but its mechanism counts", Expectation(mechanism=("quic.timeout",)),
         [verdict(), verdict(state="blocked", layer="quic", mechanism="quic.timeout.sni")], True),
        ("a mechanism is a prefix", Expectation(mechanism=("tls.reset",)), [verdict(mechanism="tls.reset.sni")], True),
        ("of whole components", Expectation(mechanism=("tls.res",)), [verdict(mechanism="tls.reset.sni")], False),
        ("no verdict is insufficient", Expectation(state=("insufficient",)), [], True),
        ("no verdict is not blocked", Expectation(state_not=("blocked",)), [], True),
        ("another host's verdict is not ours", Expectation(state=("blocked",)), [verdict("b.example", "blocked")], False),
        ("a named host is looked at", Expectation(host="b.example", state=("blocked",)), [verdict("b.example", "blocked")], True),
        ("a family has its own summary", Expectation(family="ip6", state=("ok",)),
         [verdict(family="ip4", state="blocked"), verdict(family="ip6")], True),
        ("what holds for both families counts for each", Expectation(family="ip6", state=("blocked",)),
         [verdict(state="blocked", layer="dns"), verdict(family="ip6")], True),
        ("both mechanisms must be there", Expectation(mechanism=("dns",), mechanism_also=("tls.reset",)),
         [verdict(mechanism="dns.bogon")], False),
        ("a hop needs a path trace", Expectation(hop=2), [verdict(state="blocked")], False),
        ("the line's state is read from the record", Expectation(link_state=("captive",)), [], False),
    ]

    def test_table(self):
        for claim, expected, verdicts, met in self.CASES:
            found = judge.problems((expected,), [Evidence("https://a.example/", "online", tuple(verdicts))])
            self.assertEqual(not found, met, f"{claim}: {found}")

    def test_nothing_measured_is_no_success(self):
        self.assertTrue(judge.problems((Expectation(state_not=("blocked",)),), []))


class Coverage(unittest.TestCase):
    """Every key, act and word of docs/lab.md is exercised by a scenario, or stands here with the reason why not."""
    WANTED = {
        "scenario": "name says sites resolver censor line control collector probes probe expect",
        "site": "host addresses cname ports certificate http https body paths to_control quic proxy",
        "certificate": "expired self_signed wrong_host untrusted_root",
        "body": "changing endless bomb garbage",
        "answer": "status location title body_bytes headers body countdown",
        "resolver": "nxdomain refused servfail silent addresses",
        "match": "qname sni quic_sni host contains address port protocol",
        "protocol": "tcp udp icmp all",
        "act": "drop reset refuse fin alert icmp_prohibited forge_dns blockpage mitm freeze_after_bytes rate_kbps "
               "delay_ms loss",
        "forge_dns": "nxdomain addresses",
        "blockpage": "status title body location",
        "mitm": "root listed",
        "rule": "match act hop on_path probability residual_seconds from_seconds until_seconds",
        "line": "loss delay_ms rate_kbps ipv6 captive resolver clock_skew_seconds down vpn nat64 filter",
        "ipv6": "broken absent",
        "control": "blocked absent",
        "collector": "blocked",
        "probe": "check run_seconds raw_sockets",
        "expect": "host family state mechanism mechanism_also state_not link_state",
        # Not here: `hop`, since no probe of this version traces paths, and `expect_events`, since its collector
        # judges no events.
    }

    def setUp(self):
        self.seen: dict[str, set[str]] = {kind: set() for kind in self.WANTED}
        for path in sorted((HERE / "scenarios").rglob("*.yaml")):
            for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
                for scenario in document if isinstance(document, list) else [document]:
                    self.note_scenario(scenario)

    def note(self, kind: str, found) -> None:
        """The keys of a mapping, or a word that may stand in place of a list of addresses."""
        if isinstance(found, dict):
            self.seen[kind].update(found)
        elif found is not None:
            self.seen[kind].add(found if isinstance(found, str) else "addresses")

    @staticmethod
    def several(value) -> list:
        return value if isinstance(value, list) else [] if value is None else [value]

    def note_scenario(self, scenario: dict) -> None:
        self.note("scenario", scenario)
        for key in ("control", "collector", "probe", "line"):
            self.note(key, scenario.get(key))
        self.note("ipv6", scenario.get("line", {}).get("ipv6"))
        for answer in scenario.get("resolver", {}).values():
            self.note("resolver", answer)
        for expected in self.several(scenario.get("expect")):
            self.note("expect", expected)
        for site in scenario.get("sites", []):
            self.note_site(site)
            self.note_site(site.get("to_control", {}))
        for rule in scenario.get("censor", []):
            self.note_rule(rule)

    def note_site(self, site: dict) -> None:
        self.note("site", site)
        self.note("certificate", site.get("certificate"))
        self.note("body", site.get("body"))
        for answer in [site.get("http"), site.get("https"), *site.get("paths", {}).values()]:
            self.note("answer", answer)
            self.note("body", (answer or {}).get("body"))

    def note_rule(self, rule: dict) -> None:
        self.note("rule", rule)
        self.note("match", rule["match"])
        self.note("protocol", rule["match"].get("protocol"))
        self.note("act", rule["act"])
        if isinstance(rule["act"], dict):
            for kind in ("forge_dns", "blockpage", "mitm"):
                self.note(kind, rule["act"].get(kind))

    def test_everything_is_exercised(self):
        for kind, words in self.WANTED.items():
            with self.subTest(kind):
                self.assertEqual(set(words.split()) - self.seen[kind], set())

    def test_checks_of_services_and_of_several(self):
        checks = [scenario.task.check for path in sorted((HERE / "scenarios").rglob("*.yaml"))
                  for scenario in read_file(str(path))]
        self.assertTrue(any(len(check) > 1 for check in checks))
        self.assertTrue(any(not lists.is_url(target) for check in checks for target in check))


if __name__ == "__main__":
    unittest.main()
