import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Test } from 'tap'

/** A private nginx until the test has ended. @param server inside of `server { }`, of which `DIR` has cert.pem and key.pem */
export async function startNginx(t: Test, port: number, server: string): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'nginx-'))
  const conf = join(dir, 'nginx.conf')
  const key = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost']
  await promisify(execFile)('openssl', [
    ...key,
    '-out',
    join(dir, 'cert.pem'),
    '-keyout',
    join(dir, 'key.pem'),
  ])
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  await writeFile(
    conf,
    `daemon off;
pid ${dir}/pid;
error_log ${dir}/error.log;
events {}
http {
  access_log off;
  ${temporary.map(name => `${name}_temp_path ${dir}/${name};`).join('\n  ')}
  server { ${server.replaceAll('DIR', dir)} }
}
`,
  )
  const child = spawn('nginx', ['-p', dir, '-c', conf], { stdio: 'ignore' })
  t.teardown(async () => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit')
    await rm(dir, { recursive: true, force: true })
  })
  while (!(await isOpen(port))) {
    if (child.exitCode !== null) throw new Error(`nginx exited with ${child.exitCode}`)
    await wait(20)
  }
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const open = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return open
}
