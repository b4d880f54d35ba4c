import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { directoryFault, makeDirectory } from '../../collector/directory.ts'

t.test('missing directories of a path are made, with the mode', async t => {
  const path = join(t.testdir({}), 'a/b/c')
  makeDirectory(path, '--store', 0o700)
  for (const directory of [path, join(path, '..'), join(path, '../..')])
    t.equal(statSync(directory).mode & 0o777, 0o700)
  makeDirectory(path, '--store', 0o700)
})

t.test('a pseudo file system is refused at once, with the reason', async t => {
  for (const [path, type] of [
    ['/proc/x', 'proc'],
    ['/proc/self/x/y', 'proc'],
    ['/sys/x', 'sysfs'],
    ['/sys/kernel', 'sysfs'],
  ]) {
    t.match(directoryFault(path!), `is a pseudo file system (${type}), where nothing can be stored`)
    t.throws(() => makeDirectory(path!, '--store'), { message: /^--store: \/\w+.* is a pseudo file system/ })
  }
})

t.test('a file where a directory should be is named', async t => {
  const root = t.testdir({ file: '' })
  const file = join(root, 'file')
  for (const path of [file, join(file, 'x'), join(file, 'x/y')])
    t.throws(() => makeDirectory(path, '--store'), {
      message: `--store: ${file} is a file: give a directory`,
    })
  t.equal(directoryFault(join(root, 'new/one')), undefined)
})
