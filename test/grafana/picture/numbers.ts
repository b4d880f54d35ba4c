/** Numbers as Grafana's units write them. */

const PREFIXES = ['', 'k', 'M', 'G', 'T']
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti']

/** Three digits. */
const short = (value: number): string =>
  value === 0 ? '0' : Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)))

function prefixed(value: number, base: number, prefixes: readonly string[], unit: string): string {
  let at = 0
  let rest = value
  while (Math.abs(rest) >= base && at < prefixes.length - 1) {
    rest /= base
    at++
  }
  return `${short(rest)} ${prefixes[at]}${unit}`.trim()
}

const UNITS: Readonly<Record<string, (value: number) => string>> = {
  short: value => prefixed(value, 1000, PREFIXES, ''),
  cps: value => prefixed(value, 1000, PREFIXES, '/s'),
  pps: value => prefixed(value, 1000, PREFIXES, 'p/s'),
  bytes: value => prefixed(value, 1024, BINARY, 'B'),
  Bps: value => prefixed(value, 1000, PREFIXES, 'B/s'),
  ms: value => (value >= 1000 ? `${short(value / 1000)} s` : `${short(value)} ms`),
  s: value => `${short(value)} s`,
  percent: value => `${short(value)} %`,
  percentunit: value => `${short(value * 100)} %`,
}

export const written = (value: number, unit: string): string => UNITS[unit]!(value)

/** A round number above all values, of four equal steps. */
export function topOf(largest: number, unit: string): number {
  if (largest <= 0) return 4
  const base = unit === 'bytes' ? 2 : 10
  const step = largest / 4
  const power = base ** Math.floor(Math.log(step) / Math.log(base))
  const steps = base === 2 ? [1, 1.25, 1.5, 2] : [1, 2, 2.5, 5, 10]
  return 4 * power * steps.find(factor => factor * power >= step)!
}
