import { describe, expect, it } from '@jest/globals';
import { InvalidAllowList, readAllowList, refusalOf, type Destination } from './allow-list.js';

/** As `deliver` sees it: the URL parser has brought decimal, octal and hexadecimal spellings into their usual form. */
function destination(text: string, addresses?: readonly string[]): Destination {
  const url = new URL(text);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const scheme = url.protocol === 'http:' ? 'http' : 'https';
  const port = url.port === '' ? { http: 80, https: 443 }[scheme] : Number(url.port);
  return { scheme, host, port, addresses: addresses ?? [host] };
}

const judged = (list: string, url: string, addresses?: readonly string[]) =>
  refusalOf(readAllowList(list), destination(url, addresses));

describe('Without an allow-list of one’s own', () => {
  it.each([
    ['a public name', 'https://hooks.contoso.example', ['20.50.2.10', '2603:1020::1']],
    ['a public IPv4 address', 'https://20.50.2.10/hook', undefined],
    ['a public IPv6 address', 'https://[2603:1020::1]/hook', undefined],
    ['a public address behind NAT64', 'https://hooks.contoso.example', ['64:ff9b::1432:020a']],
  ])('%s is reached', (_, url, addresses) => {
    expect(judged('public', url, addresses)).toBeNull();
  });

  it.each([
    ['127.0.0.1', 'loopback'],
    ['2130706433', 'loopback'],
    ['0177.0.0.1', 'loopback'],
    ['0x7f.1', 'loopback'],
    ['127.1', 'loopback'],
    ['[::1]', 'loopback'],
    ['[::ffff:127.0.0.1]', 'loopback'],
    ['[::ffff:7f00:1]', 'loopback'],
    ['[64:ff9b::7f00:1]', 'loopback'],
    ['0.0.0.0', 'this host'],
    ['[::]', 'this host'],
    ['10.1.2.3', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.0.1', 'private'],
    ['[64:ff9b::10.1.2.3]', 'private'],
    ['[fd12:3456::1]', 'private'],
    ['[fec0::1]', 'private'],
    ['100.64.0.1', 'shared by carriers'],
    ['169.254.1.1', 'link-local'],
    ['[fe80::1]', 'link-local'],
    ['169.254.169.254', 'metadata of a cloud'],
    ['[::ffff:169.254.169.254]', 'metadata of a cloud'],
    ['[64:ff9b::a9fe:a9fe]', 'metadata of a cloud'],
    ['[fd00:ec2::254]', 'metadata of a cloud'],
    ['168.63.129.16', 'metadata of a cloud'],
    ['[2002:7f00:1::]', 'for protocols'],
    ['[2001:0:1::1]', 'for protocols'],
    ['[64:ff9b:1::a00:1]', 'for protocols'],
    ['[::10.0.0.1]', 'for protocols'],
    ['198.51.100.7', 'for examples'],
    ['[2001:db8::1]', 'for examples'],
    ['198.18.0.1', 'for measurements'],
    ['224.0.0.1', 'multicast'],
    ['[ff02::1]', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['[4000::1]', 'reserved'],
  ])('https://%s is refused as %s', (host, what) => {
    expect(judged('public', `https://${host}/`)).toContain(`that is ${what},`);
  });

  it('a name with one internal address among public ones is refused whole', () => {
    expect(judged('public', 'https://hooks.contoso.example', ['20.50.2.10', '10.0.0.7'])).toContain(
      'private',
    );
  });

  it.each([
    ['plain HTTP', 'http://hooks.contoso.example', 'not over http'],
    ['another port', 'https://hooks.contoso.example:8443', 'Port 8443'],
  ])('%s is refused', (_, url, why) => {
    expect(judged('public', url, ['20.50.2.10'])).toContain(why);
  });

  it.each([
    [[], 'has no address'],
    [['0177.0.0.1'], 'no address'],
    [['hooks.contoso.example'], 'no address'],
  ])('a name that was looked up as %j is refused', (addresses, why) => {
    expect(judged('public', 'https://hooks.contoso.example', addresses)).toContain(why);
  });
});

describe('An allow-list', () => {
  const out = ['20.50.2.10'];

  it.each([
    ['hooks.contoso.example', 'https://hooks.contoso.example', true],
    ['hooks.contoso.example', 'https://HOOKS.contoso.example.', true],
    ['hooks.contoso.example', 'https://a.hooks.contoso.example', false],
    ['.contoso.example', 'https://hooks.contoso.example', true],
    ['.contoso.example', 'https://contoso.example', false],
    ['.contoso.example', 'https://evilcontoso.example', false],
    ['.contoso.example', 'https://contoso.example.evil.example', false],
    ['.contoso.example:8443', 'https://hooks.contoso.example:8443', true],
    ['.contoso.example:8443', 'https://hooks.contoso.example', false],
    ['.contoso.example:*', 'https://hooks.contoso.example:9', true],
    ['http://.contoso.example', 'http://hooks.contoso.example', true],
    ['http://.contoso.example', 'https://hooks.contoso.example', false],
    ['public, .contoso.example:8443', 'https://fabrikam.example', true],
  ])('%s and %s: %s', (list, url, allowed) => {
    expect(judged(list, url, out) === null).toBe(allowed);
  });

  it('opens an internal network by naming the network, never by naming a host', () => {
    const inside = ['10.1.2.3'];
    expect(judged('.contoso.example', 'https://hooks.contoso.example', inside)).toContain('private');
    expect(judged('10.1.0.0/16', 'https://hooks.contoso.example', inside)).toBeNull();
    expect(judged('10.2.0.0/16', 'https://hooks.contoso.example', inside)).toContain('private');
    expect(judged('10.1.0.0/16', 'https://hooks.contoso.example', [...inside, ...out])).not.toBeNull();
    expect(judged('10.1.0.0/16', 'https://hooks.contoso.example', [...out, ...inside])).not.toBeNull();
  });

  it('allows a name whose addresses are allowed by different entries', () => {
    const both = ['127.0.0.1', '::1'];
    expect(judged('http://127.0.0.1:* http://[::1]:*', 'http://localhost:8080', both)).toBeNull();
    expect(judged('http://127.0.0.1:*', 'http://localhost:8080', both)).toContain('loopback');
    expect(judged('http://127.0.0.1:* http://[::1]:80', 'http://localhost:8080', both)).toContain(
      'Port 8080',
    );
  });

  it.each([
    ['127.0.0.1', 'https://127.0.0.1', true],
    ['127.0.0.0/8', 'https://[::ffff:127.0.0.1]', true],
    ['http://127.0.0.1:*', 'http://127.0.0.1:4711', true],
    ['[::1]:8443', 'https://[::1]:8443', true],
    ['[fd00::]/8:8443', 'https://[fd12::1]:8443', true],
    ['0.0.0.0/0', 'https://127.0.0.1', false],
    ['::/0', 'https://[::1]', false],
    ['::/0', 'https://[::ffff:127.0.0.1]', false],
    ['169.254.0.0/16', 'https://169.254.7.7', true],
    ['169.254.0.0/16', 'https://169.254.169.254', false],
    ['169.254.169.254', 'https://169.254.169.254', true],
    ['fd00::/8', 'https://[fd00:ec2::254]', false],
  ])('%s names %s: %s', (list, url, allowed) => {
    expect(judged(list, url) === null).toBe(allowed);
  });

  it.each([
    '',
    ' , ',
    '*',
    'https://',
    'contoso.example:0',
    'contoso.example:70000',
    '10.0.0.1/8',
    '10.0.0.0/33',
    '0x7f.1',
    '127.1',
    'http://public',
    '[::1',
    'a b..c',
    'https://contoso.example/path',
  ])('with %j in it is refused', (list) => {
    expect(() => readAllowList(list)).toThrow(InvalidAllowList);
  });
});
