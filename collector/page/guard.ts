/** What every request of the page has to pass: GET, our own name, and a session or the link that begins one. */

import type { IncomingMessage } from 'node:http'
import type { Address, Answer, Answers } from '../routes.ts'
import { type Links, newSecret } from './links.ts'
import { isOurs } from './names.ts'
import type { Session, Sessions } from './sessions.ts'

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
  /** The browser speaks TLS: with us or, by one of the names, with a proxy. Without it only this machine is let in. */
  readonly tls: 'ours' | 'proxy' | 'none'
  readonly links: Links
  readonly sessions: Sessions
}

/** Refused requests, by reason. */
export type Refusals = Record<'method' | 'address' | 'host' | 'link' | 'session' | 'site', number>

/** A request that has passed: its address, read once, and whose it is. */
export interface Visit {
  readonly url: URL
  readonly session: Session
}

/** @param inside answers what has passed */
export function guarded(
  door: Door,
  refused: Refusals,
  inside: (visit: Visit, ...of: Parameters<Answers>) => Promise<Answer>,
): Answers {
  const check = (url: URL, request: IncomingMessage): Answer | Visit => {
    const { method, headers } = request
    if (method !== 'GET' && method !== 'HEAD')
      return refusal(refused, 'method', 405, 'This page is read only.', { allow: 'GET, HEAD' })
    if (!isOurs(headers.host, door.address, door.names, door.tls === 'proxy'))
      return refusal(
        refused,
        'host',
        421,
        'This page is not known by that name: give it to the collector with --http-name.',
      )
    const session = door.sessions.find(cookieOf(request))
    const token = url.searchParams.get('token')
    if (token !== null) return session ? again(request, token) : enter(request, token)
    if (!session)
      return refusal(
        refused,
        'session',
        401,
        'This page needs a link: open the one that sockflux run shows, or ask for one with sockflux page. A browser that has opened one goes on at the address that it led to.',
      )
    const site = headers['sec-fetch-site']
    if (url.pathname.startsWith('/api/') && site !== undefined && site !== 'same-origin' && site !== 'none')
      return refusal(refused, 'site', 403, 'Other sites cannot ask here.')
    return { url, session }
  }

  /** It is used up here, too: what is left of it is in a history, or on a screen. */
  const again = (request: IncomingMessage, token: string): Answer => {
    if (isClick(request)) door.links.use(token)
    return moved('./')
  }

  const enter = (request: IncomingMessage, token: string): Answer => {
    const { headers } = request
    if (!isClick(request)) return { status: 503, type: HTML, body: page('Open this link with a click.') }
    if (!door.links.use(token))
      return refusal(
        refused,
        'link',
        403,
        'This link was used or is too old: open the one that sockflux run shows, or ask for one with sockflux page.',
      )
    const place = newPlace()
    const secure = door.tls === 'none' ? '' : '; Secure'
    const cookie = `${nameOf(headers.host)}=${door.sessions.begin()}; Path=${place}; HttpOnly; SameSite=Strict${secure}`
    return { ...moved(place), headers: { 'set-cookie': cookie } }
  }

  return async (request, gone) => {
    const url = urlOf(request)
    const found = url ? check(url, request) : refusal(refused, 'address', 400, 'This address cannot be read.')
    const answer = 'session' in found ? await inside(found, request, gone) : found
    return { ...answer, headers: { ...HEADERS, ...answer.headers } }
  }
}

/**
 * What is before the path in a session: as long as nobody guesses, and not kept here. A browser sends a cookie to all ports of a
 * name, so to servers of other users of this machine, but only below the path that the cookie is for.
 */
const newPlace = (): string => `/~${newSecret()}/`
const PLACE = /^\/~[\w-]{32}(?=\/)/

/** The path as it is written, without its place: `//x/y` names no host. */
const urlOf = ({ url = '' }: IncomingMessage): URL | undefined =>
  url.startsWith('/') ? (URL.parse(`http://localhost${url.replace(PLACE, '')}`) ?? undefined) : undefined

/** A browser that looks ahead would use the link before anybody clicks it. */
const isClick = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && headers['sec-purpose'] === undefined

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
const moved = (to: string): Answer => ({
  type: HTML,
  body: page(`<a href="${to}">Sockflux</a>`, `<meta http-equiv="refresh" content="0; url=${to}">`),
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
