/** `sockflux top`: its flags. */

import { type Command, Option } from 'commander'
import { collectorSettings } from '../../collector/options.ts'
import { escaped } from '../../wire/json_text.ts'
import { stopping } from '../../wire/process/signals.ts'
import { readSettings } from '../../wire/settings/read.ts'
import { addFlags } from '../../wire/settings/settings.ts'
import { print } from '../client.ts'
import { watch } from './live.ts'
import { plainText } from './plain.ts'
import { Source } from './source.ts'
import { State, VIEWS, type ViewName } from './state.ts'
import { flowQuery } from './views.ts'

const { socket } = collectorSettings

export function addTop(program: Command): void {
  const command = program
    .command('top')
    .description(
      'live tables of containers, pods, processes, flows, peers and interfaces, and what is wrong; ? shows the keys',
    )
  addFlags(command, 'collector', { socket })
  command
    .addOption(new Option('--view <name>', 'what is shown first').choices(VIEWS).default('containers'))
    .option('--filter <words>', 'only rows that have all of these words')
    .option('--once', 'print the table once')
    .option(
      '--json',
      'print once, as JSON, with conversations and who talks to whom where the collector keeps flows',
    )
  command.action(async flags => {
    const { socket } = readSettings(collectorSettings, 'collector', flags, process.env)
    const state = new State()
    state.show(flags['view'] as ViewName)
    state.filter = String(flags['filter'] ?? '')
    if (flags['json']) await printJson(socket)
    else if (flags['once']) await printOnce(socket, state)
    else await watchHere(socket, state)
  })
}

/** All that there is, up to what the collector gives at once. */
const ALL_FLOWS = { limit: '10000' }

async function printJson(socket: string): Promise<void> {
  const { hosts, flows, peers } = await new Source(socket).snapshot(ALL_FLOWS)
  const all = { hosts, peers: peers?.peers ?? null, flows: flows?.flows ?? null }
  await print(process.stdout, `${escaped(JSON.stringify(all, null, 2))}\n`)
}

async function printOnce(socket: string, state: State): Promise<void> {
  const snapshot = await new Source(socket).snapshot(flowQuery(state))
  await print(process.stdout, plainText(snapshot, state, Date.now() / 1000))
}

async function watchHere(socket: string, state: State): Promise<void> {
  const quit = new AbortController()
  const stopped = AbortSignal.any([quit.signal, stopping()])
  await watch({ socket, state, stopped, quit: () => quit.abort() })
}
