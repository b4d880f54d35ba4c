/** What is there, as far as it is asked for, and nothing besides: `match` passes with more elements and with longer texts. */

import type { Test } from 'tap'

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

/** The fields that are wanted, of what was found; a text that fits a pattern is that pattern. */
export function picked(found: unknown, wanted: unknown): unknown {
  if (wanted instanceof RegExp) return typeof found === 'string' && wanted.test(found) ? wanted : found
  if (!isFields(wanted) || !isFields(found)) return found
  return Object.fromEntries(Object.entries(wanted).map(([name, some]) => [name, picked(found[name], some)]))
}

/** These, in this order, and no others. */
export function only(t: Test, found: readonly unknown[], wanted: readonly unknown[], message?: string): void {
  const shown = found.map((one, at) => (at < wanted.length ? picked(one, wanted[at]) : one))
  t.strictSame(shown, wanted, ...(message === undefined ? [] : [message]))
}
