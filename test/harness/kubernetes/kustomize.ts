/** `kustomize build` for the features that deploy/kubernetes uses; any other key is an error. */

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'

export interface Resource {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string }
  [key: string]: unknown
}

interface Kustomization {
  kind: string
  namespace?: string
  resources?: string[]
  components?: string[]
  patches?: { path: string }[]
  images?: { name: string; newName?: string; newTag?: string }[]
  secretGenerator?: { name: string; files: string[] }[]
}

const KNOWN = [
  ...['apiVersion', 'kind', 'namespace', 'resources', 'components', 'patches', 'images'],
  ...['secretGenerator', 'generatorOptions'],
]
/** Kinds of these manifests that are in no namespace. */
const CLUSTER_WIDE = ['Namespace', 'ClusterRole', 'ClusterRoleBinding']

export const build = (folder: string): Resource[] => apply(folder, [])

function apply(folder: string, given: Resource[]): Resource[] {
  const path = join(folder, 'kustomization.yaml')
  const kustomization = parse(readFileSync(path, 'utf8')) as Kustomization
  const unknown = Object.keys(kustomization).filter(key => !KNOWN.includes(key))
  if (unknown.length > 0) throw new Error(`${path}: ${unknown.join(', ')}: not known here`)
  const {
    namespace,
    resources = [],
    components = [],
    patches = [],
    images = [],
    secretGenerator = [],
  } = kustomization
  let all = [...given, ...resources.flatMap(name => read(join(folder, name)))]
  for (const name of components) all = apply(join(folder, name), all)
  all.push(...secretGenerator.map(({ name, files: names }) => secret(folder, name, names)))
  for (const { path } of patches)
    for (const patch of documents(join(folder, path))) all = patched(all, patch, path)
  for (const resource of all) {
    if (namespace !== undefined && !CLUSTER_WIDE.includes(resource.kind))
      resource.metadata.namespace = namespace
    for (const image of images) setImage(resource, image)
  }
  return all
}

/** As kubectl reads it: YAML 1.1, where a number that begins with 0 is octal. */
const documents = (path: string): Resource[] =>
  parseAllDocuments(readFileSync(path, 'utf8'), { version: '1.1' }).map(document => {
    const [error] = document.errors
    if (error) throw new Error(`${path}: ${error.message}`)
    return document.toJS() as Resource
  })

const read = (path: string): Resource[] => (statSync(path).isDirectory() ? apply(path, []) : documents(path))

function secret(folder: string, name: string, files: readonly string[]): Resource {
  const data = Object.fromEntries(
    files.map(file => [file, readFileSync(join(folder, file)).toString('base64')]),
  )
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'Opaque', data }
}

function patched(all: Resource[], patch: Resource, path: string): Resource[] {
  const isTarget = ({ kind, metadata }: Resource) =>
    kind === patch.kind && metadata.name === patch.metadata.name
  if (!all.some(isTarget)) throw new Error(`${path}: there is no ${patch.kind} ${patch.metadata.name}`)
  return all.map(resource => (isTarget(resource) ? (merged(resource, patch) as Resource) : resource))
}

/** Lists whose elements are merged, and by what: the API's patchMergeKey. Other lists are replaced. */
const KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
}

type Fields = Record<string, unknown>
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A strategic merge patch. */
function merged(value: unknown, patch: unknown, name = ''): unknown {
  const key = KEYS[name]
  if (Array.isArray(value) && Array.isArray(patch) && key !== undefined) {
    const same = (a: Fields, b: Fields) => a[key] === b[key]
    const kept = (value as Fields[]).flatMap(element => {
      const change = (patch as Fields[]).find(change => same(change, element))
      if (change?.['$patch'] === 'delete') return []
      return [change ? (merged(element, change) as Fields) : element]
    })
    const added = (patch as Fields[]).filter(
      change => change['$patch'] === undefined && !(value as Fields[]).some(element => same(element, change)),
    )
    return [...kept, ...added]
  }
  if (!isFields(value) || !isFields(patch)) return patch
  const fields = { ...value }
  for (const [field, change] of Object.entries(patch)) fields[field] = merged(value[field], change, field)
  return fields
}

function setImage(value: unknown, image: NonNullable<Kustomization['images']>[number]): void {
  if (Array.isArray(value)) for (const element of value) setImage(element, image)
  if (!isFields(value)) return
  for (const [field, inside] of Object.entries(value))
    if (field === 'image' && inside === image.name)
      value[field] = `${image.newName ?? image.name}:${image.newTag ?? 'latest'}`
    else setImage(inside, image)
}
