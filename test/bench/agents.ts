/** What runs beside the load: nothing, bare hooks, Sockflux, and others that Debian ships. */

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { open } from 'bcc-bindings'
import { Router } from 'zeromq'
import { cgroup2In } from '../../probe/doctor/cgroup.ts'
import { numberOf, viewOf } from '../../probe/wire/layout.ts'
import { decode, encodeAck, WINDOW } from '../../probe/wire/message.ts'
import { inNetns } from '../harness/netns.ts'
import { type Child, start } from '../harness/process.ts'
import { freePort, logged } from '../harness/sockflux.ts'
import { CLIENT, netnsOf } from '../harness/watch.ts'
import { compile } from '../native/compile.ts'

export interface Running {
  /** Ends it. @returns how many client connections of the namespace it saw, where it can say */
  stop(): Promise<number | undefined>
}

export interface Agent {
  readonly name: string
  /** @param netns path of the namespace that the load runs in */
  start(netns: string): Promise<Running>
}

const none: Agent = { name: 'no agent', start: async () => ({ stop: async () => undefined }) }

const bare: Agent = {
  name: 'bare hooks: the same programs with nothing in them',
  async start() {
    const object = open(compile('bare', join(import.meta.dirname, 'bpf')))
    object.load()
    const cgroup = cgroup2In({ root: '/' })
    for (const { name, section } of object.programs)
      object.attach(name, /^(cgroup|sockops)/.test(section) && cgroup ? { cgroup } : {})
    return {
      async stop() {
        object.close()
        return undefined
      },
    }
  },
}

export const BUILT = join(import.meta.dirname, '../../dist/collector/sockflux.js')

/** The probe as it is installed, with windows of one second, and a receiver that acknowledges and counts. */
export async function startProbe(
  onRows: (topic: string, rows: Buffer, read: (name: string) => (at: number) => number, size: number) => void,
  flags: readonly string[] = [],
): Promise<{ probe: Child; ends: () => number; stop(): Promise<void> }> {
  const router = new Router({ linger: 0 })
  const endpoint = `tcp://127.0.0.1:${await freePort()}`
  await router.bind(endpoint)
  let ends = 0
  const receiving = (async () => {
    for await (const [route, ...frames] of router) {
      const message = decode(frames)
      if (message.topic === WINDOW) {
        ends++
        await router.send([route!, ...encodeAck(message.head)])
      } else if ('rows' in message && message.head.layout) {
        const { layout } = message.head
        const view = viewOf(message.rows)
        const read = (name: string) => {
          const reader = numberOf(layout, name)
          return (at: number) => reader(view, at)
        }
        onRows(message.topic, message.rows, read, layout.size)
      }
    }
  })()
  const probe = start([
    process.execPath,
    BUILT,
    'probe',
    '--collector',
    endpoint,
    '--interval',
    '1',
    ...flags,
  ])
  await logged(probe, /"msg":"started"/, 60_000)
  return {
    probe,
    ends: () => ends,
    async stop() {
      await probe.close()
      router.close()
      await receiving
    },
  }
}

const sockflux: Agent = {
  name: 'sockflux probe',
  async start(netns) {
    const inode = netnsOf(netns)
    let seen = 0
    const { ends, stop } = await startProbe((topic, rows, read, size) => {
      if (topic !== 'tcp_flow') return
      const [role, reported, namespace] = [read('role'), read('reported_ns'), read('netns')]
      for (let at = 0; at < rows.length; at += size)
        if (namespace(at) === inode && role(at) === CLIENT && reported(at) === 0) seen++
    })
    return {
      async stop() {
        const last = ends() + 2
        while (ends() < last) await sleep(50)
        await stop()
        return seen
      },
    }
  },
}

function counting(name: string, command: (netns: string) => readonly string[], line: RegExp): Agent {
  return {
    name,
    async start(netns) {
      const [file = '', ...words] = command(netns)
      const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'ignore'] })
      let seen = 0
      createInterface(child.stdout).on('line', text => {
        if (line.test(text)) seen++
      })
      await sleep(3000) // they do not say when they are ready
      return {
        async stop() {
          await sleep(1500)
          child.kill('SIGINT')
          await once(child, 'close')
          return seen
        },
      }
    },
  }
}

/** As tcplife prints them: one line when a client's connection ends. BCC's own needs kernel headers, tcplife.bt kprobes. */
const LIFE = `tracepoint:sock:inet_sock_set_state /args->protocol == 6/ {
  if (args->newstate == 2) { @start[args->skaddr] = nsecs; @pid[args->skaddr] = pid; @comm[args->skaddr] = comm; }
  if (args->newstate == 7 && @start[args->skaddr]) {
    printf("client %d %s %s:%d %s:%d %d\\n", @pid[args->skaddr], @comm[args->skaddr], ntop(args->saddr),
      args->sport, ntop(args->daddr), args->dport, nsecs - @start[args->skaddr]);
    delete(@start[args->skaddr]); delete(@pid[args->skaddr]); delete(@comm[args->skaddr]);
  }
}`

const bpftrace = counting(
  'bpftrace, as tcplife',
  () => [
    ...['unshare', '-m', 'sh', '-c'],
    'mount -t tracefs tracefs /sys/kernel/tracing; mount -t debugfs debugfs /sys/kernel/debug; exec bpftrace -e "$1"',
    ...['sh', LIFE],
  ],
  /^client .* 127\.0\.0\.1:80/,
)

const conntrack = counting(
  'conntrack -E',
  netns => inNetns(netns, ['conntrack', '-E', '-e', 'NEW', '-p', 'tcp']),
  /\[NEW\]/,
)

const has = (command: string): boolean => {
  try {
    execFileSync('which', [command])
    return true
  } catch {
    return false
  }
}

/** Those that run on this machine. */
export const AGENTS: readonly Agent[] = [
  none,
  bare,
  sockflux,
  ...(has('bpftrace') ? [bpftrace] : []),
  ...(has('conntrack') ? [conntrack] : []),
]
