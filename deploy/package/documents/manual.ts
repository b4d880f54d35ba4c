/** The manual pages, from the commands and the tables of settings. */

import type { Command, Option } from 'commander'
import { collectorSettings } from '../../../collector/options.ts'
import { probeSettings } from '../../../probe/options.ts'
import { type Setting, type Settings, snake, variables } from '../../../wire/settings/settings.ts'
import { bold, example, heading, italic, page, paragraph, subheading, term } from './roff.ts'

interface Edition {
  readonly date: string
  readonly version: string
}
/** The text of each page by the name of its file: `sockflux.1`. */
type Pages = Readonly<Record<string, string>>

const PROGRAMS: Readonly<
  Record<string, { readonly does: string; readonly settings: Settings; readonly about: string }>
> = {
  probe: {
    does: 'counts the network conversations of this host',
    settings: probeSettings,
    about:
      'Attaches eBPF programs to the kernel, gives every TCP and UDP socket to its process, container and pod, and sends a window of rows to its collectors at each interval. It needs the capabilities that sockflux doctor names.',
  },
  collector: {
    does: 'folds what probes send and stores samples',
    settings: collectorSettings,
    about:
      'Receives the rows of probes, adds them up by container, pod, host and process, and writes samples to its sinks: InfluxDB, Prometheus or an embedded store. It needs no privilege.',
  },
}

export function manual(program: Command, edition: Edition): Pages {
  const commands = program.commands
  const pages: Record<string, string> = {
    'sockflux.1': ofCommand(program, commands, edition),
    'sockflux.yaml.5': ofSettings(edition),
  }
  for (const [name, { does, about, settings }] of Object.entries(PROGRAMS)) {
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
      heading('files'),
      term(`/etc/sockflux/${name}.yaml`, 'Settings, see sockflux.yaml(5).'),
      heading('see also'),
      'sockflux(1), sockflux.yaml(5)',
    ])
  }
  return pages
}

/** What is neither hidden nor `--help`. */
const shownOptions = (command: Command): readonly Option[] =>
  command.options.filter(option => !option.hidden && !['--help', '--version'].includes(option.long ?? ''))

/** The text of a setting is the table's: that of `--help` has the defaults of this machine. */
const options = (command: Command, settings: Settings = {}): string[] =>
  shownOptions(command).map(option => {
    const { flags, description } = option
    const name = option.attributeName()
    const row = settings[name]
    return term(flags, row ? `${sentence(row.help)} ${from(name, row)}` : sentence(description))
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
    'sockflux \\- network conversations per container and pod, from the sockets of the kernel',
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
    heading('see also'),
    'sockflux\\-probe(8), sockflux\\-collector(8), sockflux.yaml(5)',
  ])
}

function described(command: Command, path: string): string[] {
  const words = command.registeredArguments.map(argument => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`
    return argument.required ? `<${name}>` : `[${name}]`
  })
  const below = command.commands.filter(({ commands }) => commands.length > 0)
  return [
    subheading([path, ...words].join(' ')),
    paragraph(sentence(command.description())),
    ...options(command),
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
        term(snake(key), `${sentence(row.help)} ${from(key, row)}`),
      ),
    ]),
    heading('see also'),
    'sockflux(1), sockflux\\-probe(8), sockflux\\-collector(8)',
  ])
}

function from(key: string, row: Setting): string {
  const shown = row.fallback === undefined || row.ofMachine ? '' : [row.fallback].flat().join(', ')
  const names = variables(key, row).map(name => (row.secret ? `${name} or ${name}_FILE` : name))
  return `${row.ofMachine ? 'The default depends on the machine' : shown === '' ? 'No default' : `Default: ${shown}`}; variable: ${names.join(', ')}.`
}
