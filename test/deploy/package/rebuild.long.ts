/** Everything is compiled anew in a folder with a blank, and packed: the same bytes. */

import { join } from 'node:path'
import t from 'tap'
import { Cleanup } from '../../harness/cleanup.ts'
import { debianPackage, EPOCH } from '../../harness/debian/package.ts'
import { run } from '../../harness/process.ts'
import { REPOSITORY } from '../../harness/repository.ts'
import { scratch } from '../../harness/scratch.ts'
import { needs } from '../../harness/skip.ts'
import { ended } from '../../harness/sockflux.ts'

const BUILDING_MS = 900_000
const SOURCES =
  'Makefile package.json package-lock.json tsconfig.json .taprc LICENSE CHANGELOG.md deploy wire cli grafana probe collector'

t.test('the package of another folder', { skip: needs('root', 'gcc', 'debian') }, async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const root = join(await scratch(cleanup, 'rebuild'), 'my other clone')
  const shell = `mkdir -p "$1/build" && cd "$0" && cp -a ${SOURCES} "$1/" && mkdir "$1/native" &&
    cp -a native/*.ts native/*.json native/binding.gyp native/src "$1/native/" &&
    cp -a node_modules "$1/" && cp -a build/node build/npm "$1/build/" &&
    touch "$1/build/.node" "$1/node_modules/.package-lock.json"`
  await run(['sh', '-c', shell, REPOSITORY, root], BUILDING_MS)
  const made = await ended(['make', '-C', root, 'build'], {}, BUILDING_MS)
  t.match(made, { code: 0 }, made.stderr)
  const env = { SOURCE_DATE_EPOCH: EPOCH }
  const output = join(root, 'x.deb')
  const pack = [
    join(root, 'build/node/bin/node'),
    join(root, 'deploy/package/main.ts'),
    '--quick',
    '--output',
    output,
  ]
  t.match(await ended(pack, env, BUILDING_MS), { code: 0 })
  t.match(
    await ended(['cmp', await debianPackage('0.1.0'), output]),
    { code: 0, stdout: '' },
    'byte for byte',
  )
})
