-- Declared consumers, by the file or over this API, each under the version of its sender. The notifier owns them; what
-- the API said is kept here as well, to be said again to a notifier that lost it.
create table declaration (
  consumer    text not null,
  source      text not null,
  version     bigint not null,
  declaration jsonb,                        -- null: withdrawn
  problems    jsonb not null default '[]',
  said_by     text,
  reason      text,                         -- why it was withdrawn
  said_at     timestamptz not null,
  repeated_at timestamptz not null,
  primary key (consumer, source)
);

-- use-told, under the notifier's version
alter table account add column use_told jsonb;
alter table account add column use_told_version bigint not null default 0;
alter table account add column use_told_at timestamptz;
