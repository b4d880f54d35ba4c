/** Who may speak: strangers, holders of other hosts' keys, other users of the machine. With the programs as they are. */

import { chmod, chown, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Dealer, Router } from 'zeromq'
import { generateKeys, z85 } from '../../wire/link/key.ts'
import { encodeMessage, encodeWindow, type WindowHead } from '../../wire/message.ts'
import { bundleOf } from '../harness/bundle.ts'
import { holder, type Keys, makeKeys, peakMib } from '../harness/link.ts'
import { type Child, start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { logged, openSite, type Site, SOCKFLUX } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { endless, greeting, identities, rawPeer } from '../harness/zmtp.ts'

t.jobs = 3

const skip = needs('root', 'bpf')
const COLLECTOR_MIB = 400
const PROBE_MIB = 200

/** A collector whose port is encrypted, and the real probe of host web1. */
async function stage(t: Test, ...hosts: string[]) {
  const site = await openSite()
  t.teardown(() => site.close())
  const keys = await makeKeys(site.directory, 'web1', ...hosts)
  const endpoint = `${site.endpoint},curve`
  const collector = await site.collector(['--keys', keys.directory, '--listen', endpoint])
  const probe = await site.probe(['--host', 'web1', '--keys', await keys.of('web1')], [endpoint])
  return { site, keys, endpoint, collector, probe, port: Number(new URL(site.endpoint).port) }
}

/** Labels of the windows that are stored of a host. */
async function windowsOf(site: Site, host: string): Promise<number[]> {
  const rows = await site.query(
    `select epoch(time)::double as time from "probe:stats" where host = '${host}' order by time`,
  )
  return rows.map(({ time }) => Number(time))
}

async function moreWindows(site: Site, host: string, count: number): Promise<void> {
  const before = await windowsOf(site, host).catch(() => [])
  await until(
    `${count} more windows of ${host}`,
    async () => (await windowsOf(site, host).catch(() => [])).length >= before.length + count,
    30_000,
  )
}

/** Each window of the probe is there once, and none is lost. */
async function checkComplete(t: Test, site: Site, host = 'web1') {
  const windows = await windowsOf(site, host)
  t.same(
    windows,
    windows.map((_, index) => windows[0]! + index),
    `${windows.length} windows of ${host}, without a gap`,
  )
}

/** How often the log says something for one reason. */
function reasons(program: Child): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const line of program.stderr.split('\n').filter(line => line.startsWith('{'))) {
    const { reason } = JSON.parse(line) as { reason?: string }
    if (reason !== undefined) counts[reason] = (counts[reason] ?? 0) + 1
  }
  return counts
}

const windowHead = (host: string, at: number): WindowHead => ({
  ...{ host, boot: 'b', probe: 'p', window: 0, sequence: 0, lost: {}, start_ns: '1', end_ns: '2' },
  ...{ clock_offset_ns: '0', time: at, interval: 1, partial: false },
})
const nobody = { cgroups: {}, containers: {}, pods: {} }
const now = () => Math.floor(Date.now() / 1000)

t.test('strangers get nowhere, and the probe loses nothing', { skip }, async t => {
  const { site, keys, collector, port } = await stage(t)
  await moreWindows(site, 'web1', 1)
  const { received } = await site.stats()
  const stranger = generateKeys()
  const bomb = Buffer.from(`[${'{},'.repeat(2 ** 22)}{}]`)
  const dealers = [
    new Dealer({ linger: 0, reconnectInterval: 50, sendHighWaterMark: 4 }),
    new Dealer({
      ...{ linger: 0, reconnectInterval: 50, sendHighWaterMark: 4 },
      curveServerKey: z85(keys.collector.publicKey), // it is no secret
      ...{ curvePublicKey: z85(stranger.publicKey), curveSecretKey: z85(stranger.secretKey) },
    }),
  ]
  t.teardown(() => {
    for (const dealer of dealers) dealer.close()
  })
  for (const dealer of dealers) {
    dealer.connect(site.endpoint)
    for (let sent = 0; sent < 4; sent++) await dealer.send([bomb, bomb, bomb, bomb, bomb])
  }
  const idle = await Promise.all(Array.from({ length: 300 }, () => rawPeer(port)))
  t.teardown(() => {
    for (const socket of idle) socket.destroy()
  })
  for (const [index, socket] of idle.entries()) socket.write(greeting('CURVE').subarray(0, index % 64))
  const [taken] = await Promise.all([endless(port, 512 * 2 ** 20), identities(port, 20_000)])
  t.ok(taken < 64 * 2 ** 20, `the endless message ended after ${taken >> 20} MiB`)
  await until('idle greetings are closed', () => idle.every(({ destroyed }) => destroyed), 20_000)
  await moreWindows(site, 'web1', 2)
  const { received: after, lost } = await site.stats()
  t.ok(after > received, 'messages of the probe')
  t.same(lost, {})
  const hosts = await site.query('select distinct host from "probe:stats"')
  t.same(hosts, [{ host: 'web1' }])
  await checkComplete(t, site)
  t.ok(peakMib(collector.pid) < COLLECTOR_MIB, `${peakMib(collector.pid)} MiB`)
  const { refused, handshake, ...other } = reasons(collector)
  t.ok(refused! <= 2 && handshake! <= 2, `${refused} and ${handshake} lines: one a minute`)
  t.same(other, {})
})

t.test('an allowed key that was withdrawn, or never listed, is refused with its name', { skip }, async t => {
  const { site, keys, collector, probe } = await stage(t, 'db1')
  const stranger = { own: generateKeys(), collector: keys.collector.publicKey }
  await t.rejects(holder(site.endpoint, 'web1', stranger), /it does not know our key/)
  await logged(collector, new RegExp(`was refused: its key ${stranger.own.publicKey} is not listed`))
  await t.rejects(holder(site.endpoint, 'db9', keys.curve('db1')), /not listed for db9/)
  await moreWindows(site, 'web1', 1)
  await keys.write('web1')
  await logged(probe, /does not take our windows \(the key is not listed for web1: /)
  const { received } = await site.stats()
  await new Promise(resolve => setTimeout(resolve, 2000))
  t.equal((await site.stats()).received, received, 'nothing more is read')
  await keys.write()
  await moreWindows(site, 'web1', 2)
  await checkComplete(t, site)
})

t.test('the holder of another key forges, hijacks and replays in vain', { skip }, async t => {
  const { site, keys, collector, probe } = await stage(t, 'db1')
  await moreWindows(site, 'web1', 2)
  const { boot, probe: run } = JSON.parse(
    probe.stderr.split('\n').find(line => line.includes('"msg":"started"'))!,
  ) as Record<string, string>
  const forger = await holder(site.endpoint, 'db1', keys.curve('db1'))
  t.teardown(() => forger.dialled.close())
  const at = now() - 3600
  const taken = { boot: boot!, probe: run! }
  const forged = [
    encodeWindow({ ...windowHead('web1', at), ...taken, window: 2, sequence: 900_000 }, bundleOf(), {
      ...nobody,
      running: [],
    }),
    encodeMessage({ ...windowHead('web1', at), ...taken, sequence: 900_000 }, bundleOf(), nobody),
    encodeWindow(windowHead('web1', at), bundleOf(), { ...nobody, running: [] }),
  ]
  for (const frames of forged) await forger.send(frames)
  await until('they are refused', async () => (await site.stats()).lost['malformed_foreign_host'] === 3)
  // the same run in its own host's name
  const hijack = { ...windowHead('db1', at), ...taken, window: 900_000, sequence: 900_000 }
  await forger.send(encodeWindow(hijack, bundleOf(), { ...nobody, running: [] }))
  await forger.receive()
  // a recording: messages with the token of a connection that is not this one, or without any
  await forger.dialled.socket.send([Buffer.alloc(32, 7), ...forged[0]!])
  await forger.dialled.socket.send(forged[0]!)
  await until('they are not read', async () => {
    const { link } = (await site.stats()) as unknown as { link: { unauthenticated: number } }
    return link.unauthenticated === 2
  })
  // another host's name in the hello, with its public key
  await t.rejects(holder(site.endpoint, 'web1', { ...keys.curve('db1') }), /not listed for web1/)
  await t.rejects(claims(keys, site.endpoint), /the proof of the key .* is wrong/)
  await moreWindows(site, 'web1', 3)
  await checkComplete(t, site)
  t.same(await site.query(`select * from "probe:stats" where host = 'web1' and epoch(time) = ${at}`), [])
  t.same(await site.query('select distinct host from "probe:stats"'), [{ host: 'web1' }], 'no host~1234')
  t.ok(peakMib(collector.pid) < COLLECTOR_MIB)
  t.same(reasons(collector), { malformed: 1, unauthenticated: 1, denied: 1 })
})

/** An allowed key, and a hello with another one. */
async function claims(keys: Keys, endpoint: string): Promise<void> {
  const { own, collector } = keys.curve('db1')
  const mixed = { own: { secretKey: own.secretKey, publicKey: own.publicKey }, collector }
  const dealer = new Dealer({
    ...{ linger: 0, curveServerKey: z85(collector) },
    ...{ curvePublicKey: z85(mixed.own.publicKey), curveSecretKey: z85(mixed.own.secretKey) },
  })
  try {
    dealer.connect(endpoint)
    await dealer.send(['hello/2', JSON.stringify({ host: 'web1', key: keys.pair('web1').publicKey })])
    await dealer.receive()
    await dealer.send(['answer/2', Buffer.alloc(32)])
    throw new Error(String((await dealer.receive())[1]))
  } finally {
    dealer.close()
  }
}

t.test('keys change under load without a lost window', { skip }, async t => {
  const { site, keys, probe, endpoint, collector } = await stage(t)
  await moreWindows(site, 'web1', 2)
  // the probe's: both are listed, then the file changes
  const own = await keys.of('web1')
  const next = generateKeys()
  const list = join(keys.directory, 'allowed')
  const present = keys.pair('web1').publicKey
  await writeFile(list, `web1 ${present}\nweb1 ${next.publicKey}\n`)
  await writeFile(join(own, 'probe.new'), `${next.secretKey}\n`, { mode: 0o600 })
  await rename(join(own, 'probe.new'), join(own, 'probe.key'))
  await until(
    'it connects with the new one',
    () => probe.stderr.split('"msg":"connected"').length === 3,
    20_000,
  )
  await writeFile(list, `web1 ${next.publicKey}\n`)
  await moreWindows(site, 'web1', 2)
  // the collector's: the probe knows both, then the collector starts with the new one
  const other = generateKeys()
  await writeFile(join(own, 'collector.pub'), `${keys.collector.publicKey}\n${other.publicKey}\n`)
  await writeFile(join(keys.directory, 'collector.key'), `${other.secretKey}\n`, { mode: 0o600 })
  await collector.kill()
  await site.collector(['--keys', keys.directory, '--listen', endpoint])
  await moreWindows(site, 'web1', 3)
  await checkComplete(t, site)
  const { probes } = await site.stats()
  t.same(
    Object.keys(probes).filter(reason => reason.startsWith('queue/')),
    [],
  )
})

t.test('who takes the port gets no rows, and cannot fill the memory of the probe', { skip }, async t => {
  const site = await openSite()
  t.teardown(() => site.close())
  const keys = await makeKeys(site.directory, 'web1')
  const heard: Buffer[][] = []
  /** Listens in the collector's place until it was tried so often. */
  const squat = async (options: object, enough: () => Promise<unknown>) => {
    const router = new Router({ linger: 0, ...options })
    t.teardown(() => router.close())
    let tried = 0
    router.events.on('accept', () => tried++)
    await until('the port', () =>
      router.bind(site.endpoint).then(
        () => true,
        () => false,
      ),
    )
    const reading = (async () => {
      for await (const frames of router) heard.push(frames)
    })().catch(() => {})
    await enough()
    await until('several attempts', () => tried > 2, 60_000)
    router.close()
    await reading
  }
  let probe: Child | undefined
  await squat({ curveServer: true, curveSecretKey: z85(generateKeys().secretKey) }, async () => {
    probe = await site.probe(['--host', 'web1', '--keys', await keys.of('web1')], [`${site.endpoint},curve`])
    await logged(probe, /no collector answers.*it is no collector, speaks plain text, or has another key/)
  })
  await squat({}, async () => {})
  t.same(heard, [])
  await site.collector(['--keys', keys.directory, '--listen', `${site.endpoint},curve`])
  await moreWindows(site, 'web1', 2)
  await checkComplete(t, site)
  t.ok(peakMib(probe!.pid) < PROBE_MIB, `${peakMib(probe!.pid)} MiB`)
})

const NOBODY = 65_534
const DAEMON = 1
/** It becomes another user by itself: that user may not be able to read this folder. */
const SQUATTER = `
const { Router, Dealer } = require(process.argv[1])
const [, , user, how, endpoint] = process.argv
process.setgroups([])
process.setgid(Number(user))
process.setuid(Number(user))
const socket = how === 'bind' ? new Router({ linger: 0 }) : new Dealer({ linger: 0, reconnectInterval: 100 })
;(async () => {
  if (how === 'bind') await socket.bind(endpoint)
  else {
    socket.connect(endpoint)
    socket.events.on('handshake:error:auth', () => console.log('refused'))
    socket.events.on('handshake', () => console.log('in'))
  }
  console.log('there')
  if (how !== 'bind') await socket.send(['window/2', '{}', '[]', '', '{}', '{}'])
  for await (const frames of socket) console.log('heard', frames.length)
})()
`
const asUser = (t: Test, user: number, how: 'bind' | 'connect', endpoint: string): Child => {
  const zeromq = join(import.meta.dirname, '../../node_modules/zeromq')
  const child = start([process.execPath, '-e', SQUATTER, zeromq, String(user), how, endpoint])
  t.teardown(() => child.close())
  return child
}

t.test('a unix socket is for its users', { skip }, async t => {
  const site = await openSite()
  t.teardown(() => site.close())
  await chmod(site.directory, 0o755)
  const endpoint = `ipc://${join(site.directory, 'link.sock')}`
  const collector = await site.collector(['--listen', endpoint, '--link-users', 'daemon'])
  await site.probe(['--host', 'web1'], [endpoint])
  const stranger = asUser(t, NOBODY, 'connect', endpoint)
  await stranger.line(/refused/)
  await logged(
    collector,
    /a connection from localhost:65534:65534:\d+ was refused: user 65534 may not speak here/,
  )
  const path = endpoint.replace('ipc://', '')
  const daemon = asUser(t, DAEMON, 'connect', endpoint)
  await daemon.line(/^in/)
  await moreWindows(site, 'web1', 2)
  await checkComplete(t, site)
  const second = start([
    ...SOCKFLUX,
    'collector',
    '--listen',
    endpoint,
    '--socket',
    `${path}.2`,
    '--store',
    `${path}.d`,
  ])
  t.teardown(() => second.close())
  t.match(await second.exited, { code: 1 })
  t.match(second.stderr, /cannot listen on ipc:.*another collector answers/)
  await moreWindows(site, 'web1', 1)
})

t.test('a socket that another user put there gets no rows', { skip }, async t => {
  const site = await openSite()
  t.teardown(() => site.close())
  await chmod(site.directory, 0o755)
  const open = join(site.directory, 'open')
  await mkdir(open)
  await chmod(open, 0o777)
  const owned = join(site.directory, 'owned')
  await mkdir(owned)
  await chown(owned, NOBODY, NOBODY)
  await t.rejects(
    site.collector(['--listen', `ipc://${join(open, 'own.sock')}`]),
    /cannot listen on ipc:.*other users can put a socket of their own .*: chmod go-w it/,
  )
  for (const [directory, says] of [
    [open, /in .*\/open other users can put a socket of their own \(mode 777\)/],
    [owned, /owned belongs to user 65534, who is not trusted/],
  ] as const) {
    const endpoint = `ipc://${join(directory, 'link.sock')}`
    const squatter = asUser(t, NOBODY, 'bind', endpoint)
    await squatter.line(/there/)
    const probe = await site.probe(['--host', 'web1'], [endpoint])
    await logged(probe, says)
    await probe.kill()
    await squatter.kill()
    await t.rejects(squatter.line(/heard/), /ended without a line/)
  }
})

t.test('a machine without keys does not send in clear text without being told so', { skip }, async t => {
  const site = await openSite()
  t.teardown(() => site.close())
  for (const words of [
    ['collector', '--listen', 'tcp://0.0.0.0:45999', '--socket', site.socket, '--store', site.store],
    ['probe', '--collector', 'tcp://192.0.2.1:45999'],
  ]) {
    const child = start([...SOCKFLUX, ...words, '--keys', site.directory])
    t.teardown(() => child.close())
    t.match(await child.exited, { code: 1 })
    t.match(child.stderr, /is encrypted and needs .*sockflux keys generate .*,plain to/)
  }
})
