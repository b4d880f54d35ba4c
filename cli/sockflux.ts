#!/usr/bin/env -S node --max-semi-space-size=8 --disable-sigusr1 --no-warnings
/** The command. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { ERROR, withPriority } from '../wire/process/journal.ts'
import { handleSignals } from '../wire/process/signals.ts'
import { standardError } from '../wire/process/stderr.ts'
import { say } from '../wire/settings/read.ts'
import { commands } from './commands.ts'
import { mistypedVariables } from './variables.ts'

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
const program = (await commands(wanted)).version(version())
// the probe keeps objects for one message or permanently: a growing young generation saves nothing
if (wanted === 'probe') setFlagsFromString('--semi-space-growth-factor=1')
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
