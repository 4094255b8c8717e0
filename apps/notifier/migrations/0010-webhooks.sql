-- How a consumer's endpoint stands that is told of new keys by webhook. Which consumer has one, and where, stands with
-- its declaration; the secret that signs stands in no table.
create table webhook_endpoint (
  consumer   text primary key,
  -- The URL that answered 410 Gone: as long as it is the declared one, only what a person asks for is sent.
  gone_url   text,
  gone_at    timestamptz,
  -- It asked to be left alone until then.
  rest_until timestamptz,
  -- One attempt at a time. Whoever makes it has the endpoint until then; one that died with it loses it then.
  busy_until timestamptz,
  busy_with  uuid
) with (fillfactor = 60);

create table webhook_delivery (
  delivery    bigint generated always as identity primary key,
  consumer    text not null,
  -- The id of the event: the same at every attempt.
  event       text not null,
  kind        text not null check (kind in ('key-changed', 'test')),
  account     text,
  generation  integer,
  -- Of the key switch: an account may be asked about a generation again.
  request     integer,
  -- What is signed and sent, to the byte.
  body        text not null,
  state       text not null default 'waiting',
  created_at  timestamptz not null default clock_timestamp(),
  -- When the switch is overdue without this consumer.
  deadline_at timestamptz not null,
  -- No attempt is begun after this time.
  until_at    timestamptz not null,
  -- When the next attempt is due; null: none is.
  next_at     timestamptz,
  attempts    integer not null default 0,
  -- Attempts since it was put into the line, for the pauses between them.
  tries       integer not null default 0,
  settled_at  timestamptz,
  asked_by    text,
  unique (consumer, event)
) with (fillfactor = 70);

create index webhook_delivery_due on webhook_delivery (consumer, next_at) where next_at is not null;
create index webhook_delivery_by_consumer on webhook_delivery (consumer, delivery desc);

-- Written before the request leaves and again when it has ended: one without an end was under way when its sender died.
create table webhook_attempt (
  delivery bigint not null references webhook_delivery on delete cascade,
  attempt  integer not null,
  token    uuid not null,
  begun_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  outcome  text,
  why      text,
  status   integer,
  -- A sentence of ours; never what the receiver wrote.
  detail   text,
  primary key (delivery, attempt)
);

create index webhook_attempt_under_way on webhook_attempt (delivery) where ended_at is null;
