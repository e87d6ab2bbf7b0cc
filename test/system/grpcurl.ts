import { execFile } from 'node:child_process';
import { grpcurlPath } from './provisioned';

export interface GrpcurlAnswer {
  /** The gRPC code; 0: OK. */
  code: number;
  /** Standard output, and what it says in JSON, if it does. */
  text: string;
  json: Record<string, unknown>;
  /** Of an error: grpc-message, and each detail by its type, as text in which the names stand as they are. */
  message: string;
  details: Record<string, string>;
}

interface ErrorAnswer {
  message?: string;
  details?: { '@type': string; '@value'?: string }[];
}

/** grpcurl's exit code for an error that the server answered. */
const ANSWERED = 64;

/** Runs grpcurl, without TLS unless the arguments name a CA; the last arguments are the address and what to do there. */
export const grpcurl = (...args: string[]): Promise<GrpcurlAnswer> => grpcurlReading('', ...args);

/** @param input what it reads from its standard input for `-d @`: more than an argument can hold */
export function grpcurlReading(input: string, ...args: string[]): Promise<GrpcurlAnswer> {
  return new Promise((resolve, reject) => {
    const security = args.includes('-cacert') ? [] : ['-plaintext'];
    const running = execFile(grpcurlPath, [...security, '-format-error', '-max-time', '30', ...args], (error, stdout, stderr) => {
      const exit = error ? Number(error.code) : 0;
      if (exit !== 0 && !(exit > ANSWERED)) return reject(new Error(`grpcurl ${args.join(' ')}: ${stderr}`));
      const failure = exit === 0 ? {} : (jsonOf(stderr) as ErrorAnswer);
      resolve({
        code: exit === 0 ? 0 : exit - ANSWERED,
        text: stdout,
        json: jsonOf(stdout),
        message: failure.message ?? '',
        details: Object.fromEntries((failure.details ?? []).map((detail) => [nameOf(detail['@type']), textOf(detail['@value'])])),
      });
    });
    // One that ends before it has read all is told by its exit code.
    running.stdin?.on('error', () => undefined).end(input);
  });
}

const jsonOf = (text: string): Record<string, unknown> => (text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {});
const nameOf = (type: string): string => type.slice(type.lastIndexOf('/') + 1);
const textOf = (base64 = ''): string => Buffer.from(base64, 'base64').toString('latin1');
