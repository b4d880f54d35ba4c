/**
 * A text as other machines write it, without the byte-order mark.
 * @throws for what is none; a byte that is no UTF-8 was read as U+FFFD, and UTF-16 has zeros
 */
export function textOf(read: string): string {
  const whole = read.replace(/^\ufeff/, '')
  if (/^\ufffd/.test(whole) || whole.includes('\0'))
    throw new Error('it is no text in UTF-8: the > of PowerShell, for one, writes UTF-16')
  return whole
}
