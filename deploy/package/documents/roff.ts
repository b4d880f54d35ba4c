/** The few requests of man(7) that the manual uses. */

/** A backslash, a hyphen and what would be a request at a line's start. */
export const escaped = (text: string): string =>
  text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^([.'])/gm, '\\&$1')

export const heading = (text: string): string => `.SH ${text.toUpperCase()}`
export const subheading = (text: string): string => `.SS ${escaped(text)}`
export const paragraph = (text: string): string => `.PP\n${escaped(text)}`
export const bold = (text: string): string => `\\fB${escaped(text)}\\fR`
export const italic = (text: string): string => `\\fI${escaped(text)}\\fR`
/** A term, in bold, with its explanation indented below. */
export const term = (name: string, text: string): string => `.TP\n${bold(name)}\n${escaped(text)}`
export const example = (lines: readonly string[]): string =>
  `.PP\n.RS 4\n.nf\n${lines.map(escaped).join('\n')}\n.fi\n.RE`

/** @param date as YYYY-MM-DD */
export function page(
  name: string,
  section: number,
  { date, version }: { readonly date: string; readonly version: string },
  parts: readonly string[],
): string {
  const head = `.TH ${name.toUpperCase().replaceAll('-', '\\-')} ${section} "${date}" "Sockflux ${version}" "Sockflux"`
  return `${[head, ...parts].join('\n')}\n`
}
