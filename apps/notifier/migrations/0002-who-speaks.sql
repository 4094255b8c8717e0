-- Which identity (object id in Entra) registered an instance, where tokens are asked for; it alone speaks for it.
alter table instance add column identity text;
-- The public half (ed25519) of the key with which the process signs what it says over the bus; null: it signs nothing.
alter table instance add column voice bytea;
