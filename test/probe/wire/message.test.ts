import fc from 'fast-check'
import t from 'tap'
import { MalformedError } from '../../../probe/wire/check.ts'
import { Known } from '../../../probe/wire/known.ts'
import {
  decode,
  decodeAck,
  encode,
  encodeAck,
  encodeSettled,
  encodeWindow,
  type Head,
  SETTLED,
  type Who,
  WINDOW,
  type WindowHead,
  type WindowWho,
} from '../../../probe/wire/message.ts'

const layout = {
  name: 'tcp_flow',
  size: 4,
  fields: [{ name: 'pid', offset: 0, size: 4, type: 'u32' }],
} as const
const head: Head = {
  schema: 1,
  host: 'h',
  boot: 'b',
  probe: 'p',
  window: 3,
  sequence: 7,
  start_ns: '18446744073709551615',
  lost: { 'kernel/slot': 2 },
  layout,
}
const who: Who = {
  cgroups: { '1:2': 'a' },
  netns: { '4026531840': 'a' },
  containers: { a: { runtime: 'cri', name: 'web', pod: 'u', labels: { team: 'x' } } },
  pods: { u: { name: 'web-0', namespace: 'shop' } },
}
const { layout: _, ...bare } = head
const windowHead: WindowHead = {
  ...bare,
  end_ns: '20',
  time: 1_767_323_040,
  interval: 10,
  clock_offset_ns: '-5',
  partial: false,
}
const windowWho: WindowWho = { ...who, running: ['a'] }
const none = Buffer.alloc(0)
const rowsMessage = () => encode('tcp_flow', head, Buffer.alloc(12, 1), who)
const windowMessage = () => encodeWindow(windowHead, windowWho)

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
const withHead = (change: object) => encode('tcp_flow', { ...head, ...change }, Buffer.alloc(12), who)
const withWho = (change: object) => encode('tcp_flow', head, Buffer.alloc(12), { ...who, ...change })
const json = (text: string) => Buffer.from(text)

t.test('what was encoded is decoded', async t => {
  t.same(decode(rowsMessage()), { topic: 'tcp_flow', head, rows: Buffer.alloc(12, 1), who })
  t.same(decode(windowMessage()), { topic: WINDOW, head: windowHead, who: windowWho })
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
      const { who: got } = decode(encode('tcp_flow', head, none, sent)) as { who: Who }
      t.same(JSON.parse(JSON.stringify(got)), JSON.parse(JSON.stringify(sent)))
      t.equal(Object.getPrototypeOf(got.containers), Object.prototype)
      t.same(Object.keys(got.containers), [id])
    }),
    { numRuns: 200 },
  )
})

t.test('fields that we do not know are fine, a newer schema is not', async t => {
  const fields = [...layout.fields, { name: 'new', offset: 0, size: 4, type: 'bytes', note: 'x' }]
  const newer = { extra: { a: [1] }, layout: { ...layout, fields, alignment: 8 } }
  t.equal(reasonOf(withHead(newer)), undefined)
  t.equal(reasonOf(withWho({ services: { x: 1 }, __proto__: 1 })), undefined)
  t.equal(reasonOf(encode('udp_flow', head, Buffer.alloc(4), who)), undefined, 'and so are new topics')
  t.throws(() => decode(withHead({ schema: 2 })), { reason: 'schema', message: /update the collector/ })
})

t.test('each lie has its reason', async t => {
  const [topic, headFrame, , layoutFrame, whoFrame] = rowsMessage()
  t.equal(reasonOf([]), 'frames')
  t.equal(reasonOf(rowsMessage().slice(1)), 'frames')
  t.equal(reasonOf([...rowsMessage(), none]), 'frames')
  for (const name of ['', 'Tcp', '__proto__', 'a'.repeat(65), 'a\n'])
    t.equal(reasonOf(encode(name, head, none, who)), 'topic', name)
  for (const text of ['', 'null', '7', '[]', '"x"', '{', headFrame!.toString().slice(0, -1)]) {
    t.equal(reasonOf([topic!, json(text), none, layoutFrame!, whoFrame!]), 'head_json', text)
    t.equal(reasonOf([topic!, headFrame!, none, layoutFrame!, json(text)]), 'who_json', text)
    if (text) t.equal(reasonOf([topic!, headFrame!, none, json(text), whoFrame!]), 'layout_json', text)
    t.equal(reasonOf(windowMessage().with(2, json(text))), 'running_json', text)
  }
  for (const name of ['schema', 'host', 'boot', 'probe', 'window', 'sequence', 'start_ns', 'lost'] as const)
    for (const value of [undefined, null, -1, 1.5, [], { a: -1 }, ''])
      t.equal(reasonOf(withHead({ [name]: value })), `head_${name}`, `${name} ${JSON.stringify(value)}`)
  for (const name of ['cgroups', 'containers', 'pods'] as const)
    for (const value of [undefined, null, 7, [], { a: 7 }, { a: null }])
      t.equal(reasonOf(withWho({ [name]: value })), `who_${name}`)
  t.equal(reasonOf(withWho({ containers: { a: { runtime: 'r', pending: 'yes' } } })), 'who_containers')
  t.equal(reasonOf(withWho({ pods: { u: { name: '', namespace: '' } } })), 'who_pods')
  const long = 'x'.repeat(513)
  t.equal(
    reasonOf(withWho({ containers: { [long]: { runtime: 'r' } } })),
    'who_containers',
    'a name without end',
  )
  const labels = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`l${index}`, '']))
  t.equal(
    reasonOf(withWho({ containers: { a: { runtime: 'r', labels } } })),
    'who_containers',
    'labels without end',
  )
  t.equal(reasonOf(encodeWindow(windowHead, who as WindowWho)), 'who_running')
  for (const change of [{ time: 29 }, { time: 1e15 }, { interval: 0 }, { interval: 86_401 }, { partial: 0 }])
    t.match(reasonOf(encodeWindow({ ...windowHead, ...change } as WindowHead, windowWho)), /^head_/)
})

t.test('rows are a whole number of records of a layout that fits', async t => {
  const reason = (bytes: number, change: object | undefined) =>
    reasonOf(
      encode(
        'tcp_flow',
        { ...bare, ...(change && { layout: { ...layout, ...change } }) },
        Buffer.alloc(bytes),
        who,
      ),
    )
  t.equal(reason(0, undefined), undefined)
  t.equal(reason(4, undefined), 'layout_json')
  t.equal(reason(0, {}), undefined)
  t.equal(reason(8, {}), undefined)
  t.equal(reason(7, {}), 'rows')
  for (const size of [0, 3, 65_537, -4, 1e300]) t.equal(reason(8, { size }), 'layout', String(size))
  t.equal(reason(8, { size: 1, fields: [] }), undefined)
})

t.test('random frames are refused with a reason and never by another error', async () => {
  const text = fc.oneof(fc.json(), fc.string()).map(json)
  const frame = fc.oneof(
    fc.uint8Array({ maxLength: 64 }).map(bytes => Buffer.from(bytes)),
    text,
  )
  const frames = fc.oneof(
    fc.array(frame, { maxLength: 7 }),
    fc.tuple(fc.constantFrom(json('tcp_flow'), json('window')), frame, frame, frame, frame),
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
    frame: fc.nat(4),
    at: fc.nat(),
    bytes: fc.uint8Array({ maxLength: 3 }),
    remove: fc.nat(4),
    cut: fc.boolean(),
  })
  fc.assert(
    fc.property(damage, ({ window, frame, at, bytes, remove, cut }) => {
      const frames = window ? windowMessage() : rowsMessage()
      const old = frames[frame]!
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
        reasonOf(rowsMessage().with(3, json(JSON.stringify({ ...layout, [b]: value, fields: [value] }))))
        reasonOf(rowsMessage().with(3, json(JSON.stringify({ ...layout, fields: value }))))
        reasonOf(withWho({ [b]: value }))
        reasonOf(encodeWindow({ ...windowHead, [a]: value }, { ...windowWho, [b]: value } as WindowWho))
      },
    ),
    { numRuns: 2000 },
  )
})

t.test('a who that a probe has said before is not parsed again; another probe says its own', async t => {
  const known = new Known()
  const message = (probe: string, said: Who) =>
    decode(encode('tcp_flow', { ...head, probe }, none, said), known) as { who: Who }
  const first = message('p', who).who
  t.same(first, who)
  t.equal(message('p', who).who, first)
  t.not(message('q', who).who, first)
  const changed = { ...who, pods: {} }
  t.same(message('p', changed).who, changed)
  t.same(message('p', who).who, who, 'only the last one is known')
  const small = new Known(10)
  const again = () => (decode(encode('tcp_flow', head, none, who), small) as { who: Who }).who
  t.not(again(), again(), 'it is bounded by bytes')
})

t.test('what is settled comes as it was sent', async t => {
  const { layout: _, start_ns, ...rest } = head
  const settled = { ...rest, elsewhere: true }
  t.same(decode(encodeSettled(settled)), { topic: SETTLED, head: settled })
  for (const wrong of [{ window: -1 }, { sequence: undefined }, { lost: [] }, { elsewhere: 1 }])
    t.match(reasonOf(encodeSettled({ ...settled, ...(wrong as object) })), /^head_/)
})
