#!/usr/bin/env -S node --max-semi-space-size=8 --disable-sigusr1 --no-warnings
/** The command. Each subcommand is loaded when it is called, so that the collector loads the probe's addon only to talk to systemd. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { Command } from 'commander'
import { ERROR, withPriority } from '../wire/process/journal.ts'
import { handleSignals } from '../wire/process/signals.ts'
import { standardError } from '../wire/process/stderr.ts'
import { say } from '../wire/settings/read.ts'
import { mistypedVariables } from './variables.ts'

const PARTS: Readonly<Record<string, (program: Command) => Promise<void>>> = {
  run: async program => (await import('./run.ts')).addRun(program),
  probe: async program => (await import('../probe/main.ts')).addProbe(program),
  collector: async program => (await import('../collector/main.ts')).addCollector(program),
  top: async program => (await import('./run.ts')).addTop(program),
  query: async program => (await import('./query.ts')).addQuery(program),
  config: async program => (await import('./config.ts')).addConfig(program),
  keys: async program => (await import('./keys.ts')).addKeys(program),
  setup: async program => (await import('./setup/setup.ts')).addSetup(program),
  metrics: async program => (await import('./metrics.ts')).addMetrics(program),
  doctor: async program =>
    (await import('./doctor.ts')).addDoctor(
      program,
      (await import('../collector/options.ts')).collectorSettings,
    ),
}

function version(): string {
  for (const up of ['..', '../..'])
    try {
      return String(JSON.parse(readFileSync(join(import.meta.dirname, up, 'package.json'), 'utf8')).version)
    } catch {
      // one folder further up from dist/
    }
  return 'unknown'
}

const wanted = process.argv.slice(2).find(word => !word.startsWith('-')) ?? ''
handleSignals(wanted === 'probe' || wanted === 'collector')
const program = new Command('sockflux')
  .description(
    'Network flows, round-trip times and traffic per container and pod, from the kernel to InfluxDB',
  )
  .version(version())
  .showHelpAfterError('(run with --help for usage)')
// the probe keeps objects for one message or permanently: a growing young generation saves nothing
if (wanted === 'probe') setFlagsFromString('--semi-space-growth-factor=1')
const parts = Object.hasOwn(PARTS, wanted) ? [PARTS[wanted]!] : Object.values(PARTS)
for (const add of parts) await add(program)
program.hook('preAction', async () => {
  for (const text of await mistypedVariables(wanted, process.env)) say(text)
})
try {
  await program.parseAsync()
} catch (error) {
  const { name, message, log } = error as Error & { log?: string }
  const text = `sockflux: ${message}\n${log && name === 'BpfError' ? `${log}\n` : ''}`
  standardError().write(withPriority(ERROR, text))
  process.exitCode = 1
}
// an addon's thread or a socket must not keep the process alive
process.exit()
