import { describe, expect, it } from '@jest/globals';
import { permits, type RoleAssignment } from './roles.js';

const subscription = '/subscriptions/s1';
const vault = `${subscription}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v1`;
const account = `${subscription}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/a1`;
const getSecret = 'Microsoft.KeyVault/vaults/secrets/getSecret/action';
const setSecret = 'Microsoft.KeyVault/vaults/secrets/setSecret/action';
const listKeys = 'Microsoft.CognitiveServices/accounts/listKeys/action';

const can = (assignment: RoleAssignment, need: { action: string } | { dataAction: string }, scope: string) =>
  permits([assignment], { ...need, scope }, subscription);

describe('a role assignment', () => {
  it('reaches its scope and all below it', () => {
    const officer = { role: 'Key Vault Secrets Officer', scope: vault };
    expect(can(officer, { dataAction: setSecret }, `${vault}/secrets/x`)).toBe(true);
    expect(can(officer, { dataAction: setSecret }, vault)).toBe(true);
    expect(can(officer, { dataAction: setSecret }, `${vault}2/secrets/x`)).toBe(false);
  });

  it('ends at a single secret when scoped to one', () => {
    const user = { role: 'Key Vault Secrets User', scope: `${vault}/secrets/mine` };
    expect(can(user, { dataAction: getSecret }, `${vault}/secrets/mine`)).toBe(true);
    expect(can(user, { dataAction: getSecret }, `${vault}/secrets/mine-not`)).toBe(false);
    expect(can(user, { dataAction: setSecret }, `${vault}/secrets/mine`)).toBe(false);
  });

  it('compares names, ids and scopes without regard to case', () => {
    const byId = { role: 'A97B65F3-24C7-4388-BAEC-2E87135DC908', scope: '/SUBSCRIPTIONS/S1' };
    expect(can(byId, { action: listKeys }, account)).toBe(true);
  });

  it('keeps the control plane and the data plane apart', () => {
    expect(can({ role: 'Owner' }, { action: listKeys }, account)).toBe(true);
    expect(can({ role: 'Owner' }, { dataAction: getSecret }, vault)).toBe(false);
  });

  it('takes a scope without leading slash to be below the subscription', () => {
    const custom = { actions: [listKeys], scope: 'resourceGroups/rg' };
    expect(can(custom, { action: listKeys }, account)).toBe(true);
    expect(
      can(custom, { action: 'Microsoft.CognitiveServices/accounts/regenerateKey/action' }, account),
    ).toBe(false);
    expect(can({ ...custom, scope: 'resourceGroups/other' }, { action: listKeys }, account)).toBe(false);
  });
});
