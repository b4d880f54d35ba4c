/** `node embedded_writer.ts DIRECTORY`: writes window after window, says which are stored, until it is killed. */
import { pino } from 'pino'
import { EmbeddedSink } from '../../collector/sinks/embedded/embedded.ts'
import { batch, sample, start } from './samples.ts'

const sink = await EmbeddedSink.open({
  directory: process.argv[2]!,
  maxAgeDays: 7,
  maxBytes: 1 << 30,
  log: pino({ level: 'silent' }),
  now: () => start * 1000,
})
const samples = Array.from({ length: 500 }, (_, i) => sample([i, 0.5], { container: `c${i}` }))
for (let window = 0; ; window++) {
  // Every other window brings a column that was not there before.
  const extra = { name: 'pod:rtt', fields: [`as_client`, ...(window % 2 ? [`f${window}`] : [])] }
  await sink.write(batch(window, [...samples, sample([1, 2], { pod: 'p' }, extra)]))
  process.stdout.write(`${window}\n`)
}
