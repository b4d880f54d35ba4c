import { renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { Held } from '../../../../collector/cluster/held/held.ts'
import { Directory } from '../../../../collector/cluster/manifests/directory.ts'
import { node, owned, pod, service } from '../../../harness/kubernetes/objects.ts'
import { until } from '../../../harness/until.ts'

interface Reading {
  readonly held: Held
  readonly source: Directory
  readonly warned: string[]
}

function read(t: Test, directory: string): Reading {
  const warned: string[] = []
  const held = new Held()
  const source = new Directory(directory, { warn: (_, text) => warned.push(text) }, 20)
  source.start(held)
  t.teardown(() => source.close())
  return { held, source, warned }
}
const yaml = (...objects: readonly unknown[]): string => objects.map(one => stringify(one)).join('---\n')

t.test('YAML with several documents, lists, and JSON, in folders', async t => {
  const directory = t.testdir({
    'pods.yaml': `# comment\n---\n${yaml(pod({ name: 'a', ip: '10.0.0.1' }), { kind: 'ConfigMap', apiVersion: 'v1' })}---\n`,
    'notes.txt': '{',
    '.hidden.yaml': '{',
    more: {
      'list.yml': yaml({ apiVersion: 'v1', kind: 'List', items: [pod({ name: 'b', ip: '10.0.0.2' })] }),
      // the API's own lists do not say what their items are
      'pods.json': JSON.stringify({
        ...{ apiVersion: 'v1', kind: 'PodList' },
        items: [{ ...pod({ name: 'c', ip: '10.0.0.3' }), kind: undefined, apiVersion: undefined }],
      }),
    },
    'rest.yaml': yaml(node('node-a', '192.168.0.1'), owned('ReplicaSet', 'x', ['Deployment', 'y'])),
    'odd.yaml': yaml({ apiVersion: 'apps/v2', kind: 'ReplicaSet', metadata: { name: 'other group' } }),
  })
  const { held, warned } = read(t, directory)
  t.same(
    ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(ip => held.podByAddress(ip, Date.now())?.name),
    ['a', 'b', 'c'],
  )
  t.same(
    { ...held.sizes() },
    {
      ...{
        Namespace: 0,
        Node: 1,
        ReplicaSet: 1,
        Job: 0,
        Pod: 3,
        Service: 0,
        EndpointSlice: 0,
        ServiceCIDR: 0,
      },
    },
  )
  t.same(warned, [])
})

t.test('a change is read: another file, another text, a file that goes', async t => {
  const directory = t.testdir({ 'a.yaml': yaml(pod({ name: 'a', ip: '10.0.0.1' })) })
  const { held } = read(t, directory)
  const at = (ip: string) => held.podByAddress(ip, Date.now())?.name
  t.equal(at('10.0.0.1'), 'a')
  writeFileSync(join(directory, 'b.json'), JSON.stringify(pod({ name: 'b', ip: '10.0.0.2' })))
  await until('b', () => at('10.0.0.2') === 'b')
  writeFileSync(join(directory, 'a.yaml'), yaml(pod({ name: 'a', ip: '10.0.0.9' })))
  await until('the other address', () => at('10.0.0.9') === 'a')
  t.equal(at('10.0.0.1'), undefined)
  t.equal(held.podByAddress('10.0.0.1', Date.now() - 60_000)?.name, 'a', 'what it was then')
  unlinkSync(join(directory, 'b.json'))
  await until('no b', () => at('10.0.0.2') === undefined)
})

t.test('a mounted ConfigMap changes all its files by one link', async t => {
  const directory = t.testdir({
    '..v1': { 'a.yaml': yaml(pod({ name: 'a', ip: '10.0.0.1' })) },
    '..v2': { 'a.yaml': yaml(pod({ name: 'b', ip: '10.0.0.1', started: 2000 })) },
  })
  symlinkSync('..v1', join(directory, '..data'))
  symlinkSync('..data/a.yaml', join(directory, 'a.yaml'))
  const { held } = read(t, directory)
  t.equal(held.podByAddress('10.0.0.1', Date.now())?.name, 'a')
  symlinkSync('..v2', join(directory, '..next'))
  renameSync(join(directory, '..next'), join(directory, '..data'))
  await until('b', () => held.podByAddress('10.0.0.1', Date.now())?.name === 'b')
})

for (const [what, file, text, says] of [
  [
    'YAML that is none',
    'bad.yaml',
    'a: [1\nb: 2',
    /bad\.yaml cannot be used \(the document: .+ at line 2, column 1/,
  ],
  ['the second document', 'bad.yaml', 'kind: X\n---\na: : b', /bad\.yaml cannot be used \(document 2: /],
  ['JSON that is none', 'bad.json', '{"kind":', /bad\.json cannot be used \(.*JSON/],
  ['no object', 'bad.yaml', 'just text', /the document is no object of Kubernetes: it has no kind/],
  ['no kind', 'bad.yaml', 'a: 1', /the document has no kind/],
  [
    'a pod without a name',
    'bad.yaml',
    yaml({ apiVersion: 'v1', kind: 'Pod' }),
    /a Pod without metadata.name/,
  ],
  [
    'an item of a list',
    'bad.yaml',
    yaml({ apiVersion: 'v1', kind: 'List', items: [pod({ name: 'x' }), 4] }),
    /the document: items\[1\] is no object/,
  ],
  [
    'lists without an end',
    'bad.json',
    JSON.stringify(
      Array.from({ length: 9 }).reduce<unknown>(list => ({ kind: 'List', items: [list] }), { kind: 'X' }),
    ),
    /lists in lists, deeper than 4/,
  ],
  [
    'aliases that grow without end',
    'bad.yaml',
    `a: &a [x,x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 12 }, (_, at) => `l${at}: &${'bcdefghijklm'[at]} [${Array(10).fill(`*${'abcdefghijklm'[at]}`)}]`).join('\n')}\n`,
    /alias/i,
  ],
] as const)
  t.test(`a file with ${what} is named, and the others are read`, async t => {
    const directory = t.testdir({ 'a.yaml': yaml(pod({ name: 'a', ip: '10.0.0.1' })), [file]: text })
    const { held, source, warned } = read(t, directory)
    t.equal(warned.length, 1)
    t.match(warned[0], says)
    t.match(warned[0], 'the other files are read')
    t.equal(held.podByAddress('10.0.0.1', Date.now())?.name, 'a')
    t.equal(source.unreadable, 1)
  })

t.test('a file that is broken later keeps what it said; mended, it counts again', async t => {
  const directory = t.testdir({ 'a.yaml': yaml(pod({ name: 'a', ip: '10.0.0.1' })) })
  const { held, warned } = read(t, directory)
  writeFileSync(join(directory, 'a.yaml'), 'a: [')
  await until('the warning', () => warned.length > 0)
  t.match(warned[0], /what it said before is kept/)
  t.equal(held.podByAddress('10.0.0.1', Date.now())?.name, 'a')
  writeFileSync(join(directory, 'a.yaml'), yaml(pod({ name: 'b', ip: '10.0.0.1', started: 2000 })))
  await until('b', () => held.podByAddress('10.0.0.1', Date.now())?.name === 'b')
})

t.test('a directory that goes away keeps what it said', async t => {
  const directory = t.testdir({ in: { 'a.yaml': yaml(service('web', '10.96.0.1', [{ port: 80 }])) } })
  const { held, warned } = read(t, join(directory, 'in'))
  rmSync(join(directory, 'in'), { recursive: true })
  await until('the warning', () => warned.length > 0)
  t.match(warned[0], /the directory .* cannot be read \(ENOENT\)/)
  t.equal(held.serviceByAddress('10.96.0.1', 80, 'tcp', Date.now())?.name, 'web')
})
