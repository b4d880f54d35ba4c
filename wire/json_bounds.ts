/**
 * JSON from the network is bounded before it is parsed: what is made of it takes up to sixty times the room of its text (`{},{},…`).
 * A host with 32,768 containers in pods, with all their names and labels, has 15 MB with 393,000 values.
 */

const MAX_BYTES = 24 * 2 ** 20
const MAX_VALUES = 500_000
/** Names have four levels, layouts three. */
const MAX_DEPTH = 8

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * @param maxBytes of this frame
 * @returns why it is not to be parsed
 */
export function jsonFault(text: Buffer, maxBytes = MAX_BYTES): string | undefined {
  if (text.length > maxBytes) return `has ${text.length} bytes, and ${maxBytes} are the most`
  let [depth, values] = [0, 1]
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]!
    if (byte === QUOTE) at = endOfString(text, at)
    else if (byte === COMMA) values++
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      values++
      if (++depth > MAX_DEPTH) return `is nested deeper than ${MAX_DEPTH} levels`
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth--
    if (values > MAX_VALUES) return `has more than ${MAX_VALUES} values`
  }
  return undefined
}

/** @returns the place of the closing quote; the end of the text when there is none, which is no JSON */
function endOfString(text: Buffer, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1
  return at
}
