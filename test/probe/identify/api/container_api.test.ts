/** The sockets that one pattern names: each user who runs containers has one. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { docker } from '../../../../probe/identify/api/container_api.ts'
import { probeSettings } from '../../../../probe/options.ts'

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)]

/** A Docker of this user that has one container; without a name it never answers. */
async function serve(t: Test, root: string, user: string, id: string, name?: string): Promise<void> {
  mkdirSync(join(root, user))
  const server = createServer((_, response) => {
    if (name) response.end(JSON.stringify([{ Id: id, Names: [`/${name}`], Image: 'i' }]))
  })
  await new Promise<void>(resolve => server.listen(join(root, user, 'docker.sock'), resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
}

/** Paths of sockets have 107 characters at most. */
function shortDirectory(t: Test): string {
  const root = mkdtempSync(join(tmpdir(), 'sockflux-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  return root
}

const ask = (root: string) => docker(join(root, '*/docker.sock')).ask(AbortSignal.timeout(5000))

t.test('each user has containers of his own', async t => {
  const root = shortDirectory(t)
  mkdirSync(join(root, '1002'))
  t.notOk(docker(join(root, '*/docker.sock')).exists(), 'nobody runs any')
  await serve(t, root, '1000', A, 'web')
  t.ok(docker(join(root, '*/docker.sock')).exists())
  t.same([...(await ask(root)).containers.keys()], [A], 'one of them')
  await serve(t, root, '1001', B, 'db')
  const { containers, running } = await ask(root)
  t.match(containers.get(A), { runtime: 'docker', name: 'web' })
  t.match(containers.get(B), { runtime: 'docker', name: 'db' })
  t.same(running.map(({ id }) => id).toSorted(), [A, B])
})

t.test('one that hangs is left out; when all hang the question has failed', async t => {
  const root = shortDirectory(t)
  await serve(t, root, '1000', A)
  await serve(t, root, '1001', B, 'db')
  t.same([...(await ask(root)).containers.keys()], [B])
  const silent = shortDirectory(t)
  await serve(t, silent, '1000', A)
  await serve(t, silent, '1001', B)
  await t.rejects(ask(silent), { name: 'AbortError' })
})

t.test('where distributions and users have their containers is known without settings', async t => {
  for (const path of ['/run/k0s/containerd', '/run/k3s/containerd', '/run/user/*/docker/containerd/daemon'])
    t.ok(probeSettings.containerdState.fallback.includes(path), path)
  t.ok(probeSettings.criSocket.fallback.includes('/run/k0s/containerd.sock'))
  t.ok(probeSettings.dockerSocket.fallback.includes('/run/user/*/docker.sock'))
  t.ok(probeSettings.podmanSocket.fallback.includes('/run/user/*/podman/podman.sock'))
})
