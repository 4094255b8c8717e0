-- What was declared about a consumer, by the file and over the API. Both are kept, with the versions of their
-- senders, so that the order of arrival decides nothing, and what the API said counts again when the file stops.
create table declaration (
  consumer    text not null references consumer,
  source      text not null check (source in ('file', 'api')),
  version     bigint not null,
  declaration jsonb,                           -- null: withdrawn
  problems    jsonb not null default '[]',     -- what of it cannot be kept, for people
  said_by     text,
  primary key (consumer, source)
);

-- The declaration that counts: the file's before the API's. null: the consumer is not declared.
alter table consumer add column declaration jsonb;
alter table consumer add column declared_by text;

-- Which declared consumers an account has, so that its key switch finds them.
create table expectation (
  account  text not null references account,
  consumer text not null references consumer,
  primary key (account, consumer)
);

create index expectation_of_consumer on expectation (consumer);

-- Instances of consumers that are not declared may not register for it.
alter table account add column only_declared boolean not null default false;
-- When the question of the present switch was put, for deadlines that count from it, and what the policy does at the
-- account's own.
alter table account add column asked_at timestamptz;
alter table account add column on_overdue text;

-- Subscriptions of declared receivers. Nothing deletes them but us; one that is not wanted any more is removed as soon
-- as the broker answers, or it would gather messages until its topic is full.
create table durable_subscription (
  topic          text not null,
  subscription   text not null,
  consumer       text not null,
  unwanted_since timestamptz,
  primary key (topic, subscription)
);
