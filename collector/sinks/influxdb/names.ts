/**
 * Escapes names and tag values for line protocol. Servers read a backslash in different ways: InfluxDB 1 reads `\\` as two,
 * VictoriaMetrics, Telegraf and InfluxDB 3 as one; `\\,` ends the value for some; at the end it escapes the next
 * character. So a backslash is written only where all of them agree: before an ordinary character.
 */

/** Replaces a backslash before a backslash, comma, equals sign, blank or quote, and at the end: `C:\ D` is `C:/ D`. */
const FOR_BACKSLASH = '/'
/** Replaces a control character: InfluxDB 1 repeats the line in a header, where none is allowed, and a newline ends the line. */
const FOR_CONTROL = '\u{fffd}'

/** Characters that need escaping; most names have none. */
const SPECIAL = /[\p{Cc}\\,= ]/u

/** A tag's name or value, or a field's name. */
export function tagText(text: string): string {
  if (!SPECIAL.test(text)) return text
  return clean(text).replace(/[,= ]/g, '\\$&')
}

/** A line that begins with `#` is a comment. */
export function measurementName(text: string): string {
  return clean(text).replace(/^#/, FOR_CONTROL).replace(/[, ]/g, '\\$&')
}

function clean(text: string): string {
  return text.replace(/\p{Cc}/gu, FOR_CONTROL).replace(/\\(?=[\\,= "]|$)/g, FOR_BACKSLASH)
}
