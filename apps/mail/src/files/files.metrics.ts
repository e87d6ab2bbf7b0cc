import { Counter } from '@sky-genesis/observability';

export const fileBytesTotal = new Counter({
  name: 'mail_file_bytes_total',
  help: 'Bytes of files that came in and went out, by direction.',
  labelNames: ['direction'],
});

export const uploadStreamsTotal = new Counter({
  name: 'mail_upload_streams_total',
  help: 'Streams of uploads that ended: completed; kept, to be gone on with; dropped, for they contradicted themselves.',
  labelNames: ['outcome'],
});
