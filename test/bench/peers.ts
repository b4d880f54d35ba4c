/** Others that see every connection, as Debian ships them. */

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { inNetns } from '../harness/netns.ts'
import type { Agent } from './agents.ts'
import { ADDRESS, type Sides } from './stage.ts'

const READY_MS = 3000
const LAST_MS = 1500

function counting(name: string, command: (sides: Sides) => readonly string[], line: RegExp): Agent {
  return {
    name,
    async start(sides) {
      const [file = '', ...words] = command(sides)
      const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'ignore'] })
      let seen = 0
      createInterface(child.stdout).on('line', text => {
        if (line.test(text)) seen++
      })
      await sleep(READY_MS) // they do not say when they are ready
      return {
        async stop() {
          await sleep(LAST_MS)
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
  new RegExp(`^client .* ${ADDRESS.replaceAll('.', '\\.')}:`),
)

/** A namespace tracks connections only while a rule asks for their state. */
const TRACKED = `rule="OUTPUT -p tcp -m conntrack --ctstate NEW"
iptables -I $rule
conntrack -E -e NEW -p tcp &
trap 'kill $!' INT
wait
iptables -D $rule`

const conntrack = counting(
  'conntrack -E',
  ({ clients }) => inNetns(clients, ['sh', '-c', TRACKED]),
  /\[NEW\]/,
)

function has(command: string): boolean {
  try {
    execFileSync('which', [command])
    return true
  } catch {
    return false
  }
}

/** Those that run on this machine. */
export const peers: readonly Agent[] = [
  ...(has('bpftrace') ? [bpftrace] : []),
  ...(has('conntrack') ? [conntrack] : []),
]
