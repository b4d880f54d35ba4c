/** `sockflux keys`: makes keys, shows them, and keeps the collector's list of those that are allowed. */

import { hostname } from 'node:os'
import type { Command } from 'commander'
import { KEYS } from '../wire/link/key_files.ts'
import { hostTag } from '../wire/settings/types.ts'
import { print } from './client.ts'
import { allow, generate, type Program, shown, withdraw } from './key_store.ts'

export function addKeys(command: Command): void {
  const keys = command.command('keys').description('keys of the link between probes and collectors')
  const add = (name: string, description: string) =>
    keys
      .command(name)
      .description(description)
      .option('--keys <directory>', `where they are (default: ${KEYS}; env: SOCKFLUX_KEYS)`)

  add('generate', "a new key of this machine's collector or probe; the secret one stays here")
    .argument('<program>', 'collector or probe')
    .option('--host <name>', "the probe's host, as its --host; without it this machine's name")
    .option('--force', 'replace the key that is there: the other side must know the new one first')
    .option('--stage', 'write the new key beside the present one, with .new behind its name')
    .action(async (program, flags) =>
      say(generate(directoryOf(flags), programOf(program), { ...flags, host: hostOf(flags['host']) })),
    )
  add('show', "the public keys that are here, with the commands for the other side's machine").action(
    async flags => say(shown(directoryOf(flags))),
  )
  add('allow', "list a probe's key for a host; the collector reads the list again by itself")
    .argument('<host>', "as the probe's --host")
    .argument('<key>', 'its public key, 64 hexadecimal digits')
    .action(async (host, key, flags) => say(allow(directoryOf(flags), hostOf(host), key)))
  add('withdraw', 'take a key, or all keys of a host, from the list')
    .argument('<host or key>', 'host or key that may no longer connect')
    .action(async (what, flags) => say(withdraw(directoryOf(flags), what)))
  keys.addHelpText(
    'after',
    `
To encrypt a link:
  on the collector's machine  sockflux keys generate collector
  on the probe's machine      sockflux keys generate probe
                              (copy collector.pub to the same directory there)
  on the collector's machine  sockflux keys allow HOST KEY
                              (sockflux keys show on the probe's prints it)

To change a key: generate it with --stage (the present one stays), make it known
on the other side, then move it to its place (docs/security.md).
For a probe whose --host is not its machine's name, give the same --host here.`,
  )
}

const say = async (lines: readonly string[]): Promise<void> => {
  await print(process.stdout, `${lines.join('\n')}\n`)
}

const directoryOf = (flags: Readonly<Record<string, unknown>>): string =>
  String(flags['keys'] ?? process.env['SOCKFLUX_KEYS'] ?? '') || KEYS

function programOf(text: string): Program {
  if (text === 'collector' || text === 'probe') return text
  throw new Error(`${text} has no keys: write collector or probe`)
}

function hostOf(given: unknown): string {
  const parsed = hostTag().safeParse(given ?? hostname())
  if (parsed.success && parsed.data.trim() === parsed.data) return parsed.data
  throw new Error(
    `${String(given)} is not a host's name: ${parsed.error?.issues[0]?.message ?? 'it begins or ends with a blank'}`,
  )
}
