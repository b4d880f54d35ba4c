/** npm under common environments and npmrc files. No registry is queried: packages are folders. */

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Cleanup } from '../harness/cleanup.ts'
import { endProcessesIn } from '../harness/group.ts'
import { quoted, REPOSITORY } from '../harness/repository.ts'
import { scratch } from '../harness/scratch.ts'
import { needs } from '../harness/skip.ts'
import { ended } from '../harness/sockflux.ts'
import { onSystem } from './system.ts'

/** A clone whose packages are the folders `dev` and `optional`, and `remote` if a registry is given. */
async function project(t: Test, registry?: string) {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const root = join(await scratch(cleanup, 'npm'), 'my clone')
  // npm outlives setup.sh when that is killed, and works on in a folder that is gone
  cleanup.defer(() => {
    const left = endProcessesIn(root)
    if (left.length > 0) throw new Error(`processes were left in ${root}: ${left.join(', ')}`)
  })
  await cp(join(REPOSITORY, 'deploy'), join(root, 'deploy'), { recursive: true })
  await mkdir(join(root, 'home'))
  const folder = (name: string) => ({ [`node_modules/${name}`]: { resolved: name, link: true }, [name]: {} })
  for (const name of ['dev', 'optional', 'peer']) {
    await mkdir(join(root, name))
    await writeFile(join(root, name, 'package.json'), JSON.stringify({ name, version: '1.0.0', bin: 'x.js' }))
    await writeFile(join(root, name, 'x.js'), '')
  }
  await mkdir(join(root, 'native'))
  await writeFile(join(root, 'native/package.json'), '{"name":"native","version":"1.0.0"}')
  const wants = {
    name: 'tests',
    version: '1.0.0',
    workspaces: ['native'],
    devDependencies: { dev: 'file:dev' },
    optionalDependencies: { optional: 'file:optional' },
    peerDependencies: { peer: 'file:peer' },
    ...(registry ? { dependencies: { remote: '1.0.0' } } : {}),
  }
  await writeFile(join(root, 'package.json'), JSON.stringify(wants))
  const packages: Record<string, object> = { '': wants, ...folder('native') }
  for (const name of ['dev', 'optional', 'peer']) {
    packages[`node_modules/${name}`] = { resolved: name, link: true, [name]: true }
    packages[name] = { version: '1.0.0', bin: { [name]: 'x.js' }, [name]: true }
  }
  packages['native'] = { version: '1.0.0' }
  if (registry) packages['node_modules/remote'] = { version: '1.0.0', resolved: `${registry}/remote.tgz` }
  const lock = { name: 'tests', version: '1.0.0', lockfileVersion: 3, requires: true, packages }
  await writeFile(join(root, 'package-lock.json'), JSON.stringify(lock))
  return root
}

/** `setup.sh modules` without the environment of the tests. */
const modules = (root: string, env: Record<string, string> = {}) =>
  ended([
    ...['env', '-i', `PATH=${process.env['PATH']}`, `HOME=${join(root, 'home')}`],
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    join(root, 'deploy/setup.sh'),
    'modules',
  ])

const INSTALLED = ['dev', 'optional', 'peer', 'native', '.bin/dev']
const installed = (root: string) => INSTALLED.filter(name => existsSync(join(root, 'node_modules', name)))

for (const [name, value] of [
  ['NODE_ENV', 'production'],
  ['npm_config_production', 'true'],
  ['npm_config_omit', 'dev'],
  ['npm_config_omit', 'optional'],
  ['npm_config_omit', 'peer'],
  ['NPM_CONFIG_OMIT', 'optional'],
  ['npm_config_optional', 'false'],
  ['npm_config_only', 'production'],
  ['npm_config_global', 'true'],
  ['npm_config_location', 'global'],
  ['npm_config_dry_run', 'true'],
  ['npm_config_bin_links', 'false'],
  ['npm_config_package_lock', 'false'],
  ['npm_config_legacy_peer_deps', 'true'],
  ['npm_config_install_strategy', 'linked'],
  ['npm_config_workspaces', 'false'],
] as const)
  t.test(`${name}=${value} leaves nothing out`, async t => {
    const root = await project(t)
    t.same(await modules(root, { [name]: value }), { code: 0, stdout: '', stderr: '' })
    t.same(installed(root), INSTALLED)
  })

for (const line of [
  'production=true',
  'omit[]=dev',
  'omit=optional',
  'omit[]=dev\nomit[]=optional',
  'optional=false',
])
  t.test(`nor does an npmrc with ${JSON.stringify(line)}`, async t => {
    const root = await project(t)
    await writeFile(join(root, 'home/.npmrc'), `${line}\n`)
    t.same(await modules(root), { code: 0, stdout: '', stderr: '' })
    t.same(installed(root), INSTALLED)
  })

t.test('a HOME that cannot be written does not matter', async t => {
  const root = await project(t)
  t.same(await modules(root, { HOME: '/dev/null' }), { code: 0, stdout: '', stderr: '' })
  t.same(installed(root), INSTALLED)
})

const sentence = (registry: string, cause: string) =>
  new RegExp(`^setup: npm could not fetch the packages of package-lock.json from ${registry}: ${cause}\n$`)

t.test('a failed fetch is reported once, with its cause', async t => {
  const server = createServer((_, answer) => answer.writeHead(404).end()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const answering = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const [registry, cause] of [
    ['http://127.0.0.1:9', 'connect ECONNREFUSED 127\\.0\\.0\\.1:9'],
    [
      'http://nowhere.invalid',
      'its host name is not resolved \\(getaddrinfo [A-Z_]+ nowhere\\.invalid\\): [^\n]+',
    ],
    [answering, 'Not Found - GET [^\n ]+'],
  ] as const) {
    const root = await project(t, registry)
    const { code, stdout, stderr } = await modules(root, { npm_config_registry: registry })
    t.match(stderr, sentence(registry, cause))
    t.same([code, stdout], [1, ''])
  }
  const root = await project(t, 'http://registry.example')
  const proxy = {
    npm_config_registry: 'http://registry.example',
    https_proxy: 'http://me:secret@127.0.0.1:9',
    http_proxy: 'http://127.0.0.1:9',
  }
  t.match(
    (await modules(root, proxy)).stderr,
    sentence(
      'http://registry.example',
      '[^\n]*ECONNREFUSED 127.0.0.1:9, through the proxy http://127.0.0.1:9/?',
    ),
  )
})

t.test(
  "the machine's npmrc counts for the pinned npm",
  { skip: needs('root', 'overlay', 'apt') },
  async t => {
    const { stdout } = await onSystem(
      t,
      `unset npm_config_globalconfig; echo 'registry=http://mirror.example/' >/etc/npmrc; rm -f /usr/etc/npmrc /usr/local/etc/npmrc
    mkdir -p build/node/bin; ln -s ${quoted(process.execPath)} build/node/bin/node; PATH=$PWD/build/node/bin:$PATH
    fail() { exit 1; }; . deploy/npm.sh; use_machine_npmrc; echo $npm_config_globalconfig`,
    )
    t.equal(stdout, '/etc/npmrc\n')
  },
)

t.test(
  "a Node.js of a user's own is not linked to, one of the machine is",
  { skip: needs('root', 'overlay', 'apt') },
  async t => {
    const { stdout, stderr } = await onSystem(
      t,
      `PATH=/usr/sbin:/usr/bin:/sbin:/bin
    fail() { exit 1; }; . deploy/npm.sh; . deploy/node.sh
    for place in ~root/.nvm/versions/node/v24 /srv/me/.local /opt/shared /opt/node; do
      mkdir -p $place/bin $place/include/node; chmod 700 /root
      install -m 755 /bin/true $place/bin/node
      touch $place/bin/npm $place/include/node/node_api.h
    done
    install -m 755 ${quoted(process.execPath)} /opt/node/bin/node
    chown -R 1000 /srv/me; chmod 777 /opt/shared
    for place in ~root/.nvm/versions/node/v24 /srv/me/.local /opt/shared /opt/node; do
      MACHINE_PATH=$place/bin:$PATH; own_node || echo no $place
    done`,
    )
    t.match(stdout, /^no \/root\/\S+v24\nno \/srv\/me\/\.local\nno \/opt\/shared\n\/opt\/node\n$/, stderr)
  },
)
