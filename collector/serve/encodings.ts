/** Whether an answer may be compressed: the `Accept-Encoding` of a request, RFC 9110 §12.5.3. */

/** RFC 9110 §12.4.2: from 0 to 1, at most three digits. */
const QUALITY = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i

/** @returns true when gzip is accepted, and no plain answer is preferred to it */
export function acceptsGzip(header = ''): boolean {
  const accepted = new Map(header.split(',').map(codingOf))
  // `x-gzip` is the same, RFC 9110 §8.4.1.3; `*` is every coding that is not listed
  const gzip = accepted.get('gzip') ?? accepted.get('x-gzip') ?? accepted.get('*') ?? 0
  return gzip > 0 && gzip >= (accepted.get('identity') ?? 0)
}

/** A quality that cannot be read is 0: a plain answer is right for everybody. */
function codingOf(text: string): [coding: string, quality: number] {
  const [coding = '', ...parameters] = text.split(';').map(part => part.trim())
  const [quality] = parameters
  if (quality === undefined) return [coding.toLowerCase(), 1]
  return [coding.toLowerCase(), Number(QUALITY.exec(quality)?.[1] ?? 0)]
}
