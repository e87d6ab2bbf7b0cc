import { setImmediate as nextTurn } from 'node:timers/promises';
import { compile } from 'html-to-text';

/** HTML that is converted in one go, in characters: what is nested in it costs time by the square. */
const MAX_PIECE = 16_384;
/** Elements whose content nobody reads. */
const UNREAD = /^(script|style|template|svg|math|object|iframe)$/;
const TAG_NAME = /<(\/?)([a-z][a-z0-9-]{0,31})(?=[\s/>])/iy;

const convert = compile({
  wordwrap: false,
  limits: { maxInputLength: MAX_PIECE, maxDepth: 64, maxChildNodes: MAX_PIECE, ellipsis: '' },
  selectors: [
    { selector: 'a', options: { ignoreHref: true } },
    { selector: 'img', format: 'skip' },
    { selector: 'hr', format: 'skip' },
    { selector: 'table', format: 'block' },
    ...['td', 'th'].map((selector) => ({ selector, format: 'block' })),
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
  ],
});

/**
 * The text that a reader of this HTML sees, `maxLength` characters or somewhat more. html-to-text takes seconds for what is nested
 * deep or never closed, so it gets small pieces, without attributes; between two of them others have their turn.
 */
export async function htmlText(html: string, maxLength: number): Promise<string> {
  let text = '';
  for (const piece of pieces(html)) {
    const converted = convert(piece);
    if (converted !== '') text += text === '' ? converted : `\n${converted}`;
    if (text.length >= maxLength) break;
    await nextTurn();
  }
  return text;
}

/** The HTML in one pass: without attributes, comments and what is not read, cut where a tag ends, or a word. */
function* pieces(html: string): Generator<string, void, undefined> {
  let piece = '';
  for (let at = 0; at < html.length;) {
    const found = html[at] === '<' ? readTag(html, at) : readText(html, at);
    if (piece.length + found.kept.length > MAX_PIECE) {
      yield piece;
      piece = '';
    }
    piece += found.kept;
    at = found.end;
  }
  yield piece;
}

interface Found {
  kept: string;
  end: number;
}

function readText(html: string, from: number): Found {
  const next = html.indexOf('<', from);
  const end = next < 0 ? html.length : next;
  if (end - from <= MAX_PIECE) return { kept: html.slice(from, end), end };
  const space = html.lastIndexOf(' ', from + MAX_PIECE);
  // At a space, so that no word and no &entity; is torn; a text without any is torn all the same.
  const cut = space > from + MAX_PIECE / 2 ? space : from + MAX_PIECE;
  return { kept: html.slice(from, cut), end: cut };
}

/** What is never closed runs to the end, as in a browser: so every character is looked at once. */
function readTag(html: string, from: number): Found {
  if (html.startsWith('<!--', from)) return { kept: '', end: after(html, '-->', from + 4) };
  if (html[from + 1] === '!' || html[from + 1] === '?') return { kept: '', end: after(html, '>', from) };
  TAG_NAME.lastIndex = from;
  const tag = TAG_NAME.exec(html);
  if (!tag) return { kept: /[a-z/]/i.test(html[from + 1] ?? '') ? ' ' : '&lt;', end: from + 1 };
  const [, slash = '', name = ''] = tag;
  const end = tagEnd(html, TAG_NAME.lastIndex);
  if (slash !== '' || !UNREAD.test(name.toLowerCase())) return { kept: `<${slash}${name}>`, end };
  const closing = new RegExp(`</${name}[\\s/>]`, 'gi');
  closing.lastIndex = end;
  const closed = closing.exec(html);
  return { kept: ' ', end: closed ? tagEnd(html, closed.index) : html.length };
}

const after = (html: string, text: string, from: number): number => {
  const found = html.indexOf(text, from);
  return found < 0 ? html.length : found + text.length;
};

/** Behind the next > that is in no quotes. Only after = do quotes begin: an apostrophe elsewhere in a tag opens nothing. */
function tagEnd(html: string, from: number): number {
  let isValue = false;
  for (let at = from; at < html.length; at++) {
    const character = html[at];
    if (character === '>') return at + 1;
    if (isValue && (character === '"' || character === "'")) {
      const close = html.indexOf(character, at + 1);
      if (close < 0) return html.length;
      at = close;
    }
    if (character !== ' ' && character !== '\n' && character !== '\t') isValue = character === '=';
  }
  return html.length;
}
