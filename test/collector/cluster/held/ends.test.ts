/** Whose an address was, when pods end in ways that their objects tell badly. */

import t, { type Test } from 'tap'
import { Held } from '../../../../collector/cluster/held/held.ts'
import type { Thing } from '../../../harness/kubernetes/api_server.ts'
import { at, mirrorOf, type PodGiven, pod } from '../../../harness/kubernetes/objects.ts'

const T = Date.UTC(2026, 0, 1)
const MINUTE = 60_000
const IP = '10.0.0.7'

/** A pod with another status than that of the harness. */
function ending(given: Partial<PodGiven>, status: object): Thing {
  const made = pod({ name: 'old', ip: IP, started: T, ...given })
  return { ...made, status: { ...(made['status'] as object), ...status } }
}
const lost = { state: { terminated: { exitCode: 137, finishedAt: null, reason: 'ContainerStatusUnknown' } } }
const ended = (ms: number) => ({ state: { terminated: { finishedAt: at(ms) } } })
const condition = (type: string, status: string, ms: number) => ({ type, status, lastTransitionTime: at(ms) })
const WEB = pod({ name: 'web', ip: IP, started: T + 10 * MINUTE })

/** Minutes after the beginning, and the name of who has the address then. */
type Owners = readonly (readonly [minute: number, name: string | undefined])[]
function same(t: Test, held: Held, owners: Owners): void {
  t.same(
    owners.map(([minute]) => [minute, held.podByAddress(IP, T + minute * MINUTE)?.name]),
    owners,
  )
}

for (const [what, status, owners] of [
  [
    'evicted, of which its node has lost the containers',
    {
      containerStatuses: [{ name: 'main', ...lost }],
      conditions: [condition('Ready', 'False', T + 5 * MINUTE), condition('Initialized', 'True', T)],
    },
    [
      [2, 'old'],
      [7, undefined],
      [30, 'web'],
      [61, 'web'],
    ],
  ],
  [
    'evicted for a disruption, before it had containers',
    {
      containerStatuses: undefined,
      conditions: [condition('DisruptionTarget', 'True', T + 4 * MINUTE), condition('Ready', 'False', T)],
    },
    [
      [3, 'old'],
      [7, undefined],
      [30, 'web'],
    ],
  ],
  [
    'that says nothing of its end',
    { containerStatuses: [{ name: 'main', ...lost }] },
    [
      [2, undefined],
      [30, 'web'],
      [61, 'web'],
    ],
  ],
  [
    'whose container ended in the year 1',
    { containerStatuses: [{ state: { terminated: { finishedAt: '0001-01-01T00:00:00Z' } } }] },
    [
      [2, undefined],
      [30, 'web'],
    ],
  ],
  [
    'of which one container is lost, and one is not',
    { containerStatuses: [lost, ended(T + 3 * MINUTE)], conditions: [] },
    [
      [2, 'old'],
      [7, undefined],
      [30, 'web'],
    ],
  ],
  [
    'whose sidecar ended last',
    { containerStatuses: [ended(T + MINUTE)], initContainerStatuses: [ended(T), ended(T + 6 * MINUTE)] },
    [
      [5, 'old'],
      [7, undefined],
      [30, 'web'],
    ],
  ],
] as const satisfies [string, object, Owners][])
  for (const isFirst of [true, false])
    t.test(`a failed pod ${what}, ${isFirst ? 'before' : 'after'} the one that has its address`, async t => {
      const held = new Held()
      const old = ending({ phase: 'Failed' }, status)
      for (const thing of isFirst ? [old, WEB] : [WEB, old]) held.set('Pod', thing, T + 60 * MINUTE)
      same(t, held, owners)
    })

t.test('a pod that was seen to run, and says nothing of its end, had its address until then', async t => {
  const held = new Held()
  held.set('Pod', ending({}, {}), T)
  held.set('Pod', ending({ phase: 'Failed' }, { containerStatuses: [lost] }), T + 5 * MINUTE)
  held.set('Pod', WEB, T + 10 * MINUTE)
  same(t, held, [
    [4, 'old'],
    [7, undefined],
    [11, 'web'],
  ])
})

for (const [what, status] of [
  ['its node has taken its address away', { podIP: undefined, podIPs: undefined }],
  ['it is still in the API', {}],
] as const)
  t.test(`the next pod has the address before the end of the first is heard; ${what}`, async t => {
    const held = new Held()
    held.set('Pod', ending({}, {}), T)
    // it began before it had an address
    held.set('Pod', pod({ name: 'web', ip: IP, started: T + 2 * MINUTE }), T + 4 * MINUTE)
    const last = ending({ asked: T + MINUTE, finished: T + 3 * MINUTE }, status)
    held.set('Pod', last, T + 4 * MINUTE)
    held.remove('Pod', last, T + 5 * MINUTE)
    same(t, held, [
      [1, 'old'],
      [2.5, 'old'],
      [3.5, 'web'],
      [9, 'web'],
    ])
  })

t.test('a pod that is to be restarted has its address between two starts', async t => {
  const held = new Held()
  held.set('Pod', ending({}, {}), T)
  const crashed = { containerStatuses: [ended(T + MINUTE)] }
  held.set('Pod', ending({}, crashed), T + MINUTE)
  held.remove('Pod', ending({ asked: T + 5 * MINUTE }, crashed), T + 6 * MINUTE)
  same(t, held, [
    [3, 'old'],
    [4.9, 'old'],
    [5.5, undefined],
  ])
  const forced = new Held()
  forced.set('Pod', ending({}, crashed), T)
  forced.remove('Pod', ending({}, crashed), T + 6 * MINUTE)
  same(t, forced, [
    [5, 'old'],
    [7, undefined],
  ])
})

const HASH = 'd41d8cd98f00b204e9800998ecf8427e'
t.test('a static pod whose mirror goes and comes again is the same one', async t => {
  const held = new Held()
  const mirror = (uid: string) => pod({ name: 'etcd', uid, ip: IP, started: T, annotations: mirrorOf(HASH) })
  for (let time = 0; time < 3; time++) {
    held.set('Pod', mirror(`m${time}`), T + time * MINUTE)
    held.remove('Pod', mirror(`m${time}`), T + time * MINUTE + 30_000)
  }
  held.set('Pod', mirror('last'), T + 4 * MINUTE)
  held.expire(T + 60 * MINUTE)
  t.equal(held.podByUid(HASH)?.name, 'etcd')
  t.equal(held.podByAddress(IP, T + 70 * MINUTE)?.name, 'etcd')
  held.remove('Pod', mirror('last'), T + 80 * MINUTE)
  held.expire(T + 100 * MINUTE)
  t.equal(held.podByUid(HASH), undefined)
})
