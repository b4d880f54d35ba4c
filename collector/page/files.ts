/** The files of the page, as they are in the folder `site/`, and the library that draws its charts. */

import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Answer } from '../routes.ts'
import { acceptsGzip } from '../serve/encodings.ts'

const SITE = join(import.meta.dirname, 'site')
const UPLOT = dirname(createRequire(import.meta.url).resolve('uplot/package.json'))
const LIBRARY = { '/uplot.js': 'dist/uPlot.esm.js', '/uplot.css': 'dist/uPlot.min.css' }

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

interface File {
  readonly type: string
  readonly plain: Buffer
  readonly zipped: Buffer
  readonly etag: string
}

export class Files {
  readonly #files: ReadonlyMap<string, File>

  /** @throws when the installation is not whole */
  constructor() {
    const own = globSync('**/*.{html,css,js,svg}', { cwd: SITE }).map(
      path => [`/${path}`, join(SITE, path)] as const,
    )
    const library = Object.entries(LIBRARY).map(([path, file]) => [path, join(UPLOT, file)] as const)
    // what browsers ask for where no page names an icon
    const icon = ['/favicon.ico', join(SITE, 'icon.svg')] as const
    this.#files = new Map([...own, ...library, icon].map(([path, file]) => [path, read(file)]))
    if (!this.#files.has('/index.html')) throw new Error(`${SITE} has no files: install Sockflux again`)
  }

  /** @returns undefined when there is no such file */
  answer(path: string, { headers }: IncomingMessage): Answer | undefined {
    const file = this.#files.get(path === '/' ? '/index.html' : path)
    if (!file) return undefined
    const { type, plain, zipped, etag } = file
    const more = { etag, 'cache-control': 'no-cache', vary: 'accept-encoding' }
    if (headers['if-none-match'] === etag) return { status: 304, type, headers: more, body: '' }
    if (!acceptsGzip(headers['accept-encoding']?.toString())) return { type, headers: more, body: plain }
    return { type, headers: { ...more, 'content-encoding': 'gzip' }, body: zipped }
  }
}

function read(path: string): File {
  const plain = readFileSync(path)
  const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`
  return { type: TYPES[extname(path)]!, plain, zipped: gzipSync(plain, { level: 9 }), etag }
}
