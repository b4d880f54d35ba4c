/** The whole build in a folder with a blank; fetched and installed files are linked from this clone. */

import { join } from 'node:path'
import t from 'tap'
import { Cleanup } from '../harness/cleanup.ts'
import { run } from '../harness/process.ts'
import { REPOSITORY } from '../harness/repository.ts'
import { scratch } from '../harness/scratch.ts'
import { needs } from '../harness/skip.ts'
import { ended } from '../harness/sockflux.ts'

t.test(
  "everything is built in a folder named it's my clone ($1)",
  { skip: needs('root', 'gcc') },
  async t => {
    const cleanup = new Cleanup()
    t.teardown(() => cleanup.close())
    const root = join(await scratch(cleanup, 'build'), "it's my clone ($1)")
    const sources =
      'Makefile package.json package-lock.json tsconfig.json .taprc deploy wire cli grafana probe collector'
    const shell = `mkdir -p "$1/build" && cd "$0" && cp -a ${sources} "$1/" && mkdir "$1/native" &&
    cp -a native/*.ts native/*.json native/binding.gyp native/src "$1/native/" &&
    cp -al node_modules "$1/" && cp -al build/node build/npm "$1/build/" 2>/dev/null || cp -a node_modules "$1/"
    touch "$1/build/.node" "$1/node_modules/.package-lock.json"`
    await run(['sh', '-c', shell, REPOSITORY, root])
    const made = await ended(['make', '-C', root, 'CXXFLAGS=-O0', 'build'], { CXXFLAGS: '-O0' }, 170_000)
    t.match(made, { code: 0 }, made.stderr)
    t.match(await ended([join(root, 'build/sockflux'), '--version']), { code: 0, stderr: '' })
    const { stdout } = await ended([join(root, 'build/sockflux'), 'doctor', '--json'])
    t.ok(JSON.parse(stdout).length > 5, 'the addon and the BPF object are found')
  },
)
