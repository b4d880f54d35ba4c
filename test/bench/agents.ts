/** What runs beside the load: nothing, bare hooks, Sockflux, and the peers. */

import { join } from 'node:path'
import { open } from 'bcc-bindings'
import { cgroup2In } from '../../probe/kernel/cgroup.ts'
import { numberOf, viewOf } from '../../wire/layout.ts'
import { CLIENT, netnsOf } from '../harness/watch.ts'
import { compile } from '../native/compile.ts'
import { startProbe } from './probe.ts'
import type { Sides } from './stage.ts'

export interface Running {
  /** Ends it. @returns how many connections it saw from the clients' side, where it can say */
  stop(): Promise<number | undefined>
}

export interface Agent {
  readonly name: string
  start(sides: Sides): Promise<Running>
}

export const none: Agent = { name: 'no agent', start: async () => ({ stop: async () => undefined }) }

export const bare: Agent = {
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

export const sockflux: Agent = {
  name: 'sockflux probe',
  async start({ clients }) {
    const inode = netnsOf(clients)
    let seen = 0
    const probe = await startProbe({
      onRows(layout, rows) {
        if (layout.name !== 'tcp_flow') return
        const view = viewOf(rows)
        const number = (name: string) => numberOf(layout, name)
        const [role, reported, netns] = [number('role'), number('reported_ns'), number('netns')]
        for (let at = 0; at < rows.length; at += layout.size)
          if (netns(view, at) === inode && role(view, at) === CLIENT && reported(view, at) === 0) seen++
      },
    })
    return {
      async stop() {
        await probe.windows(2)
        await probe.close()
        return seen
      },
    }
  },
}
