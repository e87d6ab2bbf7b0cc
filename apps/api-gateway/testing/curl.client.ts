import { execFile } from 'node:child_process';
import { tokenFor } from './gateway.fixture';

export interface CurlAnswer {
  status: number;
  body: string;
}

/** Runs curl, as users have it, with a valid token. */
export function curl(...parameters: string[]): Promise<CurlAnswer> {
  const all = ['-sS', '--max-time', '20', '-w', '\n%{http_code}', '-H', `Authorization: Bearer ${tokenFor()}`, ...parameters];
  return new Promise((resolve, reject) => {
    const running = execFile('curl', all, { maxBuffer: 67_108_864 }, (error, stdout, stderr) => {
      if (error) {
        reject(new Error(`${error.message}: ${stderr}`));
        return;
      }
      const end = stdout.lastIndexOf('\n');
      resolve({ status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) });
    });
    running.stdin?.end();
  });
}
