/** Which script an interpreter runs: command lines as people write them. */

import t from 'tap'
import { scriptOf } from '../../../../probe/identify/program/script.ts'

const SECRET = 's3cr3t'

const CASES: readonly (readonly [commandLine: string, program: string, script: string | undefined])[] = [
  ['node /srv/shop/server.js --token s3cr3t', 'node', 'server.js'],
  ['node --enable-source-maps -r dotenv/config dist/main.mjs', 'node', 'main.mjs'],
  ['/usr/bin/node --max-old-space-size=4096 /app/node_modules/.bin/next start', 'node', 'next'],
  ['node --max-old-space-size 4096 app.js', 'node', undefined],
  ['node --inspect=0.0.0.0:9229 worker.ts', 'node', 'worker.ts'],
  ['node --api-key s3cr3t server.js', 'node', undefined],
  ['node --api-key=s3cr3t server.js', 'node', 'server.js'],
  ['node -e fetch("http://s3cr3t")', 'node', undefined],
  ['node', 'node', undefined],
  ['node .', 'node', undefined],
  ['python3 -u /opt/shop/worker.py --password s3cr3t', 'python3.11', 'worker.py'],
  ['python3 -m http.server 8000', 'python3.11', 'http.server'],
  ['python3 -W ignore -X dev manage.py runserver', 'python3', 'manage.py'],
  ['/usr/bin/python3 /usr/local/bin/gunicorn app:app', 'python3.11', 'gunicorn'],
  ['python3 -c import(s3cr3t)', 'python3', undefined],
  ['python3 -Bc import(s3cr3t)', 'python3', undefined],
  ['python3 - s3cr3t', 'python3', undefined],
  ['ruby -Ilib -w bin/rails server', 'ruby3.1', 'rails'],
  ['puma: cluster worker 0: 41 [shop]', 'ruby3.1', 'puma'],
  ['ruby -e puts(s3cr3t)', 'ruby', undefined],
  ['/usr/bin/perl -wT /usr/sbin/spamd -d', 'perl', 'spamd'],
  ['perl -ne print(s3cr3t)', 'perl', undefined],
  ['php artisan queue:work', 'php8.2', 'artisan'],
  ['php -d memory_limit=1G -f cron.php s3cr3t', 'php', 'cron.php'],
  ['php -S 0.0.0.0:80 -t public', 'php', undefined],
  ['java -Xmx1g -Dpassword=s3cr3t -jar /app/shop-1.2.jar --server.port=80', 'java', 'shop-1.2.jar'],
  ['java -cp lib/*:. -ea org.elasticsearch.bootstrap.Elasticsearch -d', 'java', 'Elasticsearch'],
  ['java --add-opens java.base/java.lang=ALL-UNNAMED -m shop/com.shop.Main', 'java', 'Main'],
  ['dotnet Shop.dll --token s3cr3t', 'dotnet', 'Shop.dll'],
  ['bash -eu -o pipefail /usr/local/bin/backup.sh s3cr3t', 'bash', 'backup.sh'],
  ['bash -euxo pipefail sync.sh', 'bash', 'sync.sh'],
  ['/bin/sh -c curl(s3cr3t)', 'dash', undefined],
  ['-bash', 'bash', undefined],
  ['deno run --allow-net --config deno.json main.ts', 'deno', 'main.ts'],
  ['bun run index.tsx', 'bun', 'index.tsx'],
  ['nginx -g daemon', 'nginx', undefined],
]

for (const [commandLine, program, script] of CASES)
  t.test(commandLine, async t => {
    const name = scriptOf(program, commandLine.split(' '))
    t.equal(name, script)
    t.notMatch(name ?? '', SECRET)
  })

t.test('a title is one argument, and its first word the name', async t => {
  t.equal(scriptOf('node', ['npm start', '']), 'npm')
  for (const path of ['/srv/my apps/node', '/opt/a: b/node-24', '/srv/my apps/python3.11'])
    t.equal(scriptOf('node', [path, '--no-warnings', '/srv/my apps/worker.mjs']), 'worker.mjs', path)
  t.equal(scriptOf('python3.11', ['gunicorn: master [shop]']), 'gunicorn')
  t.equal(scriptOf('python3.11', ['[celeryd: s3cr3t@host]']), undefined, 'no name begins so')
})

t.test('no name is longer than 63 characters, or has anything in it that is no part of a name', async t => {
  for (const file of [`${'a'.repeat(64)}.js`, 'a\nb.js', 'a"b.js', '.js', '-.js', 'a\u202eb.js'])
    t.equal(scriptOf('node', ['node', file]), undefined, file)
})
