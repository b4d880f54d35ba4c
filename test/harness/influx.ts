import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { inNetns } from './netns.ts'

/** The administrator of a server with logins. */
export const admin = { username: 'admin', password: 'pa ss:wörd' }

export interface Influx {
  readonly url: string
  /** The self-signed certificate, for https. */
  readonly ca: string
  readonly pid: number | undefined
  /** Run InfluxQL as the administrator; the rows of all series, each as an object with its measurement as `name`. */
  query(q: string, db?: string): Promise<Record<string, unknown>[]>
  stop(): Promise<void>
  /** Start again on the same port with the same data. */
  start(): Promise<void>
  /** Stop and leave nothing behind. */
  remove(): Promise<void>
}

/**
 * A private influxd (Debian's 1.6.7) on free loopback ports with its data in a directory of its own.
 * @param options.netns a network namespace to run it in; queries go through a unix socket then
 */
export async function startInflux({
  https = false,
  auth = false,
  netns,
}: {
  readonly https?: boolean
  readonly auth?: boolean
  readonly netns?: string
} = {}): Promise<Influx> {
  const dir = await mkdtemp(join(tmpdir(), 'influx-'))
  const [port, rpcPort] = await freePorts()
  const url = `${https ? 'https' : 'http'}://localhost:${port}`
  const ca = join(dir, 'cert.pem')
  const key = join(dir, 'key.pem')
  const socketPath = netns === undefined ? undefined : join(dir, 'socket')
  if (https) await selfSigned(ca, key)
  await writeFile(
    join(dir, 'influxdb.conf'),
    `reporting-enabled = false
bind-address = "127.0.0.1:${rpcPort}"
[meta]
  dir = "${dir}/meta"
[data]
  dir = "${dir}/data"
  wal-dir = "${dir}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  auth-enabled = ${auth}
  log-enabled = false
  https-enabled = ${https}
  https-certificate = "${ca}"
  https-private-key = "${key}"
  unix-socket-enabled = ${socketPath !== undefined}
  bind-socket = "${socketPath ?? ''}"
`,
  )

  let server: ReturnType<typeof spawn> | undefined

  async function query(q: string, db = ''): Promise<Record<string, unknown>[]> {
    const path = `/query?${new URLSearchParams({ q, db, epoch: 's' })}`
    const { status, body } = await send(url, path, { ca: https ? await readFile(ca) : undefined, socketPath })
    const results = (JSON.parse(body) as { results?: Result[]; error?: string }).results ?? []
    const error = results.find(result => result.error)?.error
    if (status !== 200 || error) throw new Error(`${q}: ${status} ${error ?? body}`)
    return results.flatMap(result => (result.series ?? []).flatMap(rowsOf))
  }

  async function start(): Promise<void> {
    const command = ['influxd', '-config', join(dir, 'influxdb.conf')]
    const [program, ...words] = netns === undefined ? command : inNetns(netns, command)
    const child = spawn(program!, words, { stdio: 'ignore' })
    server = child
    const up = () =>
      send(url, '/ping', { socketPath, anyCertificate: true }).then(({ status }) => status === 204)
    while (!(await up().catch(() => false))) {
      if (child.exitCode !== null) throw new Error(`influxd exited with ${child.exitCode}`)
      await wait(20)
    }
  }

  async function stop(): Promise<void> {
    const child = server
    server = undefined
    if (!child || child.exitCode !== null) return
    child.kill()
    await once(child, 'exit')
  }

  async function remove(): Promise<void> {
    await stop()
    await rm(dir, { recursive: true, force: true })
  }

  try {
    await start()
    // With logins on and no user yet, this one statement is allowed without a login.
    if (auth)
      await query(`CREATE USER "${admin.username}" WITH PASSWORD '${admin.password}' WITH ALL PRIVILEGES`)
  } catch (error) {
    await remove()
    throw error
  }
  return {
    url,
    ca,
    query,
    stop,
    start,
    remove,
    get pid() {
      return server?.pid
    },
  }
}

interface Series {
  name?: string
  tags?: Record<string, string>
  columns: string[]
  values?: unknown[][]
}
interface Result {
  series?: Series[]
  error?: string
}

function rowsOf({ name, tags, columns, values = [] }: Series): Record<string, unknown>[] {
  return values.map(row => ({
    name,
    ...tags,
    ...Object.fromEntries(columns.map((column, index) => [column, row[index]])),
  }))
}

interface Way {
  readonly ca?: Buffer | undefined
  readonly socketPath?: string | undefined
  readonly anyCertificate?: boolean
}

function send(url: string, path: string, { ca, socketPath, anyCertificate = false }: Way) {
  const authorization = `Basic ${Buffer.from(`${admin.username}:${admin.password}`).toString('base64')}`
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: string }>()
  const options = {
    method: path.startsWith('/query') ? 'POST' : 'GET',
    headers: { authorization },
    agent: false as const,
    ...(ca ? { ca } : {}),
    ...(socketPath ? { socketPath } : {}),
    ...(anyCertificate ? { rejectUnauthorized: false } : {}),
  }
  const request = (url.startsWith('https') ? httpsRequest : httpRequest)(url + path, options, response => {
    let body = ''
    response.setEncoding('utf8').on('data', text => {
      body += text
    })
    response.on('end', () => resolve({ status: response.statusCode, body })).on('error', reject)
  })
  request.on('error', reject).end()
  return promise
}

export async function selfSigned(cert: string, key: string): Promise<void> {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const files = ['-out', cert, '-keyout', key]
  await promisify(execFile)('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    ...subject,
    ...files,
  ])
}

/** Two free ports of the loopback interface. */
export async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()]
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    ports.push((server.address() as { port: number }).port)
  }
  for (const server of servers) server.close()
  return ports as [number, number]
}
