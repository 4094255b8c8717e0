"""What main.py promises, with a vault, a notifier and an account that are functions: python3 -m unittest"""

import json
import logging
import threading
import unittest
from pathlib import Path
from types import SimpleNamespace

import main

SAMPLE = Path(__file__).parents[2] / "libs/contracts/samples/key.changed.v1.json"
BODY = SAMPLE.read_text(encoding="utf-8")
ACCOUNT = json.loads(BODY)["data"]["account"]
SIX, SEVEN = main.Key(6, "six"), main.Key(7, "seven")


def tags(generation: str, account: str = ACCOUNT) -> dict[str, str]:
    return {"twinkey-account": account, "twinkey-generation": generation}


class Messages(unittest.TestCase):
    def test_are_followed_when_they_are_about_the_own_account(self):
        self.assertEqual(main.announced(BODY, ACCOUNT), 7)
        self.assertEqual(main.announced(BODY, ACCOUNT.upper()), 7)
        self.assertIsNone(main.announced(BODY, ACCOUNT.replace("speech-prod", "vision")))

    def test_of_a_later_kind_are_left_alone(self):
        self.assertIsNone(main.announced(BODY.replace("changed.v1", "forgotten.v1"), ACCOUNT))


class Versions(unittest.TestCase):
    def test_with_the_tags_of_a_publication_are_trusted(self):
        self.assertEqual(main.published(ACCOUNT, "k", tags("7")), main.Key(7, "k"))
        self.assertEqual(main.published(ACCOUNT.lower(), "k", tags("7")), main.Key(7, "k"))
        self.assertEqual(main.published(ACCOUNT, "k", tags("7", "speech-prod")), main.Key(7, "k"))

    def test_that_somebody_else_wrote_are_not(self):
        for of in (None, {}, tags("0"), tags("7a"), tags("-7"), tags("7", ACCOUNT + "2")):
            with self.subTest(of):
                self.assertIsNone(main.published(ACCOUNT, "k", of))
        self.assertIsNone(main.published(ACCOUNT, None, tags("7")))

    def test_show_no_key_where_they_are_printed(self):
        self.assertEqual(repr(SEVEN), "Key(generation=7)")


class TheKeyInUse(unittest.TestCase):
    def setUp(self):
        logging.disable()
        self.vault, self.newest, self.told, self.seen = SIX, 7, [], []
        self.keys = main.KeyInUse(lambda: self.vault, self.acknowledge)
        self.keys.refresh()

    def acknowledge(self, generation: int) -> int:
        self.told.append(generation)
        return self.newest

    def accepts(self, wanted: str):
        def send(key: str):
            self.seen.append(key)
            return SimpleNamespace(status_code=200 if key == wanted else 401)

        return send

    def test_is_acknowledged_only_when_the_vault_shows_it(self):
        with self.assertRaises(main.NotYet):
            self.keys.catch_up(7)
        self.assertEqual(self.told, [])
        self.vault = SEVEN
        self.keys.catch_up(7)
        self.assertEqual(self.told, [7])

    def test_is_acknowledged_only_when_no_call_with_an_older_one_is_under_way(self):
        begun, go_on = threading.Event(), threading.Event()

        def slow(key: str):
            begun.set()
            go_on.wait(30)
            return self.accepts("six")(key)

        call = threading.Thread(target=self.keys.call, args=[slow])
        call.start()
        begun.wait(30)
        self.vault = SEVEN
        waits, main.LONGEST_CALL = main.LONGEST_CALL, 0.01
        try:
            with self.assertRaises(main.NotYet):
                self.keys.catch_up(7)
        finally:
            main.LONGEST_CALL = waits
        self.assertEqual(self.told, [])
        go_on.set()
        self.keys.catch_up(7)
        call.join()
        self.assertEqual((self.seen, self.told), (["six"], [7]))

    def test_stays_when_the_vault_shows_an_older_one_or_one_of_unknown_origin(self):
        self.vault = SEVEN
        self.keys.refresh()
        for self.vault in (SIX, None):
            self.assertEqual(self.keys.refresh(), SEVEN)

    def test_is_replaced_when_a_call_is_refused_and_the_vault_has_a_newer_one(self):
        self.vault = SEVEN
        self.assertEqual(self.keys.call(self.accepts("seven")).status_code, 200)
        self.assertEqual(self.keys.call(self.accepts("eight")).status_code, 401)
        self.assertEqual(self.seen, ["six", "seven", "seven"])

    def test_is_not_enough_when_the_notifier_has_published_a_newer_one(self):
        with self.assertRaises(main.NotYet):
            self.keys.catch_up()
        self.assertEqual(self.told, [6])


if __name__ == "__main__":
    unittest.main()
