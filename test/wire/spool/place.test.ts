import { chmodSync, chownSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { spoolDirectory } from '../../../wire/spool/place.ts'
import { temporary } from '../../harness/embedded.ts'

t.test(
  'the directory of the settings goes before that of the service, that before that of the host',
  async t => {
    const host = await temporary(t)
    const service = { STATE_DIRECTORY: '/var/lib/a:/var/lib/b' }
    t.equal(spoolDirectory('/srv/spool', service, host), '/srv/spool')
    t.equal(spoolDirectory(undefined, service, host), '/var/lib/a/spool')
    t.equal(spoolDirectory(undefined, { STATE_DIRECTORY: '' }, host), join(host, 'spool'))
    t.equal(spoolDirectory(undefined, {}, host), join(host, 'spool'))
  },
)

t.test('there is none where it is switched off, or where nothing can be written', async t => {
  const host = await temporary(t)
  t.equal(spoolDirectory('off', { STATE_DIRECTORY: '/var/lib/a' }, host), undefined)
  t.equal(spoolDirectory(undefined, {}, join(host, 'missing')), undefined)
  chmodSync(host, 0o500)
  if (process.getuid?.() === 0) chownSync(host, 65534, 65534) // root could write, and does not
  t.equal(spoolDirectory(undefined, {}, host), undefined)
})
