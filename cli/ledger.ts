/** `sockflux ledger`: what became of the windows of each host and of the samples of each sink. */

import type { Command } from 'commander'
import type { LedgerView } from '../collector/ledger/ledger.ts'
import { collectorSettings } from '../collector/options.ts'
import { readSettings } from '../wire/settings/read.ts'
import { addFlags } from '../wire/settings/settings.ts'
import { ask, print } from './client.ts'
import { tableOf } from './format.ts'

const { socket } = collectorSettings

type Amounts = Readonly<Record<string, number>>
interface Accounts {
  readonly produced: object
  readonly stored: object
  readonly refused: object
  readonly lost: Readonly<Record<string, object>>
  readonly waiting: object
}

export function addLedger(program: Command): void {
  const command = program
    .command('ledger')
    .description('what became of windows and samples: produced = stored + refused + lost + waiting')
    .option('--json', 'print JSON')
  addFlags(command, 'collector', { socket })
  command.action(async (flags: Readonly<Record<string, unknown>>) => {
    const values = readSettings(collectorSettings, 'collector', flags, process.env)
    const { status, body } = await ask(values.socket, 'GET', '/ledger')
    if (status === 404) throw new Error('the collector is older than this command: update it')
    if (status !== 200) throw new Error(`the collector answered ${status}`)
    await print(process.stdout, flags['json'] ? `${body}\n` : textOf(JSON.parse(body) as LedgerView))
  })
}

/** @returns for people */
export function textOf({ since, file, probes, sinks }: LedgerView): string {
  const kept = file === undefined ? 'not kept over restarts: there is no spool' : `kept in ${file}`
  const hosts = probes.flatMap(({ host, ...accounts }) => rowsOf(host, ['windows', 'rows'], accounts))
  const stores = sinks.flatMap(({ sink, ...accounts }) => rowsOf(sink, ['batches', 'samples'], accounts))
  const columns = ['of', 'produced', 'stored', 'refused', 'lost', 'waiting', 'lost why']
  return [
    `since ${since}, ${kept}`,
    '',
    hosts.length > 0 ? tableOf(['host', ...columns], hosts) : 'no window of any host has ended\n',
    tableOf(['sink', ...columns], stores),
  ].join('\n')
}

function rowsOf(name: string, units: readonly string[], accounts: Accounts): (string | number)[][] {
  return units.map((unit, at) => {
    const of = (amounts: object) => (amounts as Amounts)[unit] ?? 0
    const { produced, stored, refused, lost, waiting } = accounts
    const reasons = Object.entries(lost).filter(([, amounts]) => of(amounts) > 0)
    const sum = reasons.reduce((sum, [, amounts]) => sum + of(amounts), 0)
    const why = reasons.map(([reason, amounts]) => `${reason} ${of(amounts)}`).join(', ')
    return [at === 0 ? name : '', unit, of(produced), of(stored), of(refused), sum, of(waiting), why]
  })
}
