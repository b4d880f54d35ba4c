/** Debian's changelog of this version, from the newest part of CHANGELOG.md. */

import { wrapped } from './text.ts'

interface Release {
  readonly version: string
  readonly maintainer: string
  /** Seconds since 1970. */
  readonly seconds: number
}

/** @param markdown CHANGELOG.md: parts begin with `## `, entries with `- `, their further lines are indented */
export function changelog(markdown: string, { version, maintainer, seconds }: Release): string {
  const newest = markdown.split(/^## .*$/m)[1] ?? ''
  const entries = newest
    .split(/^(?=- )|\n(?=\n|#)/m)
    .filter(text => text.startsWith('- '))
    .map(text => text.slice(2))
  const lines = entries.flatMap(text =>
    wrapped(text, 74).map((line, index) => `${index === 0 ? '  * ' : '    '}${line}`),
  )
  // deb-changelog(5): the date of RFC 5322
  const date = new Date(seconds * 1000).toUTCString().replace('GMT', '+0000')
  return `sockflux (${version}) unstable; urgency=medium\n\n${lines.join('\n')}\n\n -- ${maintainer}  ${date}\n`
}
