import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { needs } from '../../harness/skip.ts'
import { ended, openSite, SOCKFLUX } from '../../harness/sockflux.ts'
import { openScreen } from '../../harness/tmux.ts'

const words = (site: { socket: string }) =>
  [...SOCKFLUX, 'query', '--socket', site.socket].map(word => `'${word}'`).join(' ')

t.test(
  'a prompt: completion, help, formats, errors, history over restarts',
  { skip: needs('tmux') },
  async t => {
    const site = await openSite()
    t.teardown(() => site.close())
    await site.collector()
    const screen = await openScreen(100, 40, { XDG_STATE_HOME: site.directory })
    t.teardown(() => screen.close())
    await screen.type(words(site))
    await screen.shows(/^sockflux>$/m)
    await screen.tmux('send-keys', '-l', 'select count(*) as n from "container:num_f')
    await screen.press('Tab')
    await screen.shows(/from "container:num_flows"$/m)
    await screen.press('Enter')
    await screen.shows(/^n\n-\n0$/m)
    await screen.type('.help')
    await screen.shows(/^ +Tab +completes/m)
    await screen.type('.columns host:mem')
    await screen.shows(/^swap_used$/m)
    await screen.type('.json')
    await screen.type('select 1 as one;')
    await screen.shows(/\{"one":1\}/)
    await screen.type('select nothing')
    await screen.shows(/Binder Error/)
    await screen.type('select 41 \\')
    await screen.shows(/^ +->$/m)
    await screen.type('+ 1 as sum')
    await screen.shows(/\{"sum":42\}/)
    await screen.type('.nonsense')
    await screen.shows(/there is no \.nonsense: \.help/)
    await screen.press('C-d')
    await screen.type('echo ended with $?')
    await screen.shows(/ended with 0/)
    const file = join(site.directory, 'sockflux', 'query_history')
    t.match(readFileSync(file, 'utf8'), /^select count[\s\S]*\n\.nonsense\n$/)
    t.equal(statSync(file).mode & 0o777, 0o600)
    await screen.type(`clear; ${words(site)}`)
    await screen.shows(/^sockflux>$/m)
    await screen.press('Up', 'Up')
    await screen.shows(/^sockflux> select nothing$/m)
  },
)

t.test('without a terminal each line of the input is a query', async t => {
  const site = await openSite()
  t.teardown(() => site.close())
  await site.collector()
  const piped = (input: string) => ended(['sh', '-c', `printf '%s' "$0" | ${words(site)}`, input])
  const answered = await piped('select 1 as one\n.csv\n\nselect 2 as two')
  t.same(answered, { code: 0, stdout: 'one\n---\n  1\ntwo\r\n2\r\n', stderr: '' })
  const failed = await piped('select nothing\nselect 3 as three\n')
  t.equal(failed.code, 1)
  t.match(failed.stdout, /three/, 'the next one is answered')
  t.match(failed.stderr, /Binder Error[\s\S]*sockflux: a query had no answer, see above/)
  t.notOk(existsSync(join(site.directory, 'sockflux')), 'no history')
})
