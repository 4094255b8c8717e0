-- What a neighbouring version may do, and more of it than any does: a column on every table, a field in every message that
-- is sent and in every state that is kept. Used by the check of upgrades only, never by an installation.

do $$
declare
  owned record;
begin
  for owned in
    select tablename from pg_tables
    where schemaname = current_schema() and tablename not like 'applied\_migration%'
  loop
    execute format('alter table %I add column unknown_yet text not null default %L', owned.tablename, 'later');
  end loop;
end $$;

create function say_more_in_messages() returns trigger language plpgsql as $$
begin
  if json_typeof(new.body) = 'object' then
    new.body := (new.body::jsonb || '{"unknownYet": {"since": "later"}}')::json;
  end if;
  return new;
end $$;

create trigger say_more_in_messages before insert on outbox
  for each row execute function say_more_in_messages();

create function say_more_in_states() returns trigger language plpgsql as $$
begin
  if json_typeof(new.state) = 'object' then
    new.state := (new.state::jsonb || '{"unknownYet": {"since": "later"}}')::json;
  end if;
  return new;
end $$;

create trigger say_more_in_states before insert or update on stream
  for each row execute function say_more_in_states();
