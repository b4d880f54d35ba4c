/**
 * The API server of a kubeconfig file's current context. What runs a program to get in (`exec`) or needs a browser is refused: a
 * collector is a service, and a token of a service account does it.
 */

import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parse } from 'yaml'
import { certificateTextFault } from '../../certificate.ts'
import { elements, type Json, member, record, text } from '../json.ts'
import { textOf } from '../utf8.ts'
import { credentialsOf, dataOf, refuse, throwFault } from './credentials.ts'
import type { Access, Server } from './server.ts'

const MAX_BYTES = 2 ** 20

/** What would change who is asked: without it the answer is another one. */
const REFUSED = {
  'insecure-skip-tls-verify': 'it would give the token to anybody: give certificate-authority instead',
  'proxy-url': 'give a server that is reached without it',
} as const

/** @throws with the file, what is wrong in it, and what is to be there */
export function kubeconfig(path: string): Server {
  const server: Server = {
    ...{ name: '', authority: 'certificate-authority of the kubeconfig' },
    access: () => accessOf(path),
  }
  return { ...server, name: server.access().url.origin }
}

function accessOf(path: string): Access {
  try {
    const bytes = readFileSync(path)
    if (bytes.length > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES / 2 ** 20} MB`)
    return accessIn(parse(textOf(bytes.toString()), { logLevel: 'error' }), dirname(path))
  } catch (error) {
    const [line] = (error as Error).message.split('\n')
    throw new Error(`the kubeconfig ${path} cannot be used: ${line}`)
  }
}

function accessIn(config: unknown, directory: string): Access {
  const whole = record(config)
  const kind = text(whole['kind'])
  if (kind !== '' && kind !== 'Config')
    throw new Error(`it is a ${kind}: of manifests, give the directory that they are in`)
  const current = text(whole['current-context'])
  if (current === '') throw new Error('it has no current-context: kubectl config use-context sets one')
  const context = member(entry(whole, 'contexts', current), 'context')
  const cluster = member(entry(whole, 'clusters', text(context['cluster'])), 'cluster')
  const user = member(entry(whole, 'users', text(context['user'])), 'user')
  const url = urlOf(text(cluster['server']))
  refuse(cluster, REFUSED)
  const { token, ...certificate } = credentialsOf(user, directory)
  if (url.protocol === 'http:' && token !== '')
    throw new Error(`the token would go to ${url.origin} in the clear: give an https:// server`)
  if (url.protocol === 'https:' && token === '' && certificate.cert === undefined)
    throw new Error('its user has nothing to get in with: give a token, a tokenFile or a client certificate')
  const ca = dataOf(cluster, 'certificate-authority', directory)
  if (ca !== undefined) throwFault(certificateTextFault(ca, 'certificate-authority'))
  const servername = text(cluster['tls-server-name'])
  return {
    url,
    headers: token === '' ? {} : { authorization: `Bearer ${token}` },
    ...(ca !== undefined && { ca }),
    ...certificate,
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
