/** `sockflux replay`: windows that are in the stream of NATS servers, written once more. */

import type { Command } from 'commander'
import { pino } from 'pino'
import { collectorSettings } from '../collector/options.ts'
import { stopping } from '../wire/process/signals.ts'
import { natsSettings } from '../wire/settings/nats.ts'
import { readSettings } from '../wire/settings/read.ts'
import { addFlags, addOptions, setting } from '../wire/settings/settings.ts'
import { whole, yesNo } from '../wire/settings/types.ts'
import { print } from './client.ts'
import { moment, momentOf } from './setup/moment.ts'

const { listen, profile, sink, influxUrl, influxDatabase } = collectorSettings
const TIME = '<time>'

export const replaySettings = {
  from: setting<string>({
    type: moment(),
    fallback: '',
    value: TIME,
    help: 'first window: 2h (ago), 2026-01-31 or 2026-01-31T08:00:00Z',
  }),
  to: setting<string>({ type: moment(), fallback: '0s', value: TIME, help: 'last window' }),
  rate: setting({
    type: whole(0, 1_000_000),
    fallback: 0,
    value: '<windows>',
    help: 'at most so many windows a second; 0: as fast as the database takes them',
  }),
  fromZero: setting({
    type: yesNo(),
    fallback: false,
    help: 'counters begin at 0 where their former value is not known: for a database without later points',
  }),
}

const HELP = `
Windows become the same points as before: InfluxDB writes them over each other,
VictoriaMetrics needs -dedup.minScrapeInterval=1ms. Collectors go on meanwhile.
Records of flows and Prometheus are left alone. All other settings of the
collector come from the environment or the file.`

export function addReplay(program: Command): void {
  const command = program
    .command('replay')
    .description('write windows of a NATS stream once more, with the counters that they had')
  addFlags(command, 'collector', { listen, ...natsSettings, profile, sink, influxUrl, influxDatabase })
  addOptions(command, replaySettings)
  command.addHelpText('after', HELP)
  command.action(async (flags: Readonly<Record<string, unknown>>) => {
    const own = readSettings(replaySettings, 'replay', flags, process.env, { inFile: false })
    const options = readSettings(collectorSettings, 'collector', flags, process.env)
    const range = rangeOf(own.from, own.to)
    const { replay } = await import('../collector/replay/run.ts')
    await replay(options, {
      ...{ ...range, rate: own.rate, fromZero: own.fromZero, version: program.version() ?? 'unknown' },
      log: pino({ level: 'warn' }, process.stderr),
      stopped: stopping(),
      say: text => print(process.stdout, `${text}\n`),
    })
  })
}

/** @throws when it is none */
export function rangeOf(given: string, until: string, now = Date.now() / 1000): { from: number; to: number } {
  if (given === '') throw new Error('replay: give --from, the time of the first window')
  const [from, to] = [momentOf(given, now), momentOf(until, now)]
  if (from > to) throw new Error(`replay: --from ${given} is later than --to ${until}: exchange them`)
  return { from, to }
}
