import t from 'tap'
import { setOf, threads } from '../harness/capabilities.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { start } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'

/** Threads of every kind that a program has: V8's, libuv's, workers, and those of libzmq, which block all signals. */
const PROGRAM = `
import { keepCapabilities } from 'bcc-bindings'
import { readFile } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { execFileSync } from 'node:child_process'
import { Dealer } from 'zeromq'
const dealer = new Dealer()
dealer.connect('tcp://127.0.0.1:1')
for (let i = 0; i < 8; i++) readFile('/dev/null', () => {})
const busy = 'let n = 0; const spin = () => { const end = Date.now() + 20; while (Date.now() < end) n++; setImmediate(spin) }; spin()'
const short = 'const { Worker } = process.getBuiltinModule("node:worker_threads"); const next = () => new Worker("", { eval: true }).on("exit", next); next(); next()'
for (const code of [busy, busy, 'setInterval(() => {}, 1000)', short]) new Worker(code, { eval: true })
setTimeout(() => {
  keepCapabilities(BigInt(process.argv[1]))
  keepCapabilities(BigInt(process.argv[1]))
  new Worker('setInterval(() => {}, 1000)', { eval: true })
  const child = execFileSync('grep', ['CapEff', '/proc/self/status'], { encoding: 'utf8' })
  console.log(child.trim().split(/\\s+/)[1])
}, 300)
setInterval(() => {}, 1000)
`

for (const kept of [0n, setOf('net_admin', 'bpf')])
  t.test(`every thread keeps ${kept}, and no other`, { skip: needs('root', 'bpf') }, async t => {
    const cleanup = new Cleanup()
    t.teardown(() => cleanup.close())
    const program = start([process.execPath, '--input-type=module', '-e', PROGRAM, String(kept)])
    cleanup.defer(() => program.close())
    t.equal(BigInt(`0x${await program.line()}`), kept, 'what it starts has no more')
    const found = threads(program.pid)
    t.ok(found.length > 10, `${found.length} threads`)
    for (const { name, sets, noNewPrivileges } of found)
      t.same(
        { sets, noNewPrivileges },
        {
          sets: { inheritable: 0n, permitted: kept, effective: kept, ambient: 0n, bounding: kept },
          noNewPrivileges: true,
        },
        name,
      )
    t.same(await program.kill(), { code: null, signal: 'SIGTERM' }, 'no handler is left behind')
  })

t.test('signals that the program had before are its own again', { skip: needs('root', 'bpf') }, async t => {
  const program = start([
    process.execPath,
    '--input-type=module',
    '-e',
    `import { keepCapabilities } from 'bcc-bindings'
     const caught = () => /SigCgt:\\s*(\\w+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]
     import fs from 'node:fs'
     const before = caught()
     keepCapabilities(0xffffffffffn)
     console.log(before === caught())`,
  ])
  t.teardown(() => program.close())
  t.equal(await program.line(), 'true')
})
