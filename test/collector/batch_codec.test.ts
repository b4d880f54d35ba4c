import { text as textOf } from 'node:stream/consumers'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import type { Batch, DistributionSample, Measurement, Tags } from '../../collector/batch.ts'
import { BATCH_VERSION, BatchError, decodeBatch, encodeBatch } from '../../collector/batch_codec.ts'
import { catalogue } from '../../collector/metrics/catalogue.ts'
import { STEPS } from '../../collector/metrics/steps.ts'
import { PrometheusSink } from '../../collector/sinks/prometheus/prometheus.ts'
import { openStore, rows, temporary } from '../harness/embedded.ts'
import { batch, linesOf, pointsOf, samplesOf } from '../harness/samples.ts'

const measurementOf = (name: string): Measurement => {
  const { fields } = catalogue.find(metric => metric.name === name)!
  return { name, fields: fields.map(({ name }) => name) }
}
const MEASUREMENTS = ['container:num_flows', 'pod:traffic', 'container:connect', 'collector:lost'].map(
  measurementOf,
)

const tags: fc.Arbitrary<Tags> = fc
  .array(
    fc.tuple(
      fc.constantFrom('ifid', 'container', 'host', 'label_a b', '__proto__'),
      fc.string({ unit: 'grapheme' }),
    ),
  )
  .map(pairs => Object.fromEntries(pairs))
const value = fc.oneof(
  { weight: 4, arbitrary: fc.double() },
  fc.constantFrom(undefined, 0, -0, 1 / 3, Number.POSITIVE_INFINITY, Number.NaN, 2 ** 53),
)
/** As samplers give them: one object for all samples of a container. */
const batches: fc.Arbitrary<Batch> = fc.array(tags, { minLength: 1, maxLength: 5 }).chain(all => {
  const points = fc.constantFrom(...MEASUREMENTS).chain(measurement =>
    fc.record({
      measurement: fc.constant(measurement),
      tags: fc.constantFrom(...all),
      values: fc.tuple(...measurement.fields.map(() => value)),
    }),
  )
  const distributions: fc.Arbitrary<DistributionSample> = fc.record({
    measurement: fc.constant(MEASUREMENTS[2]!),
    tags: fc.constantFrom(...all),
    distribution: fc.record({
      counts: fc.tuple(...[...STEPS, 0].map(() => fc.nat())),
      sum: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
    }),
  })
  return fc.record({
    id: fc.record(
      {
        ...{ host: fc.string(), boot: fc.string(), probe: fc.string(), window: fc.nat() },
        part: fc.constant('late' as const),
      },
      { requiredKeys: ['host', 'boot', 'probe', 'window'] },
    ),
    time: fc.nat(),
    interval: fc.integer({ min: 1, max: 3600 }),
    samples: fc.array(points, { maxLength: 20 }).map(samplesOf),
    distributions: fc.array(distributions, { maxLength: 5 }),
  })
})

async function shown(batch: Batch): Promise<string> {
  const sink = new PrometheusSink({ version: 'x', now: () => 0 })
  const { part: _, ...id } = batch.id // what is late is shown with the next window
  await sink.write({ ...batch, id })
  const text = await textOf(sink.text())
  return text.slice(text.indexOf('# HELP sockflux_container'))
}

t.test('every sink writes a decoded batch as it writes the original', async t => {
  let lines = 0
  await fc.assert(
    fc.asyncProperty(batches, async batch => {
      const back = decodeBatch(encodeBatch(batch))
      lines += linesOf(batch).length
      t.same(linesOf(back), linesOf(batch), 'InfluxDB')
      t.equal(await shown(back), await shown(batch), 'Prometheus')
      t.same(pointsOf(back), pointsOf(batch), 'the rows of the embedded store')
      const { samples: _, distributions, ...rest } = batch
      t.match(back, rest)
      t.equal(back.id.part, batch.id.part)
      const sorted = (given: readonly DistributionSample[]) => given.map(one => JSON.stringify(one)).sort()
      t.same(sorted(back.distributions), sorted(distributions))
    }),
    { numRuns: 100 },
  )
  t.ok(lines > 100, `${lines} lines`)
})

t.test('the embedded store holds the same rows from a decoded batch', async t => {
  const points = MEASUREMENTS.map((measurement, at) => ({
    measurement,
    tags: { container: 'a', label_x: 'y "z"' },
    values: measurement.fields.map((_, field) => (at === field ? undefined : at + field / 3)),
  }))
  const given = batch(1, points)
  const stored = async (batch: Batch) => {
    const store = await openStore(t, await temporary(t))
    await store.write(batch)
    return Promise.all(MEASUREMENTS.map(({ name }) => rows(store, `select * from "${name}"`)))
  }
  const before = await stored(given)
  t.equal(before.flat().length, MEASUREMENTS.length)
  t.same(await stored(decodeBatch(encodeBatch(given))), before)
})

t.test('samples share their tags and measurements after decoding as before', async t => {
  const tags: Tags = { container: 'a' }
  const [a, b] = MEASUREMENTS
  const points = [a!, b!].map(measurement => ({ measurement, tags, values: measurement.fields.map(() => 1) }))
  const distribution = { counts: [...STEPS, 0].fill(1), sum: 1 }
  const { samples, distributions } = decodeBatch(
    encodeBatch({
      id: { host: 'h', boot: 'b', probe: 'p', window: 1 },
      ...{ time: 10, interval: 10, samples: samplesOf(points) },
      distributions: [{ measurement: a!, tags, distribution }],
    }),
  )
  const [first, second] = samples
  t.equal(first!.tags[0], second!.tags[0])
  t.equal(distributions[0]!.tags, first!.tags[0])
  t.equal(distributions[0]!.measurement, first!.measurement)
})

const some = encodeBatch({
  id: { host: 'h', boot: 'b', probe: 'p', window: 1 },
  ...{ time: 10, interval: 10, distributions: [] },
  samples: samplesOf([{ measurement: MEASUREMENTS[0]!, tags: { container: 'a' }, values: [1, 2] }]),
})
/** With a checksum that is right. */
const signed = (bytes: Buffer): Buffer => {
  bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4)
  return bytes
}

t.test('damaged bytes are refused', async t => {
  fc.assert(
    fc.property(fc.nat(some.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const bytes = Buffer.from(some)
      bytes[at]! ^= change
      t.throws(() => decodeBatch(bytes), BatchError)
    }),
  )
  for (const length of [0, 3, 11, some.length - 1])
    t.throws(() => decodeBatch(some.subarray(0, length)), BatchError)
})

t.test('another version is refused; the error names both versions', async t => {
  const bytes = Buffer.from(some)
  bytes[3] = BATCH_VERSION + 1
  t.throws(() => decodeBatch(signed(bytes)), {
    message: `the batch is of version ${BATCH_VERSION + 1}, this program reads version ${BATCH_VERSION}`,
  })
})

t.test('a head with a wrong field is refused with the name of the field', async t => {
  const head = JSON.parse(some.subarray(8, 8 + some.readUInt32LE(4)).toString())
  const withHead = (change: unknown, numbers = 2): Buffer => {
    const json = Buffer.from(JSON.stringify(change))
    const bytes = Buffer.alloc(8 + json.length + numbers * 8 + 4)
    some.copy(bytes, 0, 0, 4)
    bytes.writeUInt32LE(json.length, 4)
    json.copy(bytes, 8)
    return signed(bytes)
  }
  t.equal(decodeBatch(withHead(head)).time, 10)
  t.throws(() => decodeBatch(withHead(head, 1)), /fewer numbers/)
  t.throws(() => decodeBatch(withHead(head, 3)), /more numbers/)
  const samples = [{ ...head.samples[0], tags: [7] }]
  t.throws(() => decodeBatch(withHead({ ...head, samples })), /tags 7 of 1/)
  const key = fc.constantFrom(...Object.keys(head), 'measurement')
  fc.assert(
    fc.property(key, fc.jsonValue(), (key, value) => {
      try {
        decodeBatch(withHead({ ...head, [key]: value }))
      } catch (error) {
        if (!(error instanceof BatchError)) throw error
      }
    }),
  )
})
