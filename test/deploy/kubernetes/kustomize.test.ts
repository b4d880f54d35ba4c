/** What kustomize itself makes of the manifests, in kubectl: the same as the tests' own resolver. */

import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { Cleanup } from '../../harness/cleanup.ts'
import { build } from '../../harness/kubernetes/kustomize.ts'
import { overlays } from '../../harness/kubernetes/overlays.ts'
import { run } from '../../harness/process.ts'
import { needs } from '../../harness/skip.ts'

/** Lists in which order means nothing, by what their elements are called: kustomize puts what a patch adds in front. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const nameOf = ({ kind = '', metadata, mountPath, name = metadata?.name ?? mountPath ?? '' }: Named) =>
      `${kind} ${name}`
    const isNamed = value.every(element => typeof element === 'object')
    const ordered = isNamed ? value.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)) : value
    return ordered.map(sorted)
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inside]) => [name, sorted(inside)]))
}

interface Named {
  readonly kind?: string
  readonly metadata?: { readonly name: string }
  readonly mountPath?: string
  readonly name?: string
}

t.test('kustomize makes the same', { skip: needs('kustomize') }, async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  for (const path of await overlays(cleanup)) {
    const text = await run(['kubectl', 'kustomize', path])
    const made = parseAllDocuments(text).map(document => document.toJS() as unknown)
    t.same(sorted(made), sorted(build(path)), path)
  }
})
