import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HARNESS } from './binary.ts'
import type { Cgroups } from './cgroup_layout.ts'
import { quoted, REPOSITORY, seenAt } from './repository.ts'

/**
 * A runtime to give to containerd, Docker or podman in place of runc: it corrects the bundle of a new container, then
 * is runc. Settings are written into it, because conmon empties the environment.
 * @param repository where the one who runs it finds this repository
 */
export async function runcWrap(
  directory: string,
  { layout, driver }: Cgroups,
  repository = REPOSITORY,
): Promise<string> {
  const wrapper = join(directory, 'runc_wrap')
  const program = [process.execPath, join(HARNESS, 'runc_bundle.ts')].map(path => seenAt(repository, path))
  const correct = [...program, layout, driver].map(quoted)
  await writeFile(
    wrapper,
    `#!/bin/sh
case " $* " in *" create "*) ${correct.join(' ')} "$@" || exit 1 ;; esac
exec runc "$@"
`,
  )
  await chmod(wrapper, 0o755)
  return wrapper
}
