/** `runc_bundle.ts <layout> <driver> <words of runc>`: what `runc create` is about to read, as another host would have it. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cgroups, cgroupPath } from './cgroup_layout.ts'

const [layout, driver, ...words] = process.argv.slice(2)
const cgroups = { layout, driver } as Cgroups
const option = words.findIndex(word => word === '--bundle' || word === '-b')
const path = join(option < 0 ? '.' : words[option + 1]!, 'config.json')
const config = JSON.parse(readFileSync(path, 'utf8')) as {
  linux: { cgroupsPath?: string; resources?: Record<string, unknown> }
}
const { linux } = config
if (linux.cgroupsPath) linux.cgroupsPath = cgroupPath(cgroups, linux.cgroupsPath)
// A host that has bound its controllers to v1 has none for v2: runc fails with "cpu.weight: no such file or directory".
if (cgroups.layout === 'v2' && linux.resources)
  for (const limit of ['blockIO', 'cpu', 'hugepageLimits', 'memory', 'network', 'pids', 'unified'])
    delete linux.resources[limit]
writeFileSync(path, JSON.stringify(config))
