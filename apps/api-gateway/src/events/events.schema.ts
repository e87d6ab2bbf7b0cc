import { z } from 'zod';
import { INT32_MAX, int64, queryNumber, queryText } from '../http/field.schema';

const queryTexts = () =>
  z.preprocess(
    (given) => (given === undefined ? undefined : [given].flat().flatMap((text) => (typeof text === 'string' ? text.split(',') : [text]))),
    z.array(z.string().min(1, 'must not be empty')).optional(),
  );

export const eventsQuery = z.strictObject({
  after: queryText().meta({
    description: 'A cursor seen before: what comes after it. `0`: from the first event that is kept. Left out: from now on.',
    examples: ['4711'],
  }),
  types: queryTexts().meta({
    description: 'Only events of these types, separated by commas.',
    examples: [['email.sent', 'email.bounced']],
  }),
  message_id: queryText().meta({ description: 'Only events of this email.' }),
  page_size: queryNumber(INT32_MAX).meta({ description: 'Of a page: 1 to 1000. Left out: 100.', examples: [100] }),
});

export type EventsQuery = z.output<typeof eventsQuery>;

export const event = z
  .object({
    id: z.string().meta({ examples: ['evt_0193a5c1-7f3e-7c3a-9d55-0a1b2c3d4e5f'] }),
    cursor: z.string().meta({ description: 'Its place in the order of all events.', examples: ['4711'] }),
    type: z.string().meta({ description: '`email.` and the state, such as `email.sent`. The list may grow.', examples: ['email.sent'] }),
    message_id: z.string().meta({ examples: ['msg_0193a5c1-7f3e-7c3a-9d55-0a1b2c3d4e5f'] }),
    recipient: z
      .string()
      .optional()
      .meta({ description: 'Left out: the event is about the whole email.', examples: ['recipient@example.com'] }),
    status: z.string().meta({ description: 'The state from then on.', examples: ['sent'] }),
    detail: z
      .string()
      .optional()
      .meta({ description: "More for a person to read, such as the relay's reply.", examples: ['250 2.0.0 Ok: queued'] }),
    occurred_at_ms: int64().meta({ description: 'Unix milliseconds.', examples: [1640995201000] }),
  })
  .meta({ id: 'EmailEvent', description: 'A change of state. It never changes itself.' });

export const eventPage = z
  .object({
    events: z.array(event).meta({ description: 'In order.' }),
    cursor: z.string().meta({ description: '`after` of the next page.', examples: ['4711'] }),
    has_more: z.boolean().meta({ description: 'Whether there was more when this was answered.' }),
  })
  .meta({ id: 'EventPage' });

export const EVENT_STREAM = 'text/event-stream';
