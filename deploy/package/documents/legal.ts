/** The file `copyright`: our licence, Node.js's, and those of each bundled module (Debian's machine-readable format). */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { modules, ROOT } from '../../runtime.ts'

const LIB = 'usr/lib/sockflux'
const APACHE =
  'On Debian systems the text of the Apache License, version 2.0, is in /usr/share/common-licenses/Apache-2.0.'

export async function copyright(isBundled: (module: string) => boolean): Promise<string> {
  const bundled = (await modules()).filter(isBundled)
  const own = read('LICENSE')
  return [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: Sockflux',
    stanza('*', holdersIn(own) ?? 'Sockflux contributors', 'MIT', own),
    stanza(
      `${LIB}/build/bpf/*`,
      holdersIn(own) ?? 'Sockflux contributors',
      'MIT or GPL-2',
      `${own}\n\nOn Debian systems the text of the GNU General Public License, version 2, is in /usr/share/common-licenses/GPL-2.`,
    ),
    stanza(`${LIB}/build/node/*`, 'Node.js contributors', 'Node.js', read('build/node/LICENSE')),
    ...bundled.map(ofModule),
  ].join('\n\n')
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

const holdersIn = (text: string): string | undefined => {
  const lines = text.split('\n').filter(line => /^\W*copyright\b.*(\d{4}|\(c\)|©)/i.test(line))
  return lines.length === 0 ? undefined : lines.map(line => line.trim()).join('\n  ')
}

function ofModule(path: string): string {
  const { license = 'unknown', author, version } = JSON.parse(read(`${path}/package.json`))
  const files = readdirSync(join(ROOT, path)).filter(name => /^(licen[cs]e|copying|notice)/i.test(name))
  const text =
    files.length > 0
      ? files.map(name => read(`${path}/${name}`)).join('\n')
      : `As its package.json says: ${license}.`
  const maker = typeof author === 'string' ? author : author?.name
  const name = path.replace(/^.*node_modules\//, '')
  return stanza(
    `${LIB}/${path}/*`,
    holdersIn(text) ?? maker ?? `the authors of ${name} ${version}`,
    String(license),
    text,
  )
}

/** Debian has the text of this licence once, for all. */
const APACHE_TEXT =
  /^ *Apache License\n *Version 2\.0, January 2004\n[\s\S]*?END OF TERMS AND CONDITIONS\n(\s*APPENDIX: [\s\S]*?limitations under the License\.\n)?/gm

const indented = (text: string): string =>
  text
    .replace(/\r/g, '')
    .replace(APACHE_TEXT, `${APACHE}\n`)
    .trim()
    .split('\n')
    .map(line => ` ${line.trim() === '' ? '.' : line.trimEnd()}`)
    .join('\n')

const stanza = (files: string, holders: string, license: string, text: string): string =>
  `Files: ${files.replaceAll(' ', '?')}\nCopyright: ${holders}\nLicense: ${license.replace(/[()]/g, '')}\n${indented(text)}`
