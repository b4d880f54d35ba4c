/** The kernel side without a reader, and how many flows it follows. */

import { bootTime } from 'bcc-bindings'
import type { Test } from 'tap'
import type { Kernel } from '../../probe/kernel/kernel.ts'
import type { KernelOptions } from '../../probe/signals/signal.ts'
import { numberOf, viewOf } from '../../wire/layout.ts'
import { kernelWith, netnsOf } from '../harness/watch.ts'

export interface Running {
  readonly kernel: Kernel
  readonly warnings: readonly string[]
}

/** The kernel side, whose rings are read ten times a second, as by the reader. */
export async function startKernel(t: Test, options: Partial<KernelOptions> = {}): Promise<Running> {
  const warnings: string[] = []
  const kernel = kernelWith(
    options,
    () => {},
    sentence => warnings.push(sentence),
  )
  const timer = setInterval(() => kernel.drain(), 100)
  t.teardown(() => {
    clearInterval(timer)
    kernel.close()
  })
  await kernel.scan()
  return { kernel, warnings }
}

/** Flows that a pass sees in these network namespaces. @param name of their whole rows */
export async function flowsIn(kernel: Kernel, name: string, ...paths: string[]): Promise<number> {
  const own = paths.map(netnsOf)
  const pass = { closing: 0, missed: 0, guessed: 0, unused: 0 }
  const kind = kernel.flows.find(({ layout }) => layout.name === name)!
  let flows = 0
  for await (const { layout, bytes } of kernel.report(kind, bootTime(), pass)) {
    if (layout.name === 'tcp_health') continue
    const netns = numberOf(layout, 'netns')
    for (let at = 0; at < bytes.length; at += layout.size) if (own.includes(netns(viewOf(bytes), at))) flows++
  }
  return flows
}
