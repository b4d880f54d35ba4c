import t from 'tap'
import { plain } from '../../../../cli/terminal/style.ts'
import { frame } from '../../../../cli/top/screen/frame.ts'
import type { Snapshot } from '../../../../cli/top/source.ts'
import { State, VIEWS } from '../../../../cli/top/state.ts'
import { width } from '../../../../cli/width.ts'
import {
  conversation,
  end,
  host,
  iface,
  onHost,
  peer,
  peerEnd,
  quiet,
  row,
  snapshot,
  TIME,
} from '../given.ts'

const flowsOf = (conversations = [conversation()]) => ({
  time: TIME,
  flows: conversations,
  total: conversations.length,
  live: conversations.length,
  most: 1000,
  folded: [],
})

function drawn(given: Snapshot, state = new State(), rows = 24, columns = 100, more = {}): string[] {
  return frame(given, state, { size: { rows, columns }, now: TIME, ...more }).lines.map(plain)
}
const textOf = (...of: Parameters<typeof drawn>) => drawn(...of).join('\n')

t.test('the first screen: who talks how much, how fast, with whom, and what is wrong', async t => {
  const text = textOf(
    snapshot({
      hosts: [
        host({
          containers: [
            onHost,
            row(),
            quiet({ id: 'c9', name: 'sleeper' }),
            quiet({ id: 'c3', name: 'loop', pod: 'client-0', waiting: 1, retransmits: 2 }),
          ],
          programs: [row({ name: 'nginx', owner: 'web', ownerId: 'c1', parts: 93 })],
          troubles: [{ text: 'loop→web-0:8080: 1 connection waits for an answer 41 s' }],
        }),
      ],
      peers: { peers: [peer()], total: 1 },
    }),
    new State(),
    24,
    100,
    { next: 'sockflux query' },
  )
  t.match(
    text,
    /^sockflux {2}host node1 {2}\d\d:\d\d:\d\d {2}window 10s {2}containers 3 {2}flows 136 {2}19 MB\/s {2}lost 0 +\? help$/m,
  )
  t.match(
    text,
    /^sort \[SENT\/s\] {2}filter: - {2}view \[containers\] pods processes flows peers interfaces$/m,
  )
  t.match(text, /^[ >]CONTAINER +POD +SENT\/s +RCVD\/s +CLIENT +SERVER .*FAIL/m)
  t.match(text, /^ web +front +9\.3 MB\/s +700 B\/s +2 +14 +9\.0 +0\.055 +8\.10 +2 +0/m)
  t.match(text, /^ loop +client-0 +0 +0 .* 1 SYN!/m)
  t.notMatch(text, /sleeper/)
  t.match(text, /… 1 quiet \(a shows all\)/)
  t.match(text, /^ PROCESS \(by program\) +OWNER +RATE +N +FLOWS +TALKS WITH$/m)
  t.match(text, /^ nginx +web +9\.3 MB\/s +93 +16 +db$/m)
  t.match(text, /^! loop→web-0:8080: 1 connection waits for an answer 41 s$/m)
  t.match(text, /^Enter details {2}s sort .* q quit +next: sockflux query$/m)
})

t.test('before the first window it says what it waits for', async t => {
  t.match(textOf({ hosts: [] }), /^sockflux {2}waiting for the end of the first window … +\? help$/m)
})

t.test('what fits is shown, what does not is counted', async t => {
  const rows = Array.from({ length: 40 }, (_, at) =>
    row({ id: `c${at}`, name: `web-${at}`, sentPerSecond: 100 - at }),
  )
  const state = new State()
  const given = snapshot({ hosts: [host({ containers: rows })] })
  t.match(textOf(given, state, 24, 80), /… \d+ more below/)
  state.selected = 'node1 c39'
  const lines = drawn(given, state, 24, 80)
  t.ok(
    lines.some(line => /^>web-39 /.test(line)),
    'it scrolls to the row that is selected',
  )
  state.selected = 'node1 c20'
  t.ok(
    drawn(given, state, 24, 80).some(line => /^>web-20 /.test(line)),
    'and back',
  )
})

t.test('a connection: everything that is known of it, each end', async t => {
  const state = new State()
  state.show('flows')
  const given = snapshot({ flows: flowsOf() })
  const { enter } = frame(given, state, { size: { rows: 40, columns: 100 }, now: TIME })
  enter()
  const text = textOf(given, state, 40)
  t.match(text, /web → 10\.0\.0\.2:8080 {2}tcp ESTABLISHED/)
  for (const part of [
    /from +10\.0\.0\.1:40000/,
    /opened .* 41 s ago/,
    /process +nginx, pid 17/,
    /RTT +0\.250 ms ± 0\.100 ms/,
    /not watched by any probe/,
  ])
    t.match(text, part)
  state.back()
  t.match(textOf(given, state, 40), /PROTO +CLIENT/)
})

t.test('the connections of a container, seen from it', async t => {
  const state = new State()
  const given = snapshot({
    flows: flowsOf([
      conversation(),
      conversation({ id: 'f2', client: end({ container: 'c7', containerName: 'shop' }), server: end() }),
    ]),
  })
  state.selected = 'node1 c1'
  frame(given, state, { size: { rows: 24, columns: 100 }, now: TIME }).enter()
  t.match(state.scope, { name: 'web', query: { container: 'c1', host: 'node1' } })
  const text = textOf(given, state)
  t.match(text, /connections of web/)
  t.match(text, /^.10\.0\.0\.2:8080 +client +nginx +tcp +100 B\/s +500 B\/s /m)
  t.match(text, /^.shop +server +nginx +tcp +500 B\/s +100 B\/s /m)
  state.back()
  t.equal(state.selected, 'node1 c1', 'back at the row that one came from')
})

t.test('it says why there are no flows, and which are missing', async t => {
  const state = new State()
  state.show('flows')
  t.match(
    textOf(snapshot({ withoutFlows: 'this collector keeps no flows' }), state),
    /this collector keeps no flows/,
  )
  const folded = { ...flowsOf([]), folded: ['node7'] }
  t.match(textOf(snapshot({ flows: folded }), state), /without the flows of node7/)
})

t.test('the collector that is gone and the pause are told in the head', async t => {
  t.match(drawn(snapshot(), new State(), 24, 100, { problem: 'NO ANSWER for 3 s' })[0], /NO ANSWER for 3 s/)
  const state = new State()
  state.isPaused = true
  t.match(drawn(snapshot(), state)[0], /paused/)
})

t.test('all keys are in the help, also on 80x24', async t => {
  const state = new State()
  state.showsHelp = true
  const text = textOf(snapshot(), state, 24, 80)
  for (const key of [
    /c p r f w i/,
    /Tab/,
    /Enter/,
    /Esc/,
    / s /,
    / S /,
    / I /,
    / \/ /,
    / g /,
    / a /,
    / u /,
    /space/,
    / z /,
    /Ctrl-l/,
    / q /,
  ])
    t.match(text, key)
})

t.test('names command no terminal and break no line', async t => {
  const nasty = row({ id: '7\u009b', name: 'a\u001b[2Jb\r\nc', pod: '\u202eé木\u0000', owner: '\u0007' })
  const hosts = [
    host({
      host: 'h\u0007',
      containers: [nasty],
      programs: [nasty],
      troubles: [{ text: 'x\u001b]0;y\u0007' }],
    }),
  ]
  const nastyEnd = end({
    process: '\u001b[31m',
    containerName: '\u009b2J',
    exe: '/\u001b',
    labels: { a: '\u0000' },
  })
  const nastyFlows = flowsOf([conversation({ client: nastyEnd, source: { ip: '\u001b', port: 1 } })])
  const peers = { peers: [peer({ client: peerEnd({ name: '\u001b[2J' }) })], total: 1 }
  for (const view of VIEWS) {
    const state = new State()
    state.show(view)
    state.filter = ''
    const given = { hosts, flows: nastyFlows, peers }
    t.notMatch(textOf(given, state), /(?!\n)\p{C}/u, view)
    state.connection = nastyFlows.flows[0]
    t.notMatch(textOf(given, state), /(?!\n)\p{C}/u, `${view}: details`)
  }
})

/** Names as clusters have them, and as nobody wants them: wide, combining and with commands in them. */
const NAMES = [
  'web',
  '収集収集収集収集収集収集収集収集',
  'e\u0301'.repeat(20),
  '👩‍👩‍👧‍👦 family',
  'a\u001b[2J',
  '',
]
const many = (count: number, change: Partial<Parameters<typeof row>[0]> = {}) =>
  Array.from({ length: count }, (_, at) =>
    row({
      id: `0123456789a${at}`,
      name: NAMES[at % NAMES.length]!,
      pod: `and-its-deployment-7d9c5b6f4d-x${at}`,
      owner: 'a-long-name-of-an-owner',
      failed: at,
      ...change,
    }),
  )
const busy = (hosts: number, rows: number) =>
  Array.from({ length: hosts }, (_, at) =>
    host({
      ...{ host: `node${at}.a.region.of.a.cloud.example`, partial: true },
      ...{
        containers: many(rows),
        pods: many(rows),
        namespaces: many(rows),
        programs: many(rows),
        processes: many(rows),
      },
      interfaces: Array.from({ length: rows }, (_, at) => iface({ id: `eth${at}` })),
      troubles: many(rows).map(({ name }) => ({ text: `${name}: ${'trouble '.repeat(20)}` })),
      lost: { 'kernel/slot': 12 },
    }),
  )

for (const [rows, columns] of [
  [24, 80],
  [50, 40],
  [24, 132],
  [10, 30],
  [60, 200],
  [4, 20],
  [1, 1],
] as const)
  t.test(`a terminal of ${rows}x${columns} has its head, and nothing scrolls or wraps`, async t => {
    for (const hosts of [busy(1, 1), busy(1, 3), busy(1, 30), busy(40, 30), []])
      for (const view of VIEWS)
        for (const fold of [0, 1]) {
          const state = new State()
          state.show(view, fold)
          const flows = flowsOf(Array.from({ length: 30 }, (_, at) => conversation({ id: `f${at}` })))
          const given = { hosts, flows, peers: { peers: [peer()], total: 1 } }
          const lines = frame(given, state, {
            ...{ size: { rows, columns }, now: TIME, next: 'sockflux query' },
            notes: ['probe: a warning', 'collector: another'],
          }).lines
          t.equal(lines.length, rows)
          t.match(plain(lines[0]!), /^sockflux/)
          if (columns >= 80 && hosts.length > 0) t.match(plain(lines[0]!), /flows .* \? help$/)
          for (const line of lines.slice(0, 2).concat(lines.slice(-1)))
            if (columns >= 80) t.ok(width(plain(line)) <= columns, plain(line))
        }
  })
