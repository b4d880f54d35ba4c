/** Opens the sinks that the options choose; the settings of all sinks. */

import type { Given, Remark } from '../../wire/settings/read.ts'
import type { Values } from '../../wire/settings/settings.ts'
import type { Routes } from '../routes.ts'
import type { Context, Descriptor, Opened, Wants } from './descriptor.ts'
import { SINKS } from './index.ts'

type Together<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer A) => void ? A : never
type SinkSettings = Together<(typeof SINKS)[number]['settings']>

export const sinkSettings = Object.assign({}, ...SINKS.map(({ settings }) => settings)) as SinkSettings

const all: readonly Descriptor[] = SINKS
const named = all.filter(({ chosen }) => chosen === 'by name')
const fallback = named.filter(({ isFallback }) => isFallback)

/** Values of `--sink`; the fallback is the last. */
export const sinkNames = [...named.filter(sink => !fallback.includes(sink)), ...fallback].map(
  ({ name }) => name,
) as [string, ...string[]]

export type SinkOptions = Values<SinkSettings> & { readonly sink: readonly string[] }

/** @returns the descriptors of the sinks to open, in their order */
export function wantedSinks(options: SinkOptions): readonly Descriptor[] {
  const first = sinkNames.find(name => named.find(sink => sink.name === name)!.isConfigured(options))
  const names = new Set(options.sink.length > 0 ? options.sink : [first])
  const bySettings = all.filter(sink => sink.chosen === 'by its settings' && sink.isConfigured(options))
  return [...[...names].flatMap(name => named.filter(sink => sink.name === name)), ...bySettings]
}

/** What is wrong with the settings of the sinks, those that are not open included. */
export function checkSinks(options: SinkOptions, given: Given<SinkSettings>): readonly Remark[] {
  const wanted = wantedSinks(options)
  return all.flatMap(sink => sink.check?.(options, given, wanted.includes(sink)) ?? [])
}

export interface OpenSink extends Opened {
  readonly wants: Wants
}

/**
 * @param isMeant others stay closed
 * @throws with the remedy
 */
export async function openSinks(
  options: SinkOptions,
  context: Context,
  isMeant: (sink: Descriptor) => boolean = () => true,
): Promise<OpenSink[]> {
  const open: OpenSink[] = []
  for (const { wants, ...sink } of wantedSinks(options).filter(isMeant))
    for (const one of [await sink.open(options, context)].flat()) open.push({ ...one, wants })
  return open
}

/** The routes of the open sinks, and the replacements for those of closed ones. */
export function routesOf(open: readonly OpenSink[]): Routes {
  const routes = [...all.map(({ closed }) => closed), ...open.map(({ routes }) => routes)]
  return Object.assign({}, ...routes) as Routes
}
