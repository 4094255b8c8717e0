import { describe, expect, it } from '@jest/globals';
import { hasAnyRole, permits, type RoleAssignment } from './roles.js';

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

describe('a built-in role', () => {
  it('allows what the real one does around its own service', () => {
    const read = { action: 'Microsoft.Resources/subscriptions/read' };
    const group = { action: 'Microsoft.Resources/subscriptions/resourceGroups/read' };
    const write = { action: 'Microsoft.Resources/subscriptions/resourceGroups/write' };
    for (const role of ['Cognitive Services Contributor', 'Cognitive Services User']) {
      expect(can({ role }, read, subscription)).toBe(true);
      expect(can({ role }, group, subscription)).toBe(true);
      expect(can({ role }, write, subscription)).toBe(false);
    }
  });

  it('of contributors hands out no roles', () => {
    const grant = { action: 'Microsoft.Authorization/roleAssignments/write' };
    expect(can({ role: 'Contributor' }, grant, account)).toBe(false);
    expect(can({ role: 'Owner' }, grant, account)).toBe(true);
    expect(can({ role: 'Contributor', actions: ['*'] }, grant, account)).toBe(true);
  });

  it('of OpenAI users opens models, and no other service', () => {
    const user = { role: 'Cognitive Services OpenAI User' };
    const service = 'Microsoft.CognitiveServices/accounts';
    expect(can(user, { dataAction: `${service}/OpenAI/deployments/embeddings/action` }, account)).toBe(true);
    expect(can(user, { dataAction: `${service}/OpenAI/fine-tunes/write` }, account)).toBe(false);
    expect(can(user, { dataAction: `${service}/TextAnalytics/languages/action` }, account)).toBe(false);
  });
});

describe('a subscription', () => {
  it('is seen by whoever has a role on it, above it or below it', () => {
    const seen = (scope?: string) =>
      hasAnyRole([{ role: 'Reader', ...(scope === undefined ? {} : { scope }) }], subscription);
    expect([seen(), seen('/'), seen(subscription), seen(vault), seen('resourceGroups/rg')]).toEqual(
      Array.from({ length: 5 }, () => true),
    );
    expect([seen('/subscriptions/s12'), hasAnyRole([], subscription)]).toEqual([false, false]);
  });
});
