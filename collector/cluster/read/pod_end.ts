/** When a pod gave its address back: another pod may have had it before this one left the API. */

import { elements, type Json, member, number, record, text, timeMs } from '../json.ts'

/** Times are in whole seconds. */
const ROUNDED_MS = 1000
/** What a pod's conditions become when it ends, each with the time; an evicted pod's containers may have none. */
const CONDITIONS: Readonly<Record<string, string>> = {
  ...{ PodReadyToStartContainers: 'False', ContainersReady: 'False', Ready: 'False' },
  DisruptionTarget: 'True',
}

/**
 * @param isOver its phase says that it does not go on
 * @returns milliseconds since the epoch; undefined: it goes on, or does not say
 */
export function endOf(metadata: Json, status: Json, isOver: boolean): number | undefined {
  const [main, before] = ['containerStatuses', 'initContainerStatuses'].map(list =>
    elements(status[list]).map(({ state }) => record(state)),
  ) as [Json[], Json[]]
  const all = [...main, ...before]
  const ends = known(all.map(state => member(state, 'terminated')['finishedAt']))
  if (isOver) {
    const isWhole =
      main.length > 0 && all.every(state => known([member(state, 'terminated')['finishedAt']])[0])
    return latest(isWhole ? ends : [...ends, ...conditionsOf(status)])
  }
  const asked = askedToEnd(metadata)
  const isEnded =
    main.length > 0 && main.every(state => known([member(state, 'terminated')['finishedAt']])[0])
  // a sidecar ends after the others; one whose containers only wait to be started anew has its address until it is asked to end
  if (asked === undefined || !isEnded || before.some(state => state['running'] !== undefined))
    return undefined
  return latest([...ends, asked])
}

/** A deletion's time is that at which it would be forced. */
function askedToEnd({ deletionTimestamp, deletionGracePeriodSeconds }: Json): number | undefined {
  const [forced] = known([deletionTimestamp])
  return forced === undefined ? undefined : forced - number(deletionGracePeriodSeconds) * 1000
}

const conditionsOf = (status: Json): number[] =>
  known(
    elements(status['conditions'])
      .filter(({ type, status }) => CONDITIONS[text(type)] === status)
      .map(({ lastTransitionTime }) => lastTransitionTime),
  )

/** Of a container that its node has lost the time is null, or that of the year 1. */
const known = (times: readonly unknown[]): number[] =>
  times.map(timeMs).filter(time => time !== undefined && time > 0) as number[]

const latest = (times: readonly number[]): number | undefined =>
  times.length > 0 ? Math.max(...times) + ROUNDED_MS : undefined
