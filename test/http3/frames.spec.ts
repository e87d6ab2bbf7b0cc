import { encodeFrame, encodeFrameHeader, FRAME, type Frame, readFrames } from './frames';
import { H3, Http3Error } from './http3-error';
import { Pieces } from './pieces.fixture';
import { encodeVarint } from './varint';

async function read(bytes: Buffer, size: number): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of readFrames(new Pieces(bytes, size))) frames.push(frame);
  return frames;
}

const RESPONSE = Buffer.concat([
  encodeFrame(FRAME.HEADERS, Buffer.from('head')),
  encodeFrame(0x21, Buffer.alloc(300)), // of a type that is reserved to be ignored
  encodeFrame(FRAME.DATA, Buffer.from('a body')),
  encodeFrame(FRAME.DATA, Buffer.alloc(0)),
  encodeFrame(FRAME.HEADERS, Buffer.from('trailers')),
]);

test.each([1, 2, 7, 1000])('frames come out of pieces of %d bytes as they were, but for unknown and empty ones', async (size) => {
  const frames = await read(RESPONSE, size);
  const dataOf = frames.filter(({ type }) => type === FRAME.DATA).map(({ payload }) => payload);
  expect(Buffer.concat(dataOf).toString()).toBe('a body');
  const whole = frames.filter(({ type }) => type !== FRAME.DATA);
  expect(whole.map(({ type, payload }) => [type, payload.toString()])).toEqual([
    [FRAME.HEADERS, 'head'],
    [FRAME.HEADERS, 'trailers'],
  ]);
  expect(frames.map(({ type }) => type).indexOf(FRAME.DATA)).toBe(1);
});

test('DATA goes by as it comes, however long the frame is', async () => {
  const pieces = new Pieces(Buffer.concat([encodeFrameHeader(FRAME.DATA, 2 ** 30 - 1), Buffer.from('the beginning')]), 8);
  const frames = readFrames(pieces);
  expect((await frames.next()).value).toEqual({ type: FRAME.DATA, payload: Buffer.from('the') });
});

test('no more is taken than the next frame needs', async () => {
  const first = encodeFrame(FRAME.HEADERS, Buffer.from('head'));
  const pieces = new Pieces(Buffer.concat([first, RESPONSE]), first.length);
  await readFrames(pieces).next();
  expect(pieces.taken).toBe(first.length);
});

test.each([
  ['that the end of the stream cuts in its payload', encodeFrame(FRAME.HEADERS, Buffer.from('head')).subarray(0, 4), H3.FRAME_ERROR],
  ['that the end of the stream cuts in its header', Buffer.of(FRAME.HEADERS), H3.FRAME_ERROR],
  ['of DATA that the end of the stream cuts', encodeFrame(FRAME.DATA, Buffer.from('body')).subarray(0, 4), H3.FRAME_ERROR],
  ['of HTTP/2', encodeFrame(0x8, Buffer.alloc(4)), H3.FRAME_UNEXPECTED],
  ['with a larger head than is taken', encodeFrameHeader(FRAME.HEADERS, 256 * 1024 + 1), H3.EXCESSIVE_LOAD],
])('a frame %s is a violation', async (_what, bytes, code) => {
  await expect(read(bytes, 1)).rejects.toEqual(new Http3Error('violation', code));
});

test('types of more than one byte are known as well', async () => {
  const frames = await read(Buffer.concat([encodeVarint(0x4242), encodeVarint(2), Buffer.from('xx'), RESPONSE]), 3);
  expect(frames[0]?.payload.toString()).toBe('head');
});
