import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HARNESS } from './binary.ts'
import type { Cgroups } from './cgroup_layout.ts'

/**
 * A runtime to give to containerd, Docker or podman in place of runc: it corrects the bundle of a new container, then
 * is runc. Settings are written into it, because conmon empties the environment.
 */
export async function runcWrap(directory: string, { layout, driver }: Cgroups): Promise<string> {
  const wrapper = join(directory, 'runc_wrap')
  const correct = [process.execPath, join(HARNESS, 'runc_bundle.ts'), layout, driver]
  await writeFile(
    wrapper,
    `#!/bin/sh
case " $* " in *" create "*) ${correct.map(word => `'${word}'`).join(' ')} "$@" || exit 1 ;; esac
exec runc "$@"
`,
  )
  await chmod(wrapper, 0o755)
  return wrapper
}
