/** The objects of a file: YAML of one or more documents, or JSON; each an object, or a List of them as `kubectl get -o` writes. */

import { isRecord, type Json, text } from '../json.ts'
import { isKind, KINDS, type Kind, type Objects } from '../kinds.ts'
import { isObject } from '../objects.ts'
import { textOf } from '../utf8.ts'
import { documentsIn } from './yaml.ts'

/** What is kept of an object. */
export type Found<K extends Kind = Kind> = {
  readonly [Of in K]: { readonly kind: Of; readonly known: Objects[Of] }
}[K]

/** Lists in lists end somewhere. */
const MAX_DEPTH = 4

/**
 * Objects of other kinds are left out.
 * @throws what is wrong, and in which document or item
 */
export function objectsIn(source: string, isJson: boolean): Found[] {
  const whole = textOf(source)
  if (whole.trim() === '') throw new Error('it is empty: kubectl failed, or is still at it')
  const documents = isJson ? [{ value: jsonOf(whole), where: 'the document' }] : documentsIn(whole)
  return documents.flatMap(({ value, where }) => objectsOf(value, where, 0))
}

function jsonOf(source: string): unknown {
  try {
    return JSON.parse(source)
  } catch (error) {
    const { message } = error as Error
    const isMore = message.startsWith('Unexpected non-whitespace')
    throw new Error(isMore ? `${message}: JSON is one document a file: make it a List, or YAML` : message)
  }
}

function objectsOf(value: unknown, where: string, depth: number): Found[] {
  if (value === null || value === undefined) return [] // nothing between two ---
  if (!isRecord(value)) throw new Error(`${where} is no object of Kubernetes: it has no kind`)
  const kind = text(value['kind'])
  if (kind === '') throw new Error(`${where} has no kind`)
  if (kind.endsWith('List') && Array.isArray(value['items'])) {
    if (depth === MAX_DEPTH) throw new Error(`${where}: lists in lists, deeper than ${MAX_DEPTH}`)
    // of a PodList, the items do not say what they are
    const [of, version] = [kind.slice(0, -4), value['apiVersion']]
    return value['items'].flatMap((item, at) => {
      const named = isRecord(item) && of !== '' ? { kind: of, apiVersion: version, ...item } : item
      return objectsOf(named, `${where}: items[${at}]`, depth + 1)
    })
  }
  if (!isKind(kind)) return []
  const version = text(value['apiVersion'])
  if (version === '') throw new Error(`${where}: a ${kind} without apiVersion: ${KINDS[kind].group}`)
  if (version !== KINDS[kind].group) return []
  if (!isObject(value)) throw new Error(`${where}: a ${kind} without metadata.name`)
  return [found(kind, value)]
}

const found = <K extends Kind>(kind: K, object: Json): Found<K> =>
  ({ kind, known: KINDS[kind].read(object) }) as Found<K>
