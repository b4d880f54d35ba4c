import { join } from 'node:path'
import t from 'tap'
import { queueDirectory } from '../../../../probe/publish/spool/place.ts'
import { spoolDirectory } from '../../../../wire/spool/place.ts'

t.test('the spool is where it is said, else in the state directory, else nowhere', async t => {
  const here = import.meta.dirname
  t.equal(spoolDirectory('/some/where', { STATE_DIRECTORY: '/state' }), '/some/where')
  t.equal(spoolDirectory('off', { STATE_DIRECTORY: '/state' }, here), undefined)
  t.equal(spoolDirectory(undefined, { STATE_DIRECTORY: '/state:/other' }, here), '/state/spool')
  t.equal(spoolDirectory(undefined, {}, here), join(here, 'spool'))
  t.equal(spoolDirectory(undefined, {}, join(here, 'nowhere')), undefined)
})

t.test('each collector has a directory, whatever its endpoint is made of', async t => {
  const endpoints = [
    'tcp://10.0.0.1:5556',
    'tcp://10.0.0.1:5557',
    'ipc:///a/b',
    'ipc:///a-b',
    `ipc:///${'x'.repeat(90)}`,
  ]
  const names = endpoints.map(endpoint => queueDirectory('/s', endpoint).slice(3))
  t.equal(new Set(names).size, endpoints.length)
  for (const name of names) t.match(name, /^[\w.-]{1,80}$/)
  t.equal(queueDirectory('/s', undefined), '/s/one')
})
