import { refuseForeign } from '../../../wire/process/foreign.ts'
import { setting } from '../../../wire/settings/settings.ts'
import { bytes, text, whole } from '../../../wire/settings/types.ts'
import { directoryFault, makeDirectory } from '../../directory.ts'
import { Problem } from '../../routes.ts'
import { descriptor } from '../descriptor.ts'

const QUERY_LIMITS = { maxRows: 10_000, maxCharacters: 16 * 2 ** 20, timeoutMs: 10_000 }

export const embedded = descriptor({
  name: 'embedded',
  settings: {
    store: setting({
      type: text(),
      fallback: '/var/lib/sockflux',
      value: '<directory>',
      help: 'directory of the embedded store',
    }),
    storeDays: setting({
      type: whole(1, 36_500),
      fallback: 7,
      value: '<days>',
      help: 'the embedded store removes days older than this',
    }),
    storeSize: setting({
      type: bytes(2 ** 20),
      fallback: 2 ** 30,
      value: '<size>',
      help: 'the embedded store removes its oldest day beyond this size, for example 1G',
    }),
  },
  wants: { samples: 'profile', distributions: false, flows: 'if made' },
  chosen: 'by name',
  isFallback: true,
  isConfigured: () => true,
  answersQueries: true,

  check({ store }, given, isOpen) {
    const fault = isOpen ? directoryFault(store) : undefined
    return fault === undefined ? [] : [{ text: `${given('store') ?? '--store'}: ${fault}` }]
  },

  async open({ store, storeDays, storeSize }, { log }) {
    refuseForeign(store, '--store')
    makeDirectory(store, '--store', 0o700)
    // imported late: DuckDB takes memory, and most collectors write to InfluxDB
    const { EmbeddedSink } = await import('./embedded.ts')
    const { queryRoute } = await import('./select.ts')
    const { historyOf } = await import('./history.ts')
    const sink = await EmbeddedSink.open({
      directory: store,
      maxAgeDays: storeDays,
      maxBytes: storeSize,
      log,
    })
    return {
      sink,
      routes: { 'POST /query': queryRoute(sink, QUERY_LIMITS) },
      history: historyOf(queryRoute(sink, QUERY_LIMITS)),
      counters: () => sink.counters,
      unready: () => sink.health(),
      live: {
        storeDays: (maxAgeDays: number) => sink.limit({ maxAgeDays }),
        storeSize: (maxBytes: number) => sink.limit({ maxBytes }),
      },
    }
  },

  closed: {
    'POST /query': async () => {
      throw new Problem(
        404,
        'this collector has no embedded store: query its InfluxDB, or start it with --sink influxdb --sink embedded',
      )
    },
  },
})
