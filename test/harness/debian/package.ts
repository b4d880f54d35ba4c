/** The Debian package of what is built here, packed quickly, and kept in build/test until something in it changes. */

import { globSync } from 'node:fs'
import { join } from 'node:path'
import { built } from '../binary.ts'
import { run } from '../process.ts'
import { REPOSITORY } from '../repository.ts'

const SOURCES = [
  'deploy/*.ts',
  'deploy/package/**/*.ts',
  'deploy/package/scripts/*',
  'deploy/systemd/*',
  'dist/**/*.js',
  'build/bpf/*.o',
  'native/build/Release/*.node',
  'package-lock.json',
  'CHANGELOG.md',
]
const PACKING_MS = 300_000

/** The same content under any version, so that there is something to update to. */
export function debianPackage(version: string): Promise<string> {
  const sources = SOURCES.flatMap(pattern => globSync(pattern, { cwd: REPOSITORY })).map(path =>
    join(REPOSITORY, path),
  )
  return built(`sockflux_${version}.deb`, sources, output =>
    run(
      [
        'env',
        `SOURCE_DATE_EPOCH=${EPOCH}`,
        process.execPath,
        PACKER,
        '--quick',
        '--version',
        version,
        '--output',
        output,
      ],
      PACKING_MS,
    ),
  )
}

/** The same at every commit, so that what is kept can be compared. */
export const EPOCH = '1764374400'
export const PACKER = join(REPOSITORY, 'deploy/package/main.ts')
