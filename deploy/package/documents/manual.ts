/** The manual pages, from the commands and the tables of settings. */

import type { Command, Option } from 'commander'
import { defaultOf, type Setting, type Settings, snake, variables } from '../../../wire/settings/settings.ts'
import { PROGRAMS } from './programs.ts'
import { bold, example, heading, italic, page, paragraph, subheading, term } from './roff.ts'
import { unitOf } from './settings_file.ts'

interface Edition {
  readonly date: string
  readonly version: string
}
/** The text of each page by the name of its file: `sockflux.1`. */
type Pages = Readonly<Record<string, string>>

export function manual(program: Command, edition: Edition): Pages {
  const commands = program.commands
  const pages: Record<string, string> = {
    'sockflux.1': ofCommand(program, commands, edition),
    'sockflux.yaml.5': ofSettings(edition),
  }
  for (const [name, { does, about, settings, ends, files }] of Object.entries(PROGRAMS)) {
    const command = commands.find(command => command.name() === name)
    if (!command) throw new Error(`there is no command ${name}`)
    pages[`sockflux-${name}.8`] = page(`sockflux-${name}`, 8, edition, [
      heading('name'),
      `sockflux\\-${name} \\- ${does}`,
      heading('synopsis'),
      `${bold(`sockflux ${name}`)} [${italic('options')}]`,
      heading('description'),
      paragraph(about),
      heading('options'),
      ...options(command, settings),
      heading('signals'),
      term(
        'HUP',
        'Settings and keys are read again, as systemctl reload does. The log names what only a restart changes; a mistake changes nothing.',
      ),
      term('TERM, INT, QUIT', `It ${ends}, and ends; at the second one it ends at once.`),
      heading('files'),
      ...Object.entries(files).map(([path, what]) => term(path, what)),
      heading('see also'),
      'sockflux(1), sockflux.yaml(5)',
    ])
  }
  return pages
}

/** What is neither hidden nor `--help`. */
const shownOptions = (command: Command): readonly Option[] =>
  command.options.filter(option => !option.hidden && !['--help', '--version'].includes(option.long ?? ''))

/**
 * The text of a setting is the table's: that of `--help` has the defaults of this machine. `--influx-gzip` and
 * `--no-influx-gzip` are one option.
 */
const options = (command: Command, settings: Settings = {}): string[] =>
  [...Map.groupBy(shownOptions(command), option => option.attributeName())].map(([name, same]) => {
    const flags = same.map(({ flags }) => flags).join(', ')
    const row = settings[name]
    if (!row) return term(flags, sentence(same[0]!.description))
    return term(flags, `${sentence(row.help)}${row.list ? ' May be repeated.' : ''} ${from(name, row)}`)
  })

/** A word with a colon is a value, which keeps its letters. */
const sentence = (text: string): string =>
  /^\S+:/.test(text) ? `${text}.` : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

function ofCommand(program: Command, commands: readonly Command[], edition: Edition): string {
  const others = commands.filter(
    command => !Object.hasOwn(PROGRAMS, command.name()) && command.name() !== 'help',
  )
  return page('sockflux', 1, edition, [
    heading('name'),
    'sockflux \\- network flows per container and pod, from the sockets of the kernel',
    heading('synopsis'),
    `${bold('sockflux')} ${italic('command')} [${italic('options')}]`,
    heading('description'),
    paragraph(sentence(program.description())),
    paragraph(
      'The programs probe and collector have pages of their own: sockflux-probe(8), sockflux-collector(8).',
    ),
    heading('commands'),
    ...others.flatMap(command => described(command, `sockflux ${command.name()}`)),
    heading('examples'),
    example([
      'sockflux doctor',
      'sockflux top --once',
      `sockflux query 'select * from "container:num_flows" order by time desc limit 10'`,
    ]),
    heading('exit status'),
    paragraph(
      '0, or 1 with a sentence on standard error. sockflux doctor: 1 when the probe cannot run, 2 when it runs with less.',
    ),
    heading('see also'),
    'sockflux\\-probe(8), sockflux\\-collector(8), sockflux.yaml(5)',
  ])
}

function described(command: Command, path: string): string[] {
  const words = command.registeredArguments.map(argument => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`
    return argument.required ? `<${name}>` : `[${name}]`
  })
  const isProgram = (one: Command) => Object.hasOwn(PROGRAMS, one.name())
  const below = command.commands.filter(one => !isProgram(one))
  return [
    subheading([path, ...words].join(' ')),
    paragraph(sentence(command.description())),
    ...options(command),
    ...command.commands
      .filter(isProgram)
      .map(one => paragraph(`${path} ${one.name()}: ${one.description()}: see sockflux-${one.name()}(8).`)),
    ...below.flatMap(one => described(one, `${path} ${one.name()}`)),
  ]
}

function ofSettings(edition: Edition): string {
  return page('sockflux.yaml', 5, edition, [
    heading('name'),
    'sockflux.yaml \\- settings of sockflux probe and collector',
    heading('synopsis'),
    term('/etc/sockflux/probe.yaml', 'Settings of sockflux-probe(8).'),
    term('/etc/sockflux/collector.yaml', 'Settings of sockflux-collector(8).'),
    heading('description'),
    paragraph(
      'YAML. The keys stand at the top level, or below the name of the program when both share a file. A flag wins over a variable, a variable over the file, the file over the default. A variable with a list has commas between the values. Every mistake is named with its line:',
    ),
    example(['sockflux config check', 'sockflux config show']),
    ...Object.entries(PROGRAMS).flatMap(([name, { settings }]) => [
      heading(`keys of the ${name}`),
      ...Object.entries(settings).map(([key, row]) =>
        term(`${snake(key)}: ${placeholderOf(row)}`, `${sentence(row.help)} ${from(key, row)}`),
      ),
    ]),
    heading('see also'),
    'sockflux(1), sockflux\\-probe(8), sockflux\\-collector(8)',
  ])
}

const placeholderOf = ({ value, list, secret }: Setting): string => {
  const one = value ?? (secret ? '<text>' : 'true or false')
  return list ? `[${one}, ...]` : one
}

/** Its default, if it is more than the help says, and its variables but the former one. */
function from(key: string, { former: _, ...row }: Setting): string {
  const fallback = row.ofMachine ? '' : [defaultOf(row)].flat().join(', ')
  const names = variables(key, row).map(name => (row.secret ? `${name} or ${name}_FILE` : name))
  const shown = fallback === '' ? '' : `Default: ${fallback}${unitOf(row, ' ')}. `
  return `${shown}Variable: ${names.join(', ')}.`
}
