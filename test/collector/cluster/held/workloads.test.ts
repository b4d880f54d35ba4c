/** What made a pod, as operators of all sorts write it. */

import t from 'tap'
import { Held } from '../../../../collector/cluster/held/held.ts'
import type { Kind } from '../../../../collector/cluster/kinds.ts'
import type { Thing } from '../../../harness/kubernetes/api_server.ts'
import { owned, pod } from '../../../harness/kubernetes/objects.ts'

const T = Date.UTC(2026, 0, 1)
const MINUTE = 60_000
const put = (held: Held, ...things: readonly Thing[]) => {
  for (const thing of things) held.set(thing['kind'] as Kind, thing, T)
}

type Reference = Readonly<Record<string, unknown>>
const reference = (apiVersion: string, kind: string, name: string, controller?: boolean): Reference => ({
  ...{ apiVersion, kind, name, uid: `uid-${name}`, ...(controller !== undefined && { controller }) },
})
const ownedPod = (references: readonly Reference[], labels: Readonly<Record<string, string>> = {}): Thing => {
  const made = pod({ name: 'p', labels })
  return { ...made, metadata: { ...made.metadata, ownerReferences: references } }
}

for (const [what, references, workload] of [
  [
    'an operator that does not say that it controls its pods',
    [reference('core.strimzi.io/v1beta2', 'StrimziPodSet', 'kafka', false)],
    { kind: 'StrimziPodSet', name: 'kafka' },
  ],
  [
    'one that says nothing of it',
    [reference('ray.io/v1', 'RayCluster', 'ray')],
    { kind: 'RayCluster', name: 'ray' },
  ],
  [
    'two of which neither controls it',
    [reference('a.io/v1', 'A', 'a'), reference('b.io/v1', 'B', 'b', false)],
    { kind: 'Pod', name: 'p' },
  ],
  [
    'a Job of another group, whose name a Job of batch has, too',
    [reference('batch.volcano.sh/v1alpha1', 'Job', 'night', true)],
    { kind: 'Job', name: 'night' },
  ],
  [
    'a ReplicaSet of another group',
    [reference('x.io/v1', 'ReplicaSet', 'web-77', true)],
    { kind: 'ReplicaSet', name: 'web-77' },
  ],
  [
    'a ReplicaSet as old clusters call it',
    [reference('extensions/v1beta1', 'ReplicaSet', 'web-77', true)],
    { kind: 'Deployment', name: 'web' },
  ],
  [
    'a kind of the core group',
    [reference('v1', 'ReplicationController', 'old', true)],
    { kind: 'ReplicationController', name: 'old' },
  ],
] as const)
  t.test(`a pod is made by ${what}`, async t => {
    const held = new Held()
    put(
      held,
      owned('Job', 'night', ['CronJob', 'other']),
      owned('ReplicaSet', 'web-77', ['Deployment', 'web']),
      ownedPod(references),
    )
    t.same(held.podByUid('uid-p')?.workload, workload)
  })

t.test(
  'until the object that made it is known, or without the right to read it, a pod has its own controller',
  async t => {
    const held = new Held()
    const of = (name: string) => held.podByUid(`uid-${name}`)?.workload
    put(
      held,
      pod({ name: 'a', owner: ['Job', 'night-28001234'] }),
      pod({ name: 'b', owner: ['ReplicaSet', 'set'] }),
      pod({
        name: 'c',
        owner: ['ReplicaSet', 'roll-5d9f'],
        labels: { 'rollouts-pod-template-hash': '5d9f' },
      }),
      pod({ name: 'd', owner: ['ReplicaSet', 'set-5d9f'], labels: { 'pod-template-hash': '5d9f' } }),
    )
    t.same(of('a'), { kind: 'Job', name: 'night-28001234' })
    t.same(of('b'), { kind: 'ReplicaSet', name: 'set' })
    t.same(of('c'), { kind: 'Rollout', name: 'roll' })
    t.same(of('d'), { kind: 'Deployment', name: 'set' })
    put(held, owned('Job', 'night-28001234', ['CronJob', 'night']), owned('ReplicaSet', 'set-5d9f'))
    t.same(of('a'), { kind: 'CronJob', name: 'night' })
    t.same(of('d'), { kind: 'ReplicaSet', name: 'set-5d9f' }, 'its Deployment let it go')
  },
)

t.test('a DeploymentConfig makes a ReplicationController each time', async t => {
  const held = new Held()
  const annotations = {
    'openshift.io/deployment-config.name': 'web',
    'openshift.io/deployment.name': 'web-3',
  }
  put(held, pod({ name: 'web-3-x', owner: ['ReplicationController', 'web-3'], annotations }))
  put(held, pod({ name: 'other', owner: ['StatefulSet', 'db'], annotations }))
  t.same(held.podByUid('uid-web-3-x')?.workload, { kind: 'DeploymentConfig', name: 'web' })
  t.same(held.podByUid('uid-other')?.workload, { kind: 'StatefulSet', name: 'db' })
})

t.test('what made a pod may be gone with it before anybody asks', async t => {
  const held = new Held()
  const things = [
    owned('Job', 'night-1', ['CronJob', 'night']),
    owned('ReplicaSet', 'web-77', ['Rollout', 'web']),
    pod({ name: 'n', owner: ['Job', 'night-1'] }),
    pod({ name: 'w', owner: ['ReplicaSet', 'web-77'] }),
  ]
  put(held, ...things)
  for (const thing of things) held.remove(thing['kind'] as Kind, thing, T + 1000)
  held.expire(T + MINUTE)
  t.same(held.podByUid('uid-n')?.workload, { kind: 'CronJob', name: 'night' })
  t.same(held.podByUid('uid-w')?.workload, { kind: 'Rollout', name: 'web' })
  t.equal(held.sizes().Job, 0)
  // a Job of the same name is another one
  put(held, owned('Job', 'night-1', ['CronJob', 'other']), pod({ name: 'm', owner: ['Job', 'night-1'] }))
  t.same(held.podByUid('uid-m')?.workload, { kind: 'CronJob', name: 'other' })
})
