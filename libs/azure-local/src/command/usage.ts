/** What `--help` shows, by command. */
export const usage = {
  all: `Usage: twinkey-azure [start] [options]
       twinkey-azure COMMAND [options]

An Azure for development on 127.0.0.1: Entra, Key Vault, Cognitive Services, Service Bus.

  start                 start it and stay (the default)
  fault add|list|remove let something go wrong in a running one
  clock                 show its time, or let it jump ahead
  restart               restart its services
  ledger                which keys were used, by whom, with what outcome
  accounts              the accounts it has
  drop-connections      cut every connection to Service Bus
  expire-locks ENTITY   end every lock on an entity's messages and sessions

Each has its own --help. All but start find the running one by --data DIR (where start was given the same) or
--origin URL with --ca FILE, and print JSON with -o json. Exit codes: 0 done, 1 failed, 2 a mistake in the command.`,

  start: `Usage: twinkey-azure [start] [options]

  --data DIR              what it keeps between starts (default DEFAULT_DATA)
  --env-file FILE         write the variables that lead programs here, once all of it listens
  --variable NAME=PLACE   one more variable in that file, PLACE one of resource-manager, authority, key-vault,
                          service-bus, service-bus-connection-string, ca-file; may be repeated
  --fleet FILE            accounts that shall exist, as JSON: { "accounts": [{ "name": … }] }
  --topology FILE         queues and topics that shall exist, as the official emulator's Config.json
  --port N                port of Entra, Resource Manager and the AI data plane
  --vault-port N          port of the vault
  --service-bus-port N    port of Service Bus
  --help                  show this

Ports that are not named are free ones, kept from start to start.`,

  fault: `Usage: twinkey-azure fault add SERVICE EFFECT [options]
       twinkey-azure fault list
       twinkey-azure fault remove ID | --all

SERVICE is entra, arm, key-vault, ai or service-bus; EFFECT throttle, delay, status, claims-challenge,
drop-after-effect, outage, stale or lag, and for service-bus what its page in the documentation lists.

  --operation NAME        only this operation
  --target NAME           only this account, secret, client or entity
  --skip N                let so many requests pass first
  --count N|unlimited     strike so often (default 1)
  --set FIELD=VALUE       a field of the effect, such as --set ms=500 or --set status=503; may be repeated`,

  clock: `Usage: twinkey-azure clock [--advance TIME | --set TIME]

  --advance TIME          jump ahead by 500ms, 90s, 15m, 2h, 30d
  --set TIME              jump to a time to come, such as 2030-01-01T00:00:00Z`,

  restart: `Usage: twinkey-azure restart [SERVICE] [options]

SERVICE is entra, arm, key-vault, ai, service-bus or all (default); entra, arm and ai go together.

  --down TIME             stay away for so long: 500ms, 90s, 15m
  --forget-signing-keys   Entra comes back with new keys: every token out there is worthless`,

  ledger: `Usage: twinkey-azure ledger [--reset]

  --reset                 start it anew`,

  accounts: 'Usage: twinkey-azure accounts',
  'drop-connections': 'Usage: twinkey-azure drop-connections',
  'expire-locks': 'Usage: twinkey-azure expire-locks ENTITY',
} as const;

export const findingOptions = `

  --data DIR              the data folder of the running one (default DEFAULT_DATA)
  --origin URL --ca FILE  or where it is, and whom to trust
  -o json                 print JSON
  --help                  show this`;
