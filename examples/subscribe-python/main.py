"""Uses the key of one account and follows its rotations. What to set: see `main`; what to mind:
docs/how-to/subscribe-from-other-languages.md."""

import json
import logging
import os
import re
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field

LOOK_EVERY = 60  # seconds; a message only makes it sooner
LONGEST_CALL = 30  # seconds; an acknowledgement waits for calls that were begun with the older key
TRY_AGAIN_AFTER = 5  # seconds

log = logging.getLogger("keys")


@dataclass(frozen=True)
class Key:
    generation: int
    value: str = field(repr=False)  # never in a log


class NotYet(Exception):
    """The key cannot be acknowledged now; it is tried again."""


def announced(body: str, account: str) -> int | None:
    """The generation that a message tells of. None: it is about another account, or of a kind that came later."""
    message = json.loads(body)
    if message["type"] != "com.twinkey.key.changed.v1" or message["data"]["account"].lower() != account.lower():
        return None
    return message["data"]["generation"]


def published(account: str, value: str | None, tags: dict[str, str] | None) -> Key | None:
    """The key in a version of the secret. None: it has not the tags of a publication, so somebody else wrote it."""
    tags = tags or {}
    number = tags.get("twinkey-generation", "")
    owners = (account.lower(), account.lower().rsplit("/", 1)[-1])  # an id too long for a tag leaves the name
    ours = tags.get("twinkey-account", "").lower() in owners
    if not value or not ours or not re.fullmatch(r"[1-9][0-9]{0,14}", number):
        return None
    return Key(int(number), value)


def moves(using: Key | None, found: Key | None) -> bool:
    """Whether the newest version is one to move to: never back, and never to a key of unknown origin."""
    return found is not None and (using is None or found.generation > using.generation)


class KeyInUse:
    """The key that this process uses, and the calls that are under way with it."""

    def __init__(self, read, acknowledge):
        self._read = read  # () -> Key | None: the newest version of the secret
        self._acknowledge = acknowledge  # (generation) -> the generation that the notifier has published
        self._changed = threading.Condition()
        self._key: Key | None = None
        self._told = 0
        self._under_way: Counter[int] = Counter()

    def call(self, send):
        """Sends with the key. If it is refused, reads the vault and tries once more, provided there is a newer one."""
        used, response = self._send(send)
        if response.status_code == 401 and tried(self.refresh) and self._key.generation > used.generation:
            _, response = self._send(send)
        return response

    def refresh(self, wanted: int = 0) -> Key:
        """Reads the vault and moves to the key there. Returns the one in use, which is at least the wanted one."""
        found = self._read()
        with self._changed:
            if moves(self._key, found):
                self._key = found
                log.info("uses generation %d", found.generation)
            if self._key is None or self._key.generation < wanted:
                raise NotYet(f"the vault does not show a published key of generation {max(wanted, 1)} or later")
            return self._key

    def catch_up(self, wanted: int = 0) -> None:
        """Moves, waits until nothing signed with an older key is under way, and only then says so."""
        key = self.refresh(wanted)

        def drained() -> bool:
            return not any(calls for generation, calls in self._under_way.items() if generation < key.generation)

        with self._changed:
            if not self._changed.wait_for(drained, timeout=2 * LONGEST_CALL):
                raise NotYet("calls with an older key are still under way")
        newest = self._acknowledge(key.generation)
        if key.generation > self._told:
            log.info("acknowledged generation %d", key.generation)
            self._told = key.generation
        if newest > key.generation:
            raise NotYet(f"generation {newest} is published, and the vault showed {key.generation}")

    def _send(self, send):
        with self._in_use() as key:
            return key, send(key.value)

    @contextmanager
    def _in_use(self):
        with self._changed:
            key = self._key
            if key is None:
                raise NotYet("no key was read so far")
            self._under_way[key.generation] += 1
        try:
            yield key
        finally:
            with self._changed:
                self._under_way[key.generation] -= 1
                self._changed.notify_all()


def follow(keys: KeyInUse, account: str, receiver, renewer) -> None:
    """Catches up when a message comes, and now and then without one: messages expire, and may never have come."""
    while True:
        messages = receiver.receive_messages(max_message_count=1, max_wait_time=LOOK_EVERY)
        if not messages:
            tried(keys.catch_up)
        for message in messages:
            renewer.register(receiver, message, max_lock_renewal_duration=4 * LONGEST_CALL)
            if tried(lambda: handle(keys, account, str(message))):
                receiver.complete_message(message)
            else:
                time.sleep(TRY_AGAIN_AFTER)
                receiver.abandon_message(message)  # comes again; after ten times it becomes a dead letter


def handle(keys: KeyInUse, account: str, body: str) -> None:
    wanted = announced(body, account)
    if wanted is not None:
        keys.catch_up(wanted)


def tried(work) -> bool:
    try:
        work()
        return True
    except Exception as error:  # whatever it is, the key in use works on, and the next look tries again
        log.warning("is tried again: %s: %s", type(error).__name__, error)
        return False


def main() -> None:
    # Imported here, so that the rest can be tried without them.
    import requests
    from azure.identity import DefaultAzureCredential
    from azure.keyvault.secrets import SecretClient
    from azure.servicebus import AutoLockRenewer, ServiceBusClient

    logging.basicConfig(level=logging.WARNING)
    log.setLevel(logging.INFO)
    account = os.environ["TWINKEY_ACCOUNT"]  # its ARM id
    vault, _, secret = os.environ["TWINKEY_SECRET"].partition("/secrets/")  # https://….vault.azure.net/secrets/NAME
    notifier, consumer = os.environ["TWINKEY_NOTIFIER_URL"], os.environ["TWINKEY_CONSUMER"]
    scope = os.environ["TWINKEY_API_AUDIENCE"] + "/.default"
    endpoint = os.environ["ENDPOINT"].rstrip("/")

    credential = DefaultAzureCredential()
    secrets = SecretClient(vault, credential)

    def read() -> Key | None:
        newest = secrets.get_secret(secret)  # no version: what is current by now
        return published(account, newest.value, newest.properties.tags)

    def acknowledge(generation: int) -> int:
        answer = requests.post(
            f"{notifier}/v1/consumers/{consumer}/acknowledgements",
            json={"account": account, "generation": generation},
            headers={"authorization": f"Bearer {credential.get_token(scope).token}"},
            timeout=15,
        )
        if answer.status_code != 200:
            raise NotYet(f"the notifier answered {answer.status_code}: {answer.text[:300]}")
        return answer.json()["published"]

    keys = KeyInUse(read, acknowledge)
    keys.refresh()  # first of all a key; without one there is nothing to start
    tried(keys.catch_up)  # rotations may have been waiting for this process

    def languages(key: str):
        return requests.post(
            f"{endpoint}/text/analytics/v3.1/languages",
            json={"documents": [{"id": "1", "text": "Guten Morgen"}]},
            headers={"Ocp-Apim-Subscription-Key": key},
            timeout=LONGEST_CALL,
        )

    def work() -> None:  # what the program is there for
        while True:
            tried(lambda: keys.call(languages).raise_for_status())
            time.sleep(1)

    threading.Thread(target=work, daemon=True).start()

    namespace = os.environ["TWINKEY_SERVICE_BUS_NAMESPACE"]
    topic = os.environ.get("TWINKEY_TOPIC", "key-changed-0")
    while True:  # a broker that is away costs minutes, not the key
        try:
            with (
                ServiceBusClient(namespace, credential) as bus,
                bus.get_subscription_receiver(topic, os.environ["TWINKEY_SUBSCRIPTION"]) as receiver,
                AutoLockRenewer() as renewer,
            ):
                follow(keys, account, receiver, renewer)
        except Exception as error:
            log.warning("receives nothing: %s: %s", type(error).__name__, error)
            tried(keys.catch_up)
            time.sleep(LOOK_EVERY)


if __name__ == "__main__":
    main()
