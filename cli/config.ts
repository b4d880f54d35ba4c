/** `sockflux config`: the settings that probe and collector would read from flags, environment and file, without a start. */

import type { Command } from 'commander'
import { checkCollector } from '../collector/check.ts'
import { collectorSettings } from '../collector/options.ts'
import { checkProbe } from '../probe/check.ts'
import { probeSettings } from '../probe/options.ts'
import { type Check, inspectSettings, type Reading } from '../wire/settings/read.ts'
import { addFlags, type Setting, type Settings, snake } from '../wire/settings/settings.ts'
import { unknownVariables } from '../wire/settings/variables.ts'
import { print } from './client.ts'
import { valuesTable } from './values_table.ts'
import { everySetting } from './variables.ts'

type Flags = Readonly<Record<string, unknown>>

/** A program's table of settings and its checks. */
const program = <S extends Settings>(section: string, settings: S, check: Check<S>) => ({
  section,
  settings: settings as Settings,
  read: (flags: Flags) =>
    inspectSettings(settings, section, flags, process.env, { check }) as Reading<Settings>,
})
const PROGRAMS = [
  program('probe', probeSettings, checkProbe),
  program('collector', collectorSettings, checkCollector),
] as const
type Program = (typeof PROGRAMS)[number]

export function addConfig(command: Command): void {
  const config = command.command('config').description('the settings of probe and collector, without a start')
  add(config, 'check', 'every mistake and warning; ends with 1 when something is wrong', check)
  add(config, 'show', 'the value of each setting and where it is from; secrets are masked', show)
}

/** For one program with its flags, or for both. */
function add(
  config: Command,
  name: string,
  description: string,
  action: (programs: readonly Program[], flags: Flags) => Promise<void>,
): void {
  const both = config
    .command(name)
    .description(description)
    .option('--config <file>', 'YAML file with settings')
    .option('--json', 'print JSON')
    .action(async flags => action(PROGRAMS, flags))
  for (const one of PROGRAMS) {
    const command = both.command(one.section).description(`those of the ${one.section}, with its flags`)
    addFlags(command, one.section, one.settings)
    command.option('--json', 'print JSON').action(async () => action([one], command.optsWithGlobals()))
  }
}

async function check(programs: readonly Program[], flags: Flags): Promise<void> {
  const variables = unknownVariables(process.env, await everySetting())
  const readings = programs.map(one => ({ section: one.section, ...one.read(flags) }))
  if (readings.some(({ problems }) => problems.length > 0)) process.exitCode = 1
  if (flags['json']) {
    const found = readings.map(({ section, file = null, problems, warnings }) => [
      section,
      { file, problems, warnings },
    ])
    await print(process.stdout, json({ ...Object.fromEntries(found), environment: { warnings: variables } }))
    return
  }
  const lines = readings.flatMap(({ section, file, problems, warnings }) => [
    `${section}${file === undefined ? '' : ` (${file})`}: ${problems.length === 0 ? 'can start' : 'cannot start'}`,
    ...problems.map(text => `  wrong    ${text}`),
    ...warnings.map(text => `  warning  ${text}`),
  ])
  const others = variables.map(text => `  warning  ${text}`)
  await print(
    process.stdout,
    `${[...lines, ...(others.length > 0 ? ['environment:', ...others] : [])].join('\n')}\n`,
  )
}

async function show(programs: readonly Program[], flags: Flags): Promise<void> {
  const readings = programs.map(one => ({ ...one, reading: one.read(flags) }))
  const entries = readings.map(({ section, settings, reading }) => [
    section,
    Object.entries(settings).map(([name, row]) => ({
      name: snake(name),
      value: shown(row, reading.values[name]),
      from: reading.given(name) ?? 'default',
    })),
  ]) as [string, { name: string; value: unknown; from: string }[]][]
  if (flags['json']) {
    const keys = entries.map(([section, rows]) => [
      section,
      Object.fromEntries(rows.map(({ name, value = null, from }) => [name, { value, from }])),
    ])
    await print(process.stdout, json(Object.fromEntries(keys)))
  } else
    for (const [section, rows] of entries)
      await print(
        process.stdout,
        valuesTable(
          section,
          rows.map(({ name, value, from }) => ({ name, value: words(value), from })),
        ),
      )
  const problems = readings.flatMap(({ reading }) => reading.problems)
  if (problems.length > 0) process.exitCode = 1
  await print(process.stderr, problems.map(text => `sockflux: ${text}; the default is shown\n`).join(''))
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** A secret is masked; the login of an address is left out. */
function shown({ secret }: Setting, value: unknown): unknown {
  if (value === undefined) return undefined
  if (secret) return '********'
  return Array.isArray(value) ? value.map(withoutLogin) : withoutLogin(value)
}

const withoutLogin = (value: unknown): unknown =>
  typeof value === 'string' ? value.replace(/(?<=^\w+:\/\/).*@/s, '…@') : value

function words(value: unknown): string {
  if (value === undefined) return '-'
  if (Array.isArray(value)) return value.map(words).join(', ') || 'none'
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.values(value).map(String).join(':')
}
