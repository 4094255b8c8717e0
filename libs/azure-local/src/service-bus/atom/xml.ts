/** As much XML as the management API uses: elements, attributes, text, the five entities and numeric ones. */
export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  /** Names without their prefixes. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
}

export class XmlError extends Error {
  override readonly name = 'XmlError';
}

const TOKEN =
  /<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\/([^\s>]+)\s*>|<([^\s/>!?]+)((?:\s+[^\s=/>]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|([^<]+)/gy;
const ATTRIBUTE = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const DEEPEST_NESTING = 64;

export function parseXml(text: string): XmlElement {
  const root: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  TOKEN.lastIndex = 0;
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) throw new XmlError(`The XML is not well-formed at position ${at}`);
    at = TOKEN.lastIndex;
    const [, cdata, closing, opening, attributes, selfClosing, characters] = match as (string | undefined)[];
    const current = open.at(-1) ?? root;
    if (cdata !== undefined) current.text += cdata;
    else if (characters !== undefined) current.text += unescape(characters);
    else if (opening !== undefined) {
      const element = {
        name: local(opening),
        attributes: readAttributes(attributes ?? ''),
        children: [],
        text: '',
      };
      current.children.push(element);
      if (open.length > DEEPEST_NESTING) throw new XmlError('The XML is nested too deeply');
      if (selfClosing !== '/') open.push(element);
    } else if (closing !== undefined && (open.length < 2 || open.pop()?.name !== local(closing)))
      throw new XmlError(`</${closing}> closes nothing`);
  }
  const [first] = root.children;
  if (open.length !== 1 || first === undefined) throw new XmlError('The XML ends too early');
  return first;
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function readAttributes(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(ATTRIBUTE)].map(([, name = '', double, single]) => [
      local(name),
      unescape(double ?? single ?? ''),
    ]),
  );
}

const ENTITY = /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi;
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescape(text: string): string {
  return text.replace(ENTITY, (whole: string, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return NAMED[name] ?? whole;
    const code = hex === undefined ? Number(decimal) : parseInt(hex, 16);
    return code <= 0x10_ffff ? String.fromCodePoint(code) : '';
  });
}

const ESCAPES: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };

/** By name: the SDK's reader does not know numeric entities. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, (character) => ESCAPES[character] ?? character);
}

export function child(of: XmlElement | undefined, name: string): XmlElement | undefined {
  return of?.children.find((each) => each.name === name);
}

/** The element of that name at any depth. */
export function descendant(of: XmlElement, name: string): XmlElement | undefined {
  if (of.name === name) return of;
  for (const each of of.children) {
    const found = descendant(each, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
