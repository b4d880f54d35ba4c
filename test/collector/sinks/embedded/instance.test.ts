import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { identifier, literal, openInstance } from '../../../../collector/sinks/embedded/instance.ts'
import { temporary } from '../../../harness/embedded.ts'

// What a query could do if it got past the door in collector/sinks/embedded/permission.ts.
const refused = [
  "SELECT * FROM read_text('/etc/passwd')",
  "SELECT * FROM '/etc/passwd.csv'",
  "SELECT * FROM glob('/etc/*')",
  "SELECT * FROM read_text('http://127.0.0.1:1/x')",
  "COPY (SELECT 1) TO '/tmp/sockflux-instance-test.csv'",
  "ATTACH '/tmp/sockflux-instance-test.duckdb'",
  'INSTALL httpfs',
  'LOAD httpfs',
  "SET memory_limit = '10GB'",
  'SET enable_external_access = true',
  "SET allowed_directories = ['/']",
  'RESET lock_configuration',
  "SET temp_directory = '/tmp'",
  "SELECT getenv('HOME')",
]

t.test('the instance has no access to other files, the network or its settings', async t => {
  const directory = await temporary(t)
  mkdirSync(join(directory, 'new', "it's"), { recursive: true })
  const { instance, connection } = await openInstance(join(directory, 'new', "it's"))
  for (const sql of refused) await t.rejects(connection.run(sql), { message: /Error/ }, sql)
  await t.rejects(connection.run(`ATTACH ${literal(join(directory, 'outside.duckdb'))}`), {
    message: /Permission Error/,
  })
  const up = `${join(directory, 'new', "it's")}/../../outside.duckdb`
  await t.rejects(connection.run(`ATTACH ${literal(up)}`), { message: /Permission Error/ })
  connection.closeSync()
  instance.closeSync()
})

t.test('quotes cannot leave a name or a string', async t => {
  t.equal(identifier('a"b'), '"a""b"')
  t.equal(literal("a'b"), "'a''b'")
})
