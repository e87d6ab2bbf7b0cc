import { readFileSync } from 'node:fs';
import type { Started } from './started';

const EVERY_MS = 500;

export interface MemoryPeak {
  /** The largest of the samples, in MiB. */
  sampled: number;
  /** The kernel's own record of the largest since the process began (VmHWM), in MiB. */
  highWater: number;
  samples: number;
}

/** Resident memory of processes, from /proc, twice a second (Linux). */
export class MemorySampler<Name extends string> {
  private readonly peaks = new Map<Name, MemoryPeak>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly pids: Record<Name, number>,
    started: Started,
  ) {
    this.sample();
    this.timer = setInterval(() => this.sample(), EVERY_MS);
    started.onEnd(() => clearInterval(this.timer));
  }

  stop(): Record<Name, MemoryPeak> {
    this.sample();
    clearInterval(this.timer);
    return Object.fromEntries(this.peaks) as Record<Name, MemoryPeak>;
  }

  private sample(): void {
    for (const [name, pid] of Object.entries(this.pids) as [Name, number][]) {
      const memory = memoryOf(pid);
      const peak = this.peaks.get(name) ?? { sampled: 0, highWater: 0, samples: 0 };
      // A process that has ended: the round finds out by its pid.
      if (!memory) continue;
      this.peaks.set(name, {
        sampled: Math.max(peak.sampled, memory.resident),
        highWater: Math.max(peak.highWater, memory.highWater),
        samples: peak.samples + 1,
      });
    }
  }
}

function memoryOf(pid: number): { resident: number; highWater: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const mebibytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024;
    return { resident: mebibytes('VmRSS'), highWater: mebibytes('VmHWM') };
  } catch {
    return undefined;
  }
}
