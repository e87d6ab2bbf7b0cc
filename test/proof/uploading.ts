import { setTimeout as sleep } from 'node:timers/promises';
import type { FileReader } from './file.reader';
import { type Expected, FileWatch } from './file.watch';
import type { SeededRandom } from './seeded-random';
import type { Started } from './started';
import { UploadClient } from './upload.client';
import type { PlannedKill, UploadPlan, VictimName } from './upload.plan';
import type { UploadVictims } from './upload.victims';
import type { Done, Told, UploadJob } from './upload.way';

/** From the last kill, or the beginning, to the end of the upload. */
const PATIENCE_MS = 120_000;
const CLIENT_AWAY_MS = 500;

/** What no outage makes true. */
const NO_OUTAGE: ReadonlySet<string> = new Set([
  'CONTENT_LOST',
  'INTERNAL',
  'DIGEST_MISMATCH',
  'SIZE_MISMATCH',
  'CHECKSUM_MISMATCH',
  'STORE_FULL',
  'FILE_NOT_FOUND',
  'INVALID_ARGUMENT',
]);

export const isNoOutage = (reason: string): boolean => NO_OUTAGE.has(reason);

export interface UploadKill {
  victim: VictimName;
  /** Of a client: when the next one was up. */
  at: number;
  /** Until the attempt began that brought something, or met the next kill; undefined: it went on unhurt, or never. */
  resumedMs: number | undefined;
}

export interface UploadingParts {
  victims: UploadVictims;
  reader: FileReader;
  random: SeededRandom;
  started: Started;
  /** All of a job that does not depend on the plan. */
  system: Pick<UploadJob, 'address' | 'gateway' | 'token'>;
}

/** One upload: its clients, what is killed while it goes on, and what is heard of it. */
export class Uploading {
  readonly kills: UploadKill[] = [];
  /** Why attempts failed. */
  readonly failures: string[] = [];
  /** What must not be. */
  readonly faults: string[] = [];
  done: Done | undefined;
  /** All ids that its clients were told. */
  readonly fileIds = new Set<string>();
  /** The most bytes that were sent, and were not there when it was gone on. */
  lostBytes = 0;
  looks = 0;
  isOver = false;
  private fileId = '';
  private promised = 0;
  private sent = 0;
  private mostSent = 0;
  private struck = 0;
  private attemptAt = 0;
  private lastBlow = performance.now();
  private killing: Promise<void> = Promise.resolve();
  private client: UploadClient | undefined;
  private readonly over = Promise.withResolvers<void>();

  constructor(
    readonly plan: UploadPlan,
    private readonly path: string,
    readonly expected: Expected,
    private readonly parts: UploadingParts,
  ) {}

  /** Resolves when it is done, or abandoned, or was waited for in vain: then `done` is undefined. */
  async run(): Promise<void> {
    const { reader, random } = this.parts;
    const watch = new FileWatch(reader, this.expected, random, () => ({ fileId: this.fileId, sent: this.mostSent }));
    const watching = watch.begin();
    this.start();
    const impatience = setInterval(() => this.isOverdue && this.over.resolve(), 1000);
    await this.over.promise;
    clearInterval(impatience);
    // A kill that is under way hits what comes after, and no client is started by it any more.
    this.struck = Infinity;
    await this.killing;
    await this.client?.kill();
    watch.end();
    await watching;
    this.faults.push(...watch.faults);
    this.looks = watch.looks;
    this.settleKills();
    this.isOver = true;
  }

  private get isOverdue(): boolean {
    return performance.now() - this.lastBlow > PATIENCE_MS;
  }

  private start(): void {
    const { way, size, number, announced, bytesPerSecond, pieceBytes } = this.plan;
    const { system, started } = this.parts;
    const own = { way, size, announced, bytesPerSecond, pieceBytes, path: this.path, fileId: this.fileId, filename: `${number}.bin` };
    this.client = new UploadClient({ ...system, ...own }, (told) => this.hear(told), started);
  }

  private hear(told: Told): void {
    switch (told.kind) {
      case 'up': {
        const last = this.kills.at(-1);
        if (last?.victim === 'client') last.at = performance.now();
        break;
      }
      case 'begun':
        this.fileId = told.fileId;
        this.promised = 0;
        this.fileIds.add(told.fileId);
        break;
      case 'promised':
        if (told.bytes < this.promised) this.faults.push(`${told.bytes} bytes were there, after ${this.promised} had been`);
        // What it was gone on with has brought something.
        if (told.bytes > this.promised) this.settleKills();
        this.promised = Math.max(this.promised, told.bytes);
        break;
      case 'goes on':
        this.attemptAt = performance.now();
        this.lostBytes = Math.max(this.lostBytes, this.sent - told.from);
        this.sent = told.from;
        break;
      case 'sent':
        this.sent = told.to;
        this.mostSent = Math.max(this.mostSent, told.to);
        this.strike();
        break;
      case 'failed':
        this.failures.push(told.reason);
        // It has failed then, and is not waited for.
        if (isNoOutage(told.reason)) this.over.resolve();
        break;
      case 'done':
        this.done = told;
        this.fileIds.add(told.fileId);
        this.over.resolve();
    }
  }

  /** The next kill, where its moment has come; one after the other. */
  private strike(): void {
    const next = this.plan.kills[this.struck];
    if (!next || this.sent < next.atBytes) return;
    this.struck++;
    this.killing = this.killing.then(() => this.blow(next));
    this.killing.catch((error: unknown) => this.over.reject(error));
  }

  private async blow({ victim, jitterMs, again }: PlannedKill): Promise<void> {
    await sleep(jitterMs);
    await this.kill(victim);
    if (!again || this.plan.abandoned) return;
    await sleep(again.afterMs);
    await this.kill(again.victim);
  }

  private async kill(victim: VictimName): Promise<void> {
    if (this.done) return;
    this.settleKills();
    const kill = (): void => void this.kills.push({ victim, at: performance.now(), resumedMs: undefined });
    this.lastBlow = performance.now();
    if (victim !== 'client') {
      await this.parts.victims.kill(victim);
      return kill();
    }
    kill();
    await this.client?.kill();
    if (this.done) return;
    if (this.plan.abandoned) return this.over.resolve();
    await sleep(this.parts.random.integer(0, CLIENT_AWAY_MS));
    this.start();
  }

  private settleKills(): void {
    for (const kill of this.kills) {
      if (kill.resumedMs === undefined && this.attemptAt > kill.at) kill.resumedMs = this.attemptAt - kill.at;
    }
  }
}
