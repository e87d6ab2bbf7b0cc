import { readFileSync } from 'node:fs';
import type { LineChart } from './line-chart';
import type { Started } from './started';

const EVERY_MS = 250;
/** So many samples are what a process takes before it is asked for more. */
const BASELINE_SAMPLES = 12;

interface Sample<Name extends string> {
  seconds: number;
  /** MiB; NaN: the process has ended. */
  resident: Record<Name, number>;
}

/** Resident memory of processes over time, from /proc, four times a second (Linux). */
export class MemoryCurve<Name extends string> {
  private readonly samples: Sample<Name>[] = [];
  private readonly marks: { x: number; text: string }[] = [];
  private readonly beganAt = performance.now();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly pids: Record<Name, number>,
    started: Started,
  ) {
    this.sample();
    this.timer = setInterval(() => this.sample(), EVERY_MS);
    started.onEnd(() => clearInterval(this.timer));
  }

  get count(): number {
    return this.samples.length;
  }

  /** What happens from now on. */
  mark(text: string): void {
    this.marks.push({ x: this.now(), text });
  }

  /** The highest of the last three seconds, from which growth is counted from now on. */
  baseline(name: Name): { seconds: number; mebibytes: number } {
    return { seconds: this.now(), mebibytes: Math.max(...this.samples.slice(-BASELINE_SAMPLES).map(({ resident }) => resident[name])) };
  }

  /** The highest since then, up to now. */
  peakSince(name: Name, { seconds }: { seconds: number }): number {
    this.sample();
    return Math.max(...this.samples.filter((sample) => sample.seconds >= seconds).map(({ resident }) => resident[name]));
  }

  chart(title: string, colors: Record<Name, string>): LineChart {
    const names = Object.keys(this.pids) as Name[];
    return {
      title,
      unit: 'MiB',
      marks: this.marks,
      series: names.map((name) => ({
        name,
        color: colors[name],
        points: this.samples.map(({ seconds, resident }) => [seconds, resident[name]] as const),
      })),
    };
  }

  private now(): number {
    return (performance.now() - this.beganAt) / 1000;
  }

  private sample(): void {
    const entries = Object.entries<number>(this.pids).map(([name, pid]) => [name, residentOf(pid)]);
    this.samples.push({ seconds: this.now(), resident: Object.fromEntries(entries) as Record<Name, number> });
  }
}

function residentOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  } catch {
    return NaN;
  }
}
