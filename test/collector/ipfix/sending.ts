/** What the tests of what is sent give each other. */

import type { Test } from 'tap'
import type { IpfixOptions } from '../../../collector/ipfix/check.ts'
import { Ipfix } from '../../../collector/ipfix/ipfix.ts'
import { ipfixSettings } from '../../../collector/ipfix/settings.ts'
import type { ThrottledLog } from '../../../wire/process/throttled_log.ts'
import { inspectSettings } from '../../../wire/settings/read.ts'
import { SERVICE, Told } from './given.ts'

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
