/** Numbers as people read them. No value is a dash, never 0. */

const STEPS = ['', 'k', 'M', 'G', 'T', 'P']
const NONE = '-'

/** 1000 to a step. Three digits at most, so that a column does not jump. */
function scaled(value: number): { number: string; step: string } {
  let [number, step] = [value, 0]
  // 999.6 is not shown as 1000
  while (number >= 999.5 && step < STEPS.length - 1) {
    number /= 1000
    step++
  }
  const digits = step === 0 && Number.isInteger(number) ? 0 : number < 9.95 ? 1 : 0
  return { number: number.toFixed(digits), step: STEPS[step]! }
}

export const UNITS = ['bytes', 'bits'] as const
export type Unit = (typeof UNITS)[number]

const SIGNS: Readonly<Record<Unit, { factor: number; sign: string }>> = {
  bytes: { factor: 1, sign: 'B' },
  bits: { factor: 8, sign: 'bit' },
}

/** `9.3 MB`. */
export function amount(bytes: number, unit: Unit): string {
  const { factor, sign } = SIGNS[unit]
  const { number, step } = scaled(bytes * factor)
  return `${number} ${step}${sign}`
}

/** `9.3 MB/s`; nothing at all is `0`, less than a byte `<1 B/s`. */
export const rate = (perSecond: number, unit: Unit): string => {
  if (perSecond === 0) return '0'
  return perSecond * SIGNS[unit].factor < 1 ? `<1 ${SIGNS[unit].sign}/s` : `${amount(perSecond, unit)}/s`
}

/** Of things: `1234` is `1.2k`. */
export function count(value: number): string {
  if (value < 10_000) return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 1 : 0)
  const { number, step } = scaled(value)
  return `${number}${step}`
}

/** `0.055`, `2.46`, `14.1`, `250`. */
export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE
  return value.toFixed(value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0)
}

export function share(value: number | null): string {
  if (value === null) return NONE
  const percent = value * 100
  return percent === 0 ? '0' : percent < 0.1 ? '<0.1 %' : `${percent.toFixed(percent < 10 ? 1 : 0)} %`
}

const AGES = [
  { from: 86_400, sign: 'd' },
  { from: 3600, sign: 'h' },
  { from: 60, sign: 'min' },
] as const

/** @param seconds `41 s`, `3 min`, `5 h` */
export function age(seconds: number): string {
  const step = AGES.find(({ from }) => seconds >= from)
  return step ? `${Math.floor(seconds / step.from)} ${step.sign}` : `${Math.max(0, Math.floor(seconds))} s`
}
