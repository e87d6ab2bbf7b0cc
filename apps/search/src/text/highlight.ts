import type { TextField } from '../query/query';
import { type Span, type TextMatches } from './text-matches';
import { words } from './words';

/** A value of a field. */
export interface FieldText {
  field: TextField;
  text: string;
}

interface Fragment {
  start: number;
  end: number;
  spans: Span[];
  /** How many of the texts asked for are in it. */
  texts: number;
}

export const MAX_HIGHLIGHTS = 5;
/** In UTF-16 units, more or less: words are not cut where they need not be. */
const LENGTH = 150;
const BEFORE = 40;
const LONGEST = 250;
/** How far a border moves to come between two words. */
const SLACK = 25;
/** Of one value; the best of them are taken. */
const MAX_FRAGMENTS = 100;
/** Values of attributes are shown beside the content, not in its place. */
const MAX_ATTRIBUTES = 2;
const MAX_VALUES = 1000;

/**
 * What matched, marked by `<mark>` in fragments of about 150 characters, 5 at most; everything else is escaped for HTML.
 * From the title first, then from attributes, then from the content, each in its order.
 */
export function highlight(matches: TextMatches, texts: readonly FieldText[]): string[] {
  if (matches.isEmpty) return [];
  const of = (is: (field: TextField) => boolean, most: number): string[] => {
    const found: string[] = [];
    for (const { field, text } of texts.filter((value) => is(value.field)).slice(0, MAX_VALUES)) {
      if (found.length >= most) break;
      found.push(
        ...best(fragmentsOf(text, matches.find(words(text), field)), most - found.length).map((fragment) => marked(text, fragment)),
      );
    }
    return found;
  };
  const title = of((field) => field === 'title', 1);
  const content = of((field) => field === 'content', MAX_HIGHLIGHTS - title.length);
  const room = Math.max(MAX_ATTRIBUTES, MAX_HIGHLIGHTS - title.length - content.length);
  const attributes = of((field) => field !== 'title' && field !== 'content', room);
  return [...title, ...attributes, ...content].slice(0, MAX_HIGHLIGHTS);
}

function fragmentsOf(text: string, spans: readonly Span[]): Fragment[] {
  const fragments: Fragment[] = [];
  let current: Fragment | undefined;
  for (const span of spans) {
    if (current && span.end <= current.end) {
      current.spans.push(span);
      continue;
    }
    // What overlaps the end of a fragment is marked there as far as it goes.
    if (current && span.start < current.end) {
      current.end = Math.min(span.end, current.start + LONGEST);
      current.spans.push(span);
      continue;
    }
    if (fragments.length === MAX_FRAGMENTS) break;
    const start = span.start <= BEFORE ? 0 : borderBehind(text, Math.max(span.start - BEFORE, current?.end ?? 0), span.start);
    const end = Math.max(Math.min(span.end, start + LONGEST), borderBefore(text, Math.min(start + LENGTH, text.length), span.end));
    current = { start, end, spans: [span], texts: 0 };
    fragments.push(current);
  }
  for (const fragment of fragments) fragment.texts = new Set(fragment.spans.map((span) => span.text)).size;
  return fragments;
}

/** Those with the most of what was asked for, in the order of the text. */
function best(fragments: readonly Fragment[], most: number): Fragment[] {
  const chosen = [...fragments].sort((a, b) => b.texts - a.texts).slice(0, most);
  return chosen.sort((a, b) => a.start - b.start);
}

/** The first place from there on where a fragment can begin: behind a space if one is near. */
function borderBehind(text: string, from: number, to: number): number {
  const space = text.slice(from, Math.min(from + SLACK, to)).search(/\s/);
  let at = space < 0 ? from : from + space + 1;
  while (at < to && isWithinCharacter(text, at)) at++;
  return at;
}

/** The last place up to there where a fragment can end. */
function borderBefore(text: string, from: number, to: number): number {
  if (from >= text.length) return text.length;
  let at = from;
  while (at > to && at > from - SLACK && !/\s/.test(text[at] ?? ' ')) at--;
  if (!/\s/.test(text[at] ?? ' ')) at = from;
  while (at > to && isWithinCharacter(text, at)) at--;
  return at;
}

/** Between the halves of a character, or between it and what is joined to it. */
const isWithinCharacter = (text: string, at: number): boolean =>
  /^[\udc00-\udfff]|^[\p{M}\u200d]|^\p{Emoji_Modifier}/u.test(text.slice(at, at + 2)) ||
  text[at - 1] === '\u200d' ||
  /[\udc00-\udfff]/.test(text[at] ?? '');

function marked(text: string, { start, end, spans }: Fragment): string {
  let html = '';
  let at = start;
  for (const span of merged(spans)) {
    const last = Math.min(span.end, end);
    html += `${escaped(text.slice(at, span.start))}<mark>${escaped(text.slice(span.start, last))}</mark>`;
    at = last;
  }
  return html + escaped(text.slice(at, end));
}

function merged(spans: readonly Span[]): { start: number; end: number }[] {
  const result: { start: number; end: number }[] = [];
  for (const { start, end } of spans) {
    const last = result.at(-1);
    if (last && start < last.end) last.end = Math.max(last.end, end);
    else result.push({ start, end });
  }
  return result;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
