/** A task for each resolution. */

import type { Api } from '../api.ts'
import type { Plan, Step } from '../step.ts'
import { isOn, type Wanted } from '../wanted.ts'
import { isTaskOf, task as program, taskName } from './flux.ts'
import { all, request, task } from './server.ts'

const PATH = '/api/v2/tasks'

export async function tasks(api: Api, wanted: Wanted, org: string): Promise<Plan> {
  const { database, metrics } = wanted
  const found = await all(api, PATH, 'tasks', task, { orgID: org }, ({ id }) => ({ after: id }))
  const ours = found.filter(({ name }) => isTaskOf(database, name))
  const needed = new Map(
    wanted.resolutions
      .filter(isOn)
      .map(resolution => [taskName(database, resolution), program(database, resolution, metrics)]),
  )
  // names are not unique in 2.x: of several tasks of one name the first one stays
  const kept = new Map(ours.toReversed().map(task => [task.name, task]))
  const unwanted = ours.filter(task => !needed.has(task.name) || kept.get(task.name) !== task)
  const one = ({ id }: { id: string }) => `${PATH}/${encodeURIComponent(id)}`
  const none = new Map<string, string>()
  const drop = unwanted.map(task => {
    const step = request(api, `delete task "${task.name}"`, 'DELETE', one(task), () => undefined, none)
    return named(step, task.name)
  })
  const changed = [...needed].flatMap(([name, flux]): Step[] => {
    const present = kept.get(name)
    if (!present)
      return [request(api, `create task "${name}"`, 'POST', PATH, () => ({ orgID: org, flux }), none)]
    if (present.flux === flux) return []
    return [
      named(
        request(api, `alter task "${name}"`, 'PATCH', one(present), () => ({ flux }), none),
        name,
      ),
    ]
  })
  return {
    steps: [...drop, ...changed],
    notes: [...kept.values()]
      .filter(({ name, status }) => needed.has(name) && status === 'inactive')
      .map(
        ({ id, name }) =>
          `task "${name}" is inactive: influx task update --id ${id} --status active starts it`,
      ),
  }
}

const named = (step: Step, name: string): Step => ({
  shows: `${step.shows} -- task "${name}"`,
  run: step.run,
})
