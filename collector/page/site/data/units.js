/** Numbers as people read them. */

export const count = value =>
  value === null ? '–' : value.toLocaleString('en', { maximumFractionDigits: 1 })

/** From milliseconds. */
export function time(ms) {
  if (ms === null || ms === undefined) return '–'
  if (ms === 0) return '0 ms'
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`
  return `${ms.toFixed(ms < 1 ? 3 : ms < 100 ? 2 : 0)} ms`
}

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

export function bytes(value) {
  if (value === null || value === undefined) return '–'
  const power = value < 1000 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log10(value) / 3))
  const scaled = value / 1000 ** power
  return `${power === 0 ? Math.round(scaled) : scaled.toFixed(scaled < 10 ? 2 : scaled < 100 ? 1 : 0)} ${SIZES[power]}`
}

export const rate = value => (value === null ? '–' : `${bytes(value)}/s`)

/** Of things that are counted, per second. */
export const often = value =>
  value === null
    ? '–'
    : value === 0
      ? '0'
      : value < 0.1
        ? value.toFixed(2)
        : value < 10
          ? value.toFixed(1)
          : count(Math.round(value))

/** From seconds. */
export function age(seconds) {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return seconds < 129_600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}
