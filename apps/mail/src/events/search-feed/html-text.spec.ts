import { setInterval, clearInterval } from 'node:timers';
import { htmlText } from './html-text';

const SIZE = 2 * 1024 * 1024;
const filled = (text: string, before = '') => before + text.repeat(Math.ceil(SIZE / text.length));
const text = (html: string) => htmlText(html, SIZE);

test.each([
  ['blocks are lines', '<p>one</p><div>two<br>three</div>', 'one\n\ntwo\nthree'],
  ['words stay together across markup', 'Ca<b>ro</b>line', 'Caroline'],
  ['entities are characters', 'a &amp; b &lt;c&gt; &eacute;&#x1F600; &nbsp;d', 'a & b <c> é😀 \u00a0d'],
  ['headings keep their case, links lose their address', '<h1>Title</h1><a href="https://x.test/y">here</a>', 'Title\n\nhere'],
  [
    'style, script, comments and attributes are no text',
    '<style>p{}</style><script>if (a<b) x()</script><!-- <p>no --><p title="no">yes</p>',
    'yes',
  ],
  ['a > in quotes ends no tag', `<a title="x>no"  href='y>no'>yes</a>`, 'yes'],
  ['an apostrophe in a tag opens nothing', `<p it's>yes</p>`, 'yes'],
  ['cells are apart', '<table><tr><td>one</td><td>two</td></tr></table>', 'one\n\ntwo'],
  ['a < that begins no tag is itself', 'a < b and 1<2', 'a < b and 1<2'],
  ['nothing', '', ''],
  ['a tag that never ends', 'seen<p title="x', 'seen'],
  ['a comment that never ends', 'seen<!-- x', 'seen'],
  ['a script that never ends', 'seen<script>x', 'seen'],
])('%s', async (_what, html, expected) => {
  expect((await text(html)).trim().replace(/[ \t]*\n[ \t]*/g, '\n')).toBe(expected);
});

test('a long text keeps its words whole, and no entity is torn', async () => {
  const html = 'caf&eacute; '.repeat(50_000);
  expect((await text(html)).split(/\s+/).filter((word) => word !== 'café' && word !== '')).toEqual([]);
});

test('no more is made than is asked for', async () => {
  expect((await htmlText('<p>word</p>'.repeat(100_000), 1000)).length).toBeLessThan(40_000);
});

test.each(
  Object.entries({
    deep: filled('<div>'),
    lists: filled('<ul><li>'),
    tables: filled('<table><tr><td>'),
    svg: filled('<svg><p>'),
    inline: filled('<b>x'),
    tags: filled('<a'),
    angles: filled('<'),
    quotes: filled('"x', '<p a='),
    'open quotes': filled('<p a="'),
    entities: filled('&#x1F600;'),
    comments: filled('<!--'),
    scripts: filled('<script>x'),
    spaces: filled(' '),
    'one word': filled('x'),
    preformatted: filled('<pre>\n'),
    closing: filled('</p>'),
    'not closing': filled('<style></style'),
  }),
)('2 MiB of %s block nobody', async (_what, html) => {
  // Of this thread's own: what others on the machine do is no fault.
  const usedMs = () => process.threadCpuUsage().user / 1000;
  let longest = 0;
  let last = usedMs();
  const look = () => {
    longest = Math.max(longest, usedMs() - last);
    last = usedMs();
  };
  const timer = setInterval(look, 1);
  await text(html);
  clearInterval(timer);
  look();
  // 10 to 20 here; html-to-text alone takes seconds to minutes for some of these.
  expect(longest).toBeLessThan(500);
});
