-- Consumers that the file declares, or declared once.
create table consumer (
  consumer         text primary key,
  declared         jsonb,                      -- as told last, with what of it cannot be kept; null: withdrawn
  declared_version bigint not null,
  declared_at      timestamptz not null
);
