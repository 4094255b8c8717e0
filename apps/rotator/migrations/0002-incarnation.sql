-- The lives of this database. A restored one is another cluster, or the same on another timeline: its newest row says
-- so by being another one's.
create table incarnation (
  number   integer primary key,
  system   text not null,
  timeline text not null,
  began_at timestamptz not null default clock_timestamp()
);
