/** Numbers and times as a person reads them, in the language of the console. */

import { language } from '../language.ts';

const absent = '–';

/** `12,345`. */
export function count(value: number): string {
  return new Intl.NumberFormat(language()).format(value);
}

/** `3.5%` of 0.035. */
export function percent(rate: number): string {
  return new Intl.NumberFormat(language(), {
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  }).format(rate);
}

/** `22 Nov 2026, 14:03` in the time of the browser. */
export function time(iso: string | null): string {
  if (iso === null) return absent;
  return new Intl.DateTimeFormat(language() === 'en' ? 'en-GB' : 'ko-KR', {
    dateStyle: 'medium',
    timeStyle: 'short',
  }).format(new Date(iso));
}

/** The same to the second. */
export function exactTime(iso: string): string {
  return new Intl.DateTimeFormat(language() === 'en' ? 'en-GB' : 'ko-KR', {
    dateStyle: 'medium',
    timeStyle: 'medium',
  }).format(new Date(iso));
}

/** `22 Nov` of a day in UTC, `2026-11-22`. */
export function day(text: string): string {
  return new Intl.DateTimeFormat(language() === 'en' ? 'en-GB' : 'ko-KR', {
    day: 'numeric',
    month: 'short',
    timeZone: 'UTC',
  }).format(new Date(text));
}

/** `412.5 kB`. */
export function bytes(value: number): string {
  if (value < 1_000) return `${count(value)} B`;
  if (value < 1_000_000) return `${count(Math.round(value / 100) / 10)} kB`;
  return `${count(Math.round(value / 100_000) / 10)} MB`;
}

/** `12.4 ms`. */
export function milliseconds(value: number): string {
  return `${new Intl.NumberFormat(language(), { maximumFractionDigits: 1 }).format(value)} ms`;
}
