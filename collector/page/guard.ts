/** What every request of the page has to pass: GET, our own name, and a session or the link that begins one. */

import type { IncomingMessage } from 'node:http'
import type { Address, Answer, Answers } from '../routes.ts'
import type { Links } from './links.ts'
import { isLoopback, isOurs } from './names.ts'
import type { Sessions } from './sessions.ts'

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
}
const HTML = 'text/html; charset=utf-8'

export interface Door {
  /** As it was asked for, and the names besides. */
  readonly address: Address
  readonly names: readonly string[]
  /** The browser speaks TLS with us, or with a proxy. */
  readonly isEncrypted: boolean
  readonly links: Links
  readonly sessions: Sessions
}

/** Refused requests, by reason. */
export type Refusals = Record<'method' | 'host' | 'link' | 'session' | 'site', number>

/** @param inside answers what has passed */
export function guarded(door: Door, refused: Refusals, inside: Answers): Answers {
  const check = (request: IncomingMessage): Answer | undefined => {
    const { method, headers, url = '/' } = request
    if (method !== 'GET' && method !== 'HEAD')
      return refusal(refused, 'method', 405, 'This page is read only.', { allow: 'GET, HEAD' })
    if (!isOurs(headers.host, door.address, door.names))
      return refusal(
        refused,
        'host',
        421,
        'This page is not known by that name: give it to the collector with --http-name.',
      )
    const isIn = door.sessions.isOpen(cookieOf(request))
    const token = new URL(url, 'http://localhost').searchParams.get('token')
    if (token !== null) return isIn ? moved() : enter(request, token)
    if (!isIn)
      return refusal(
        refused,
        'session',
        401,
        'This page needs a link: open the one that sockflux run shows, or ask for one with sockflux page.',
      )
    const site = headers['sec-fetch-site']
    if (url.startsWith('/api/') && site !== undefined && site !== 'same-origin' && site !== 'none')
      return refusal(refused, 'site', 403, 'Other sites cannot ask here.')
    return undefined
  }

  const enter = ({ method, headers }: IncomingMessage, token: string): Answer => {
    // a browser that looks ahead would use the link before anybody clicks it
    if (method !== 'GET' || headers['sec-purpose'] !== undefined)
      return { status: 503, type: HTML, body: page('Open this link with a click.') }
    if (!door.links.use(token))
      return refusal(
        refused,
        'link',
        403,
        'This link was used or is too old: open the one that sockflux run shows, or ask for one with sockflux page.',
      )
    const secure = door.isEncrypted ? '; Secure' : ''
    const cookie = `${nameOf(headers.host)}=${door.sessions.begin()}; Path=/; HttpOnly; SameSite=Strict${secure}`
    return { ...moved(), headers: { 'set-cookie': cookie } }
  }

  return async (request, gone) => {
    const answer = check(request) ?? (await inside(request, gone))
    return { ...answer, headers: { ...HEADERS, ...answer.headers } }
  }
}

/** Cookies do not keep ports apart: two collectors of one machine have one each. */
const nameOf = (host: string | undefined): string => `sockflux_${/:(\d+)$/.exec(host ?? '')?.[1] ?? 'page'}`

function cookieOf({ headers }: IncomingMessage): string {
  const name = nameOf(headers.host)
  const cookies = (headers.cookie ?? '').split(';').map(cookie => cookie.trim())
  return cookies.find(cookie => cookie.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
}

/**
 * To the page itself, whose address has no token. Not by a 303: after a click elsewhere its request would come from there,
 * without the cookie.
 */
const moved = (): Answer => ({
  type: HTML,
  body: page('<a href="/">Sockflux</a>', '<meta http-equiv="refresh" content="0; url=/">'),
})

function refusal(
  refused: Refusals,
  reason: keyof Refusals,
  status: number,
  sentence: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  refused[reason]++
  return { status, type: HTML, headers: { ...headers, connection: 'close' }, body: page(sentence) }
}

const page = (content: string, head = ''): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">${head}<title>Sockflux</title><main><h1>Sockflux</h1><p>${content}</p></main></html>\n`

/** What is at the address, for a start that is to be refused. */
export const needsTls = (address: Address, isEncrypted: boolean): boolean =>
  !isLoopback(address) && !isEncrypted
