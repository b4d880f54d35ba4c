/** What the tests of what is sent give each other. */

import type { Test } from 'tap'
import { Ipfix } from '../../../collector/ipfix/ipfix.ts'
import { ipfixSettings } from '../../../collector/ipfix/settings/settings.ts'
import type { IpfixOptions } from '../../../collector/ipfix/targets.ts'
import type { ThrottledLog } from '../../../wire/process/throttled_log.ts'
import { inspectSettings } from '../../../wire/settings/read.ts'
import { CLIENT, carrying, SERVICE, Told } from './given.ts'

/** Flags as on the command line. */
function optionsOf(flags: Record<string, unknown>): IpfixOptions {
  const { values, problems } = inspectSettings(ipfixSettings, 'collector', flags, {}, { inFile: false })
  if (problems.length > 0) throw new Error(problems.join('\n'))
  return values
}

/** A flow stage that sends, and what it logs. */
export function sending(t: Test, flags: Record<string, unknown>) {
  const told = new Told({ cluster: SERVICE })
  const warnings: string[] = []
  const log = { warn: (_: string, text: string) => void warnings.push(text) } as ThrottledLog
  const ipfix = Ipfix.open(optionsOf(flags), told.stage.flows, log)
  t.teardown(() => ipfix.close())
  return { told, warnings, ipfix }
}

/** Conversations of one node with elsewhere that end in this window. */
export function ended(told: Told, window: number, count: number): void {
  const rows = Array.from({ length: count }, (_, at) => ({
    ...{ ...CLIENT, remote: '192.0.2.9', socket: 1000 * (window + 1) + at, isn_local: 0, isn_remote: 0 },
    ...{ local_port: 1000 + at, ...carrying(at, 1), state: 7, closed_ns: 5e9 },
  }))
  told.rows('node-a', window, 'tcp_flow', ...rows)
  told.end(window, 'node-a')
}
