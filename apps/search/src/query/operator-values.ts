import { numberOf } from './query';

const DAY = /^(\d{4})(?:([-/])(\d{1,2})(?:\2(\d{1,2}))?)?$/;
const BEGINS_WITH_DAY = /^\d{4}-\d{2}-\d{2}/;
/** Fewer digits are a year, or a day without its dashes; more are milliseconds. */
const UNIX_SECONDS = /^\d{9,11}$/;
const AGE = /^(\d{1,4})([hdwmy])$/i;
const SIZE = /^(\d{1,15}(?:\.\d{1,3})?)([kmg]?)b?$/i;

const HOUR = 3600;
const KIBI = 1024;

/** Unix seconds of a day's, month's or year's beginning (UTC), of an ISO 8601 time, or as they are. */
export function numberOfTime(value: string): number | undefined {
  if (UNIX_SECONDS.test(value)) return Number(value);
  const [, year, , month = '1', day = '1'] = DAY.exec(value) ?? [];
  const time = year === undefined ? value.toUpperCase() : `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  return BEGINS_WITH_DAY.test(time) ? numberOf(time) : undefined;
}

/** Unix seconds of what was so long ago: `7d`. Months and years are those of the calendar. */
export function numberOfAge(value: string, now: Date): number | undefined {
  const [, digits, unit] = AGE.exec(value) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const seconds = Math.floor(now.getTime() / 1000);
  switch (unit.toLowerCase()) {
    case 'h':
      return seconds - Number(digits) * HOUR;
    case 'd':
      return seconds - Number(digits) * 24 * HOUR;
    case 'w':
      return seconds - Number(digits) * 7 * 24 * HOUR;
    case 'm':
      return monthsBefore(seconds, Number(digits));
    default:
      return monthsBefore(seconds, Number(digits) * 12);
  }
}

/** The same day and time of an earlier month; its last day where that month is shorter. */
function monthsBefore(seconds: number, months: number): number {
  const date = new Date(seconds * 1000);
  const day = date.getUTCDate();
  date.setUTCMonth(date.getUTCMonth() - months);
  // The 31st of a month of 30 days is the 1st of the next: day 0 of that one is the last that was meant.
  if (date.getUTCDate() !== day) date.setUTCDate(0);
  return date.getTime() / 1000;
}

/** Bytes; K, M and G are powers of 1024. */
export function numberOfSize(value: string): number | undefined {
  const [, digits, unit] = SIZE.exec(value) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const bytes = Math.round(Number(digits) * KIBI ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase()));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
