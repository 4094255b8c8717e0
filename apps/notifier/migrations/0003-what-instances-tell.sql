-- What an instance told with its last heartbeat, by account: what it showed the account since its start, and why it
-- keeps an older key. For people only; it decides nothing, so it is no part of a membership.
alter table instance add column told json;
