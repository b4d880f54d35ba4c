/** What a table shows, as a file: RFC 4180. */

/** A spreadsheet would run a name that begins like a formula; what is a number as a whole stays one. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/
const NUMBER = /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i
const safe = text => (FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text)

const cellOf = value => {
  const text = safe(String(value ?? ''))
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export const csvOf = (head, rows) =>
  `${[head, ...rows].map(row => row.map(cellOf).join(',')).join('\r\n')}\r\n`

/** Gives the file to the browser. */
export function save(name, text) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
