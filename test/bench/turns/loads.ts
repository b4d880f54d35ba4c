/** The loads that variants are attached beside. Each says what one unit of it is. */

import { readdirSync, readFileSync } from 'node:fs'
import type { Closable } from '../../harness/cleanup.ts'
import { ADDRESS, type Stage, stage } from '../stage.ts'

export interface Load extends Closable {
  /** `a connection` */
  readonly unit: string
  /** Units of one turn. */
  readonly units: number
  /** Does one turn's work. */
  work(): Promise<void>
  /** ns of CPU of all threads of the client and the servers so far: the kernel works for them in their time. */
  cpuNs(): number
}

const tasksOf = (pid: number): string[] => readdirSync(`/proc/${pid}/task`)

function childrenOf(pid: number): number[] {
  const text = tasksOf(pid).map(tid => readFileSync(`/proc/${pid}/task/${tid}/children`, 'utf8'))
  const children = text.join(' ').split(' ').filter(Boolean).map(Number)
  return [pid, ...children.flatMap(childrenOf)]
}

/** proc_pid_schedstat: ns on a CPU, ns in its queue, times on it. */
const runNs = (pid: number): number =>
  tasksOf(pid)
    .map(tid => Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]))
    .reduce((sum, ns) => sum + ns, 0)

interface Shape {
  readonly unit: string
  readonly units: number
  /** Of a server. */
  readonly server: readonly string[]
  readonly client?: readonly string[]
  /** A command that opens what stays. */
  readonly open?: string
  /** The command of one turn, its answer's number, and what that must be. */
  readonly command: string
  readonly answer: string
  readonly expected: number
}

const PORTS = 4

export const SHAPES = {
  connections: {
    unit: 'a connection',
    units: 2000,
    server: ['--ports', String(PORTS), '--forks', '2'],
    command: `talk 2000 ${ADDRESS} 8000 ${PORTS}`,
    answer: 'talked',
    expected: 2000,
  },
  resets: {
    unit: 'a connection that is reset',
    units: 2000,
    server: ['--ports', String(PORTS), '--forks', '2'],
    command: `churn 2000 ${ADDRESS} 8000 ${PORTS}`,
    answer: 'churned',
    expected: 2000,
  },
  tcp: {
    unit: 'a TCP request',
    units: 16_000,
    server: [],
    open: `open 16 ${ADDRESS} 8000`,
    command: 'echo 1000 64',
    answer: 'echoed',
    expected: 16_000,
  },
  udp: {
    unit: 'a UDP request',
    units: 16_000,
    server: ['--transport', 'udp'],
    client: ['--transport', 'udp'],
    open: `open 16 ${ADDRESS} 8000`,
    command: 'echo 1000 64',
    answer: 'echoed',
    expected: 16_000,
  },
  bulk: {
    unit: 'a megabyte over TCP',
    units: 500,
    server: ['--mode', 'discard'],
    open: `open 1 ${ADDRESS} 8000`,
    command: `send 0 ${500 * 2 ** 20}`,
    answer: 'sent',
    expected: 500 * 2 ** 20,
  },
} satisfies Readonly<Record<string, Shape>>

export async function startLoad(name: keyof typeof SHAPES): Promise<Load> {
  const shape: Shape = SHAPES[name]
  const place: Stage & Closable = await stage()
  try {
    const server = await place.server(8000, ...shape.server)
    const client = await place.client(...(shape.client ?? []))
    if (shape.open !== undefined) await client.ask(shape.open, 60_000)
    const pids = [server, client].flatMap(({ pid }) => childrenOf(pid))
    return {
      unit: shape.unit,
      units: shape.units,
      async work() {
        const answer = await client.ask<Record<string, number>>(shape.command, 60_000)
        if (answer[shape.answer] !== shape.expected)
          throw new Error(`${shape.command}: ${JSON.stringify(answer)}`)
      },
      cpuNs: () => pids.reduce((sum, pid) => sum + runNs(pid), 0),
      close: () => place.close(),
    }
  } catch (error) {
    await place.close()
    throw error
  }
}
