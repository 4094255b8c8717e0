-- Names carry no schema: search_path points at the schema of the one service that owns these tables.

-- The current state of one thing (a key ring, a key switch), replaced as a whole under its version.
-- `json`, not `jsonb`: nobody queries inside, and it is a third cheaper to write.
create table stream (
  name          text primary key,
  version       integer not null check (version > 0),
  state         json not null,
  look_again_at timestamptz
) with (fillfactor = 60); -- room on the page, so that a step which leaves look_again_at alone is a HOT update

create index stream_to_look_at on stream (look_again_at) where look_again_at is not null;

create table journal (
  stream text not null,
  seq    bigint generated always as identity,
  type   text not null,
  data   json not null,
  at     timestamptz not null,
  primary key (stream, seq)
);

create function journal_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the journal is append-only: % refused', lower(tg_op)
    using errcode = 'restrict_violation', hint = 'Record what is true now as a further event.';
end $$;

create trigger journal_is_append_only before update or delete or truncate on journal
  for each statement execute function journal_is_append_only();

-- A message committed with the change that causes it. Rows stay for a while after they were sent: their id is
-- what makes a second append of the same message a no-op.
create table outbox (
  seq         bigint generated always as identity primary key,
  id          text not null unique,
  entity      text not null,
  subject     text,
  body        json not null,
  traceparent text,
  not_before  timestamptz,
  order_key   text not null,
  appended_at timestamptz not null default clock_timestamp(),
  sent_at     timestamptz
);

-- Covers the waiting rows only: the relay's look at an idle outbox costs the same however many were sent.
create index outbox_waiting on outbox (seq) where sent_at is null;

create table inbox (
  handler    text not null,
  message_id text not null,
  handled_at timestamptz not null default clock_timestamp(),
  primary key (handler, message_id)
);

-- Rows are never deleted: the epoch must go on growing after a release, or a fenced-off holder could match again.
create table lease (
  name       text primary key,
  holder     text not null,
  epoch      bigint not null,
  expires_at timestamptz not null
) with (fillfactor = 60);
