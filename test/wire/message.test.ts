import fc from 'fast-check'
import t from 'tap'
import { decodeAck, encodeAck, encodeRefused } from '../../wire/ack.ts'
import { MalformedError } from '../../wire/check.ts'
import {
  decode,
  encodeMessage,
  encodeSettled,
  encodeWindow,
  type Head,
  type Names,
  SETTLED,
  WINDOW,
  type WindowHead,
  type WindowNames,
} from '../../wire/message.ts'
import { ParsedFrames } from '../../wire/parsed_frames.ts'
import { READERS, topicFrame, VERSION } from '../../wire/version.ts'
import { bundleOf } from '../harness/bundle.ts'

const layout = {
  name: 'tcp_flow',
  size: 4,
  fields: [{ name: 'pid', offset: 0, size: 4, type: 'u32' }],
} as const
const head: Head = {
  host: 'h',
  boot: 'b',
  probe: 'p',
  window: 3,
  sequence: 7,
  start_ns: '18446744073709551615',
  lost: { 'kernel/slot': 2 },
}
const names: Names = {
  cgroups: { '1:2': 'a' },
  netns: { '4026531840': 'a' },
  containers: { a: { runtime: 'cri', name: 'web', pod: 'u', labels: { team: 'x' } } },
  pods: { u: { name: 'web-0', namespace: 'shop' } },
}
const windowHead: WindowHead = {
  ...head,
  end_ns: '20',
  time: 1_767_323_040,
  interval: 10,
  clock_offset_ns: '-5',
  partial: false,
}
const windowWho: WindowNames = { ...names, running: ['a'] }
const none = Buffer.alloc(0)
const rows = { layout, bytes: Buffer.alloc(12, 1) }
const bundle = bundleOf(rows)
const rowsMessage = () => encodeMessage(head, bundle, names)
const windowMessage = () => encodeWindow(windowHead, bundle, windowWho)

/** Why the frames are refused; undefined when they are not. Anything but MalformedError is thrown on. */
function reasonOf(frames: readonly Buffer[], read: (frames: readonly Buffer[]) => unknown = decode) {
  try {
    read(frames)
    return undefined
  } catch (error) {
    if (!(error instanceof MalformedError) || !/^[a-z_]+$/.test(error.reason)) throw error
    return error.reason
  }
}
const withHead = (change: object) => encodeMessage({ ...head, ...change }, bundle, names)
const withWho = (change: object) => encodeMessage(head, bundle, { ...names, ...change })
const json = (text: string) => Buffer.from(text)
const withLayout = (value: unknown) => rowsMessage().with(2, json(JSON.stringify([value])))

t.test('what was encoded is decoded', async t => {
  const parts = [rows]
  t.same(decode(rowsMessage()), {
    version: VERSION,
    topic: 'rows',
    head: { ...head, bytes: [12] },
    parts,
    names,
  })
  const last = {
    version: VERSION,
    topic: WINDOW,
    head: { ...windowHead, bytes: [12] },
    parts,
    names: windowWho,
  }
  t.same(decode(windowMessage()), last)
  const other = { layout: { ...layout, name: 'udp_flow' }, bytes: Buffer.alloc(8, 2) }
  t.match(decode(encodeMessage(head, bundleOf(rows, other, rows), names)), { parts: [rows, other, rows] })
  t.match(decode(encodeMessage(head, bundleOf(), names)), { parts: [] })
  const key = { host: 'h', boot: 'b', probe: 'p', window: 3 }
  t.same(decodeAck(encodeAck(key)), key)
})

t.test('any names survive the way, also those of Object.prototype', async t => {
  const name = fc.oneof(
    fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty'),
    fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme' }),
  )
  const dictionary = fc.array(fc.tuple(name, name)).map(pairs => Object.fromEntries(pairs))
  fc.assert(
    fc.property(name, dictionary, (id, cgroups) => {
      const containers = Object.fromEntries([[id, { runtime: 'r', labels: cgroups }]])
      const sent = { cgroups, containers, pods: Object.fromEntries([[id, { name: id, namespace: '' }]]) }
      const { names: got } = decode(encodeMessage(head, bundle, sent)) as { names: Names }
      t.same(JSON.parse(JSON.stringify(got)), JSON.parse(JSON.stringify(sent)))
      t.equal(Object.getPrototypeOf(got.containers), Object.prototype)
      t.same(Object.keys(got.containers), [id])
    }),
    { numRuns: 200 },
  )
})

t.test('fields that we do not know are fine', async t => {
  const fields = [...layout.fields, { name: 'new', offset: 0, size: 4, type: 'bytes', note: 'x' }]
  t.equal(reasonOf(withHead({ extra: { a: [1] } })), undefined)
  const newer = { ...layout, name: 'icmp_flow', fields, alignment: 8 }
  t.equal(reasonOf(withLayout(newer)), undefined, 'and so are new records')
  t.equal(reasonOf(withWho({ services: { x: 1 }, __proto__: 1 })), undefined)
})

t.test('another version is refused before anything else, with both and what to update', async t => {
  const key = { host: 'h', boot: 'b', probe: 'p', window: 3 }
  const inVersion = (topic: string, version: number) => [
    topicFrame(topic, version),
    json('not what you know'),
  ]
  for (const [version, old] of [
    [1, 'probe'],
    [VERSION + 1, 'collector'],
    [999_999_999, 'collector'],
  ] as const)
    t.throws(() => decode(inVersion(version === 1 ? 'rows' : 'flows', version)), {
      ...{ name: 'MalformedError', reason: 'version', version },
      message: `the probe speaks version ${version} of the wire, this collector version ${VERSION}: update the ${old}`,
    })
  for (const [frames, version, old] of [
    [encodeAck(key, 1), 1, 'collector'],
    [inVersion('refused', VERSION + 1), VERSION + 1, 'probe'],
  ] as const)
    t.throws(() => decodeAck(frames), {
      reason: 'version',
      message: `the collector speaks version ${version} of the wire, this probe version ${VERSION}: update the ${old}`,
    })
  const both = new Map([...READERS, [VERSION + 1, (frames: readonly Buffer[]) => frames]])
  t.throws(() => decode(inVersion('rows', 1), undefined, both), {
    message: `the probe speaks version 1 of the wire, this collector versions ${VERSION} and ${VERSION + 1}: update the probe`,
  })
  t.equal(reasonOf(encodeRefused(), decodeAck), 'frames', 'of our own version nobody says that')
})

/** Golden: what version 1 and 2 say, as they were sent; the second was checked by hand against `wire/version.ts`. */
t.test('acknowledgements of each version stay as they are', async t => {
  const key = { host: 'h', boot: 'b', probe: 'p', window: 3 }
  const text = '{"host":"h","boot":"b","probe":"p","window":3}'
  const textsOf = (frames: readonly Buffer[]) => frames.map(String)
  t.same(textsOf(encodeAck(key, 1)), ['ack', text])
  t.same(textsOf(encodeAck(key, 2)), ['ack/2', text])
  t.same(textsOf(encodeRefused()), ['refused/2'])
  t.same(decodeAck(['ack/2', text].map(json)), key)
})

t.test('each lie has its reason', async t => {
  t.equal(reasonOf([]), 'frames')
  t.equal(reasonOf(rowsMessage().slice(1)), 'topic')
  t.equal(reasonOf(rowsMessage().slice(0, 4)), 'frames')
  t.equal(reasonOf([...rowsMessage(), none]), 'frames')
  t.equal(reasonOf(windowMessage().slice(0, 5)), 'frames')
  for (const name of [
    '',
    'Rows',
    '__proto__',
    'a'.repeat(65),
    'rows\n',
    'rows/2\n',
    'rows/',
    'rows/02',
    'rows/1',
  ])
    t.equal(reasonOf(rowsMessage().with(0, json(name))), 'topic', name)
  t.equal(reasonOf(rowsMessage().with(0, json(`other/${VERSION}`))), 'topic')
  for (const text of ['', 'null', '7', '[]', '"x"', '{', rowsMessage()[1]!.toString().slice(0, -1)]) {
    t.equal(reasonOf(rowsMessage().with(1, json(text))), 'head_json', text)
    t.equal(reasonOf(rowsMessage().with(4, json(text))), 'names_json', text)
    t.equal(reasonOf(windowMessage().with(5, json(text))), 'running_json', text)
  }
  for (const text of ['', '[', 'layouts'])
    t.equal(reasonOf(rowsMessage().with(2, json(text))), 'layouts_json')
  for (const text of ['null', '{}', '7', JSON.stringify(Array.from({ length: 257 }, () => layout))])
    t.equal(reasonOf(rowsMessage().with(2, json(text))), 'layouts', text)
  t.equal(reasonOf(rowsMessage().with(2, json('[]'))), 'head_bytes')
  const headWith = (bytes: unknown) => rowsMessage().with(1, json(JSON.stringify({ ...head, bytes })))
  for (const bytes of [undefined, 12, [-1], ['12'], [12, 0], Array.from({ length: 257 }, () => 0)])
    t.equal(reasonOf(headWith(bytes)), 'head_bytes')
  for (const name of ['host', 'boot', 'probe', 'window', 'sequence', 'start_ns', 'lost'] as const)
    for (const value of [undefined, null, -1, 1.5, [], { a: -1 }, ''])
      t.equal(reasonOf(withHead({ [name]: value })), `head_${name}`, `${name} ${JSON.stringify(value)}`)
  for (const name of ['cgroups', 'containers', 'pods'] as const)
    for (const value of [undefined, null, 7, [], { a: 7 }, { a: null }])
      t.equal(reasonOf(withWho({ [name]: value })), `names_${name}`)
  t.equal(reasonOf(withWho({ containers: { a: { runtime: 'r', pending: 'yes' } } })), 'names_containers')
  t.equal(reasonOf(withWho({ pods: { u: { name: '', namespace: '' } } })), 'names_pods')
  const long = 'x'.repeat(513)
  t.equal(
    reasonOf(withWho({ containers: { [long]: { runtime: 'r' } } })),
    'names_containers',
    'a name without end',
  )
  const labels = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`l${index}`, '']))
  t.equal(
    reasonOf(withWho({ containers: { a: { runtime: 'r', labels } } })),
    'names_containers',
    'labels without end',
  )
  t.equal(reasonOf(encodeWindow(windowHead, bundle, names as WindowNames)), 'names_running')
  for (const change of [{ time: -1 }, { time: 1e15 }, { interval: 0 }, { interval: 3601 }, { partial: 0 }])
    t.match(reasonOf(encodeWindow({ ...windowHead, ...change } as WindowHead, bundle, windowWho)), /^head_/)
})

t.test('rows are a whole number of records of layouts that fit', async t => {
  const reason = (bytes: number, change: object) =>
    reasonOf(
      rowsMessage()
        .with(1, json(JSON.stringify({ ...head, bytes: [bytes] })))
        .with(2, json(JSON.stringify([{ ...layout, ...change }])))
        .with(3, Buffer.alloc(8)),
    )
  t.equal(reason(8, {}), undefined)
  for (const bytes of [0, 4, 7, 12]) t.equal(reason(bytes, {}), 'rows', String(bytes))
  for (const size of [0, 3, 65_537, -4, 1e300]) t.equal(reason(8, { size }), 'layouts', String(size))
  t.equal(reason(8, { size: 1, fields: [] }), undefined)
  const many = { layout: { ...layout, size: 1, fields: [] }, bytes: Buffer.alloc(2 ** 20 + 1) }
  t.equal(reasonOf(encodeMessage(head, bundleOf(many), names)), 'rows', 'and not more than a million')
})

t.test('layouts that were said before are not parsed again, in whatever company', async t => {
  const known = new ParsedFrames<Names>()
  const layoutsOf = (...records: string[]) => {
    const parts = records.map(name => ({ ...rows, layout: { ...layout, name } }))
    const message = decode(encodeMessage(head, bundleOf(...parts), names), known)
    return 'parts' in message ? message.parts.map(({ layout }) => layout) : []
  }
  const [first] = layoutsOf('tcp_flow')
  t.equal(layoutsOf('tcp_flow')[0], first)
  t.equal(layoutsOf('udp_flow', 'tcp_flow')[1], first)
  for (let other = 0; other < 300; other++) layoutsOf(`record${other}`)
  t.not(layoutsOf('tcp_flow')[0], first, 'they are bounded')
  const long = encodeMessage(head, bundle, names).with(
    2,
    json(`[${JSON.stringify(layout)}${' '.repeat(70_000)}]`),
  )
  t.match(decode(long, known), { parts: [{ layout: { name: 'tcp_flow' } }] })
})

t.test('with more names than there is room for, some are known in every turn', async t => {
  const own = encodeMessage(head, bundle, names)[4]!.length + 2048
  const known = new ParsedFrames<Names>(3 * own)
  const turn = (probes: readonly number[]) =>
    probes.map(probe => {
      const message = decode(encodeMessage({ ...head, probe: `p${probe}` }, bundle, names), known)
      return 'names' in message ? message.names : undefined
    })
  const all = [0, 1, 2, 3, 4, 5]
  const first = turn(all)
  const same = turn(all).filter((names, index) => names === first[index])
  t.equal(same.length, 3)
  for (let later = 0; later < 20; later++) turn([3, 4, 5])
  const now = turn([3, 4, 5])
  t.same(
    turn([3, 4, 5]).map((names, index) => names === now[index]),
    [true, true, true],
    'and those of probes that are gone make room',
  )
})

t.test('random frames are refused with a reason and never by another error', async () => {
  const text = fc.oneof(fc.json(), fc.string()).map(json)
  const frame = fc.oneof(
    fc.uint8Array({ maxLength: 64 }).map(bytes => Buffer.from(bytes)),
    text,
  )
  const frames = fc.oneof(
    fc.array(frame, { maxLength: 7 }),
    fc.tuple(fc.constantFrom(json('rows/2'), json('window/2')), frame, frame, frame, frame, frame),
  )
  fc.assert(
    fc.property(frames, frames => {
      reasonOf(frames, decodeAck)
      return frames.length === 0 || reasonOf(frames) !== undefined
    }),
    { numRuns: 2000 },
  )
})

t.test('valid frames with damage are refused with a reason or decode', async () => {
  const damage = fc.record({
    window: fc.boolean(),
    frame: fc.nat(5),
    at: fc.nat(),
    bytes: fc.uint8Array({ maxLength: 3 }),
    remove: fc.nat(4),
    cut: fc.boolean(),
  })
  fc.assert(
    fc.property(damage, ({ window, frame, at, bytes, remove, cut }) => {
      const frames = window ? windowMessage() : rowsMessage()
      const old = frames[frame] ?? none
      const start = at % (old.length + 1)
      frames[frame] = Buffer.concat([
        old.subarray(0, start),
        bytes,
        cut ? none : old.subarray(start + remove),
      ])
      reasonOf(frames)
    }),
    { numRuns: 3000 },
  )
})

t.test('any value in any place of head, layout and who is refused with a reason or decodes', async () => {
  const headNames = Object.keys(windowHead)
  fc.assert(
    fc.property(
      fc.constantFrom(...headNames),
      fc.constantFrom(...Object.keys(windowWho)),
      fc.jsonValue(),
      (a, b, value) => {
        reasonOf(withHead({ [a]: value }))
        reasonOf(rowsMessage().with(2, json(JSON.stringify(value))))
        reasonOf(withLayout({ ...layout, name: value, size: value }))
        reasonOf(withLayout({ ...layout, fields: value }))
        reasonOf(withLayout({ ...layout, fields: [value] }))
        reasonOf(withWho({ [b]: value }))
        reasonOf(
          encodeWindow({ ...windowHead, [a]: value }, bundle, { ...windowWho, [b]: value } as WindowNames),
        )
      },
    ),
    { numRuns: 2000 },
  )
})

t.test('a who that a probe has said before is not parsed again; another probe says its own', async t => {
  const known = new ParsedFrames<Names>()
  const message = (probe: string, said: Names) =>
    decode(encodeMessage({ ...head, probe }, bundle, said), known) as { names: Names }
  const first = message('p', names).names
  t.same(first, names)
  t.equal(message('p', names).names, first)
  t.not(message('q', names).names, first)
  const changed = { ...names, pods: {} }
  t.same(message('p', changed).names, changed)
  t.same(message('p', names).names, names, 'only the last one is known')
  const small = new ParsedFrames<Names>(10)
  const again = () => (decode(encodeMessage(head, bundle, names), small) as { names: Names }).names
  t.not(again(), again(), 'it is bounded by bytes')
})

t.test('what is settled comes as it was sent', async t => {
  const { start_ns: _, ...rest } = head
  const settled = { ...rest, elsewhere: true }
  t.same(decode(encodeSettled(settled)), { version: VERSION, topic: SETTLED, head: settled })
  for (const wrong of [{ window: -1 }, { sequence: undefined }, { lost: [] }, { elsewhere: 1 }])
    t.match(reasonOf(encodeSettled({ ...settled, ...(wrong as object) })), /^head_/)
})
