/**
 * Reads subnet labels from a file of YAML or JSON: a list of names and ranges, or the part of another system's settings that
 * has them:
 *
 *     - name: AWS_S3_eu-west-3            spec:
 *       cidrs: [3.5.204.0/22]               processor:
 *                                             subnetLabels:
 *                                               openShiftAutoDetect: true
 *                                               customLabels:
 *                                                 - cidrs: [3.5.204.0/22]
 *                                                   name: AWS_S3_eu-west-3
 */

import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { rangeOf, type SubnetLabel } from './subnets.ts'

const MAX_BYTES = 4 * 2 ** 20
const MAX_RANGES = 20_000

export interface SubnetFile {
  readonly labels: readonly SubnetLabel[]
  /** Names of the cluster's own ranges are wanted, too, which come from its facts: unless it says that they are not. */
  readonly autoDetect: boolean
}

/** @throws with the file, the place in it, and what is to be there */
export function readSubnets(path: string): SubnetFile {
  try {
    return subnetsOf(textOf(path))
  } catch (error) {
    throw new Error(`the subnet labels in ${path} cannot be read: ${firstLine(error as Error)}`)
  }
}

function textOf(path: string): string {
  const bytes = readFileSync(path)
  if (bytes.length > MAX_BYTES) throw new Error(`the file has more than ${MAX_BYTES / 2 ** 20} MB`)
  return bytes.toString()
}

const firstLine = ({ message }: Error): string => message.split('\n', 1)[0]!

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** @throws with the place and what is to be there */
export function subnetsOf(text: string): SubnetFile {
  const whole: unknown = parse(text)
  const { value, place } = listIn(whole)
  const autoDetect =
    !isObject(value) || (value['openShiftAutoDetect'] !== false && value['autoDetect'] !== false)
  const list = isObject(value) ? (value['customLabels'] ?? []) : value
  const where = isObject(value) ? `${place}customLabels` : place || 'the file'
  if (!Array.isArray(list)) throw new Error(`${where} is no list of names with cidrs`)
  const labels = list.map((entry, at) => labelOf(entry, `${where}[${at}]`))
  if (labels.reduce((sum, { cidrs }) => sum + cidrs.length, 0) > MAX_RANGES)
    throw new Error(`there are more than ${MAX_RANGES} ranges`)
  return { labels, autoDetect }
}

/** Down to the labels, from wherever the file begins. */
function listIn(whole: unknown): { value: unknown; place: string } {
  let [value, place] = [whole, '']
  for (const name of ['spec', 'processor', 'subnetLabels'])
    if (isObject(value) && value[name] !== undefined) [value, place] = [value[name], `${place}${name}.`]
  const isKnown =
    Array.isArray(value) ||
    (isObject(value) && ['customLabels', 'openShiftAutoDetect', 'autoDetect'].some(name => name in value))
  if (!isKnown)
    throw new Error('there is neither a list of names with cidrs nor subnetLabels with customLabels')
  return { value, place }
}

function labelOf(entry: unknown, where: string): SubnetLabel {
  const { name, cidrs } = isObject(entry) ? entry : {}
  if (typeof name !== 'string' || name === '') throw new Error(`${where} has no name`)
  if (!Array.isArray(cidrs) || cidrs.length === 0) throw new Error(`${where} (${name}) has no list of cidrs`)
  return {
    name,
    cidrs: cidrs.map(cidr => {
      try {
        rangeOf(String(cidr))
        return String(cidr)
      } catch (error) {
        throw new Error(`${where} (${name}): ${(error as Error).message}`)
      }
    }),
  }
}
