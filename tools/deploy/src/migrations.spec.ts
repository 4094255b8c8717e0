// Every migration runs under the replicas of the version before, and stays when one rolls back to it.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { migrationFaults } from './migration-rules.js';
import { root } from './repository.js';

const released = JSON.parse(
  readFileSync(new URL('./released-migrations.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, string>>;

const files = ['apps', 'libs'].flatMap((group) =>
  readdirSync(`${root}${group}`)
    .map((name) => `${group}/${name}/migrations`)
    .filter((folder) => existsSync(root + folder))
    .flatMap((folder) => readdirSync(root + folder).map((name) => `${folder}/${name}`)),
);
const textOf = (file: string) => readFileSync(root + file, 'utf8');

describe('the migrations', () => {
  it.each(files)('only add, so that neighbouring versions share the tables: %s', (file) => {
    expect(migrationFaults(textOf(file))).toEqual([]);
  });

  it('stay as they were released: what has been applied is never applied again', () => {
    // A release adds its new migrations to the list, with the first 16 digits of their SHA-256.
    const digests = Object.keys(released).map((file) => [
      file,
      createHash('sha256').update(textOf(file)).digest('hex').slice(0, 16),
    ]);
    expect(Object.fromEntries(digests)).toEqual(released);
  });

  it.each([
    ['drop table account', 'does more than add'],
    ['alter table account drop column name', 'changes what a neighbour knows'],
    ['alter table account rename column name to title', 'changes what a neighbour knows'],
    ['alter table account rename to accounts', 'changes what a neighbour knows'],
    ['alter table account alter column n type bigint', 'changes what a neighbour knows'],
    ['alter table account alter n set not null', 'changes what a neighbour knows'],
    ['alter table account add constraint c check (n > 0)', 'changes what a neighbour knows'],
    ['alter table account add column a text, add column n int not null', 'not null without default'],
    ['alter table account add column n int unique', 'may refuse'],
    ['create unique index on account (name)', 'may refuse'],
    ['create trigger t before insert on account for each row execute function f()', 'may refuse'],
    ['truncate account', 'does more than add'],
    ['update account set n = 1', 'does more than add'],
    ['delete from account', 'does more than add'],
    ['-- fine\nalter table account\n  DROP column name', 'changes what a neighbour knows'],
  ])('would be found out: %s', (statement, fault) => {
    expect(migrationFaults(`create table other (n int);\n${statement};`)).toEqual([
      expect.stringContaining(fault),
    ]);
  });

  it('may add a column that need not be given, an index, and tables with whatever they want', () => {
    const text = `
      create table own (n int not null); create unique index on own (n);
      create trigger t before update on own for each row execute function f();
      create function f() returns trigger as $$ begin drop table account; end $$ language plpgsql;
      alter table account add column a text, add column b numeric(3, 1) not null default 0;
      create index later on account (a) where a is not null;`;
    expect(migrationFaults(text)).toEqual([]);
  });
});
