import { afterEach, describe, expect, it } from '@jest/globals';
import { azureCredential } from './credential.js';

const authority = process.env['AZURE_AUTHORITY_HOST'];

afterEach(() => {
  if (authority === undefined) delete process.env['AZURE_AUTHORITY_HOST'];
  else process.env['AZURE_AUTHORITY_HOST'] = authority;
});

describe('a credential without instance discovery', () => {
  it.each([
    undefined,
    'https://login.microsoftonline.com',
    'login.microsoftonline.us',
    'https://login.chinacloudapi.cn/',
  ])('is refused for the public authority %s', (host) => {
    if (host === undefined) delete process.env['AZURE_AUTHORITY_HOST'];
    else process.env['AZURE_AUTHORITY_HOST'] = host;
    expect(() => azureCredential({ disableInstanceDiscovery: true })).toThrow(
      /disableInstanceDiscovery: not allowed/,
    );
  });

  it('is given for an authority of one’s own', () => {
    process.env['AZURE_AUTHORITY_HOST'] = 'https://localhost:8443';
    expect(azureCredential({ disableInstanceDiscovery: true })).toBeDefined();
  });
});
