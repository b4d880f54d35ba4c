/**
 * The API server of a kubeconfig file's current context. What runs a program to get in (`exec`) or needs a browser is refused: a
 * collector is a service, and a token of a service account does it.
 */

import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { elements, type Json, member, record, text } from '../json.ts'
import type { Access, Server } from './server.ts'

const MAX_BYTES = 2 ** 20

/** @throws with the file, what is wrong in it, and what is to be there */
export function kubeconfig(path: string): Server {
  const server: Server = { name: '', access: () => accessOf(path) }
  return { ...server, name: server.access().url.origin }
}

function accessOf(path: string): Access {
  try {
    const bytes = readFileSync(path)
    if (bytes.length > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES / 2 ** 20} MB`)
    return accessIn(parse(bytes.toString()), dirname(path))
  } catch (error) {
    const [line] = (error as Error).message.split('\n')
    throw new Error(`the kubeconfig ${path} cannot be used: ${line}`)
  }
}

function accessIn(config: unknown, directory: string): Access {
  const whole = record(config)
  const current = text(whole['current-context'])
  if (current === '') throw new Error('it has no current-context: kubectl config use-context sets one')
  const context = member(entry(whole, 'contexts', current), 'context')
  const cluster = member(entry(whole, 'clusters', text(context['cluster'])), 'cluster')
  const user = member(entry(whole, 'users', text(context['user'])), 'user')
  const url = urlOf(text(cluster['server']))
  if (cluster['insecure-skip-tls-verify'] === true)
    throw new Error(
      'insecure-skip-tls-verify would give the token to anybody: give certificate-authority instead',
    )
  if (cluster['proxy-url'] !== undefined)
    throw new Error(
      `proxy-url is not supported: give a server that is reached without it, and leave proxy-url out`,
    )
  if (user['as'] !== undefined || user['as-uid'] !== undefined)
    throw new Error(
      'as (another account) is not supported: give a token of that account (kubectl create token)',
    )
  for (const name of ['exec', 'auth-provider', 'username'])
    if (user[name] !== undefined)
      throw new Error(`${name} is not supported: give a token (kubectl create token) or a client certificate`)
  const data = (from: Json, name: string) => dataOf(from, name, directory)
  const [ca, cert, key] = [
    data(cluster, 'certificate-authority'),
    data(user, 'client-certificate'),
    data(user, 'client-key'),
  ]
  const token =
    user['tokenFile'] === undefined
      ? text(user['token'])
      : readFileSync(resolve(directory, text(user['tokenFile'])), 'utf8').trim()
  if (url.protocol === 'http:' && token !== '')
    throw new Error(`the token would go to ${url.origin} in the clear: give an https:// server`)
  const servername = text(cluster['tls-server-name'])
  return {
    url,
    headers: token === '' ? {} : { authorization: `Bearer ${token}` },
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(servername !== '' && { servername }),
  }
}

function entry(config: Json, list: string, name: string): Json {
  const found = elements(config[list]).find(one => one['name'] === name)
  if (!found) throw new Error(`${list} has no ${name === '' ? 'entry that the context names' : name}`)
  return found
}

function urlOf(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new Error(`server is ${server || 'missing'}: it is to be like https://10.0.0.1:6443`)
  return url
}

/** In the file, or in one of its own beside it. */
function dataOf(from: Json, name: string, directory: string): string | undefined {
  const inline = text(from[`${name}-data`])
  if (inline !== '') return Buffer.from(inline, 'base64').toString()
  const file = text(from[name])
  return file === '' ? undefined : readFileSync(resolve(directory, file), 'utf8')
}
