-- What a rotation retires: the keys of both slots, the one that is not in use, or a leaked one.
alter table rotation add column scope text not null default 'both';
alter table rotation add column slot text;
