/** Each file of fixtures/cgroup is the /proc/PID/cgroup of one shape, with its source and what it must be read as. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { namesOf } from '../../../probe/identify/path.ts'
import { PathReader } from '../../../probe/identify/rows.ts'
import { cgroupPath, pathIn, pathRecord } from './records.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/cgroup')

function expectedIn(text: string) {
  const say = (what: string) => RegExp(`^# ${what}: (.+)$`, 'm').exec(text)?.[1] ?? ''
  const [container, runtime, pod, outer] = [say('container'), say('runtime'), say('pod'), say('outer')]
  const name = say('name') || container.split('/')[1]
  const names =
    container === 'none'
      ? undefined
      : { container, runtime, ...(pod && { pod }), ...(name !== undefined && { name }) }
  return { source: say('source'), named: say('named'), outer, names }
}

for (const file of readdirSync(FIXTURES).sort()) {
  const text = readFileSync(join(FIXTURES, file), 'utf8')
  const { source, named, outer, names } = expectedIn(text)
  t.test(`${file.replace('.txt', '')}: ${names?.container ?? 'no container'}`, async t => {
    t.ok(source, 'the source is said')
    const [record] = new PathReader(cgroupPath).read(pathRecord(1, pathIn(text)))
    const found = namesOf(record!.names, (namespace, name) => `${namespace}/${name}` === named)
    const { outer: around, ...own } = found ?? {}
    t.same(found && own, names)
    t.equal(around?.container ?? '', outer)
  })
}

t.test('no name of 32 or 63 hex digits, and none in capitals, is a container', async t => {
  const hex = '0cc175b9c0f1b6a831c399e269772661'
  for (const name of [
    hex,
    `${hex}${hex}`.slice(1),
    `${hex}${hex}`.toUpperCase(),
    `${hex}${hex}0`,
    `docker-${hex}.scope`,
  ])
    t.equal(namesOf([name, 'docker']), undefined, name)
})
