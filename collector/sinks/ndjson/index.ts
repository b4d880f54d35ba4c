import { setting } from '../../../wire/settings/settings.ts'
import { bytes, text, whole } from '../../../wire/settings/types.ts'
import { descriptor, optional } from '../descriptor.ts'

/** Records of conversations as lines of JSON. */
export const ndjson = descriptor({
  name: 'ndjson',
  settings: {
    flowFile: optional({
      type: text(),
      value: '<file>',
      help: 'write a line of JSON for each record of a conversation to this file, or with - to standard output; implies --flows',
    }),
    flowFileSize: setting({
      type: bytes(2 ** 16),
      fallback: 64 * 2 ** 20,
      value: '<size>',
      help: 'beyond this size the file is renamed to <file>.1, that to <file>.2, and a new one begins',
    }),
    flowFiles: setting({
      type: whole(1, 1000),
      fallback: 5,
      value: '<number>',
      help: 'files of flow records that are kept, the present one included',
    }),
  },
  wants: { samples: 'none', distributions: false, flows: 'always' },
  chosen: 'by its settings',
  isConfigured: ({ flowFile }) => flowFile !== undefined,

  async open({ flowFile = '-', flowFileSize, flowFiles }) {
    const { NdjsonSink } = await import('./ndjson.ts')
    const sink = await NdjsonSink.open({ path: flowFile, maxBytes: flowFileSize, maxFiles: flowFiles })
    return { sink, counters: () => sink.counters }
  },
})
