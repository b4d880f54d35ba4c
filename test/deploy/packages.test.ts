/** Debian packages on a machine in use, in a copy of its root. */

import t from 'tap'
import { needs } from '../harness/skip.ts'
import { hold, onSystem } from './system.ts'

const skip = needs('root', 'overlay', 'apt')
const LOCKS = [
  '/var/lib/dpkg/lock-frontend',
  '/var/lib/dpkg/lock',
  '/var/lib/apt/lists/lock',
  '/var/cache/apt/archives/lock',
]
const IS_THERE = `dpkg-query -Wf '\${db:Status-Status}\\n' sockflux-one`

for (const lock of LOCKS)
  t.test(`${lock}: set-up waits and names the holder`, { skip }, async t => {
    const { stdout, stderr, code } = await onSystem(
      t,
      `${hold(lock, 2)} deploy/setup.sh packages run; echo $?; echo "held by $holder"; ${IS_THERE}`,
    )
    const [, holder] = /held by (\d+)/.exec(stdout)!
    t.equal(stderr, `setup: waiting up to 600 seconds for perl (pid ${holder}), which holds ${lock}\n`)
    t.equal(stdout, `installing 1 Debian packages: sockflux-one\n0\nheld by ${holder}\ninstalled\n`)
    t.equal(code, 0)
  })

t.test('a lock that is never released ends set-up with one sentence', { skip }, async t => {
  const { stdout, stderr } = await onSystem(
    t,
    `${hold(LOCKS[0]!, 60)} SOCKFLUX_SETUP_LOCK_SECONDS=1 deploy/setup.sh packages run; echo $?; kill $holder; ls /usr/sbin/policy-rc.d 2>&1`,
  )
  t.match(
    stderr,
    /^setup: waiting [^\n]+\nsetup: perl \(pid \d+\) has held \/var\/lib\/dpkg\/lock-frontend for 1 seconds: [^\n]+\n$/,
  )
  t.match(stdout, /\n1\nls: cannot access/)
})

/** Broken sources, and their warnings. */
const BROKEN = {
  'deb file:/opt/unsigned ./': /not signed|does not have a Release file/,
  'deb http://127.0.0.1:9/debian stable main': /127\.0\.0\.1:9: Could not connect/,
  'deb http://nowhere.invalid/debian stable main': /nowhere\.invalid: .*resol/,
}
for (const [source, cause] of Object.entries(BROKEN))
  t.test(`a broken source is a warning: ${source}`, { skip }, async t => {
    const { stdout, stderr } = await onSystem(
      t,
      `mkdir /opt/unsigned; touch /opt/unsigned/Packages; echo '${source}' >/etc/apt/sources.list.d/x.list
      deploy/setup.sh packages run; echo $?; ${IS_THERE}`,
    )
    t.match(stdout, /\n0\ninstalled\n$/)
    t.match(stderr, /^setup: warning: an apt source is broken \([^\n]+\); [^\n]+\n$/)
    t.match(stderr, cause)
  })

t.test('if nothing answers, the cause is reported once', { skip }, async t => {
  const { stdout, stderr } = await onSystem(
    t,
    `echo 'deb http://nowhere.invalid/debian stable main' >/etc/apt/sources.list
    deploy/setup.sh packages run; echo $?`,
  )
  t.match(stdout, /\n1\n$/)
  t.match(stderr, /^setup: apt could not fetch its lists of packages: nowhere\.invalid: [^\n]*resol[^\n]*\n$/)
})

t.test('an entry that apt cannot read is named', { skip }, async t => {
  const { stdout, stderr } = await onSystem(
    t,
    `echo 'deb nonsense' >/etc/apt/sources.list.d/x.list; deploy/setup.sh packages run; echo $?`,
  )
  t.match(stdout, /\n1\n$/)
  t.match(stderr, /^setup: apt could not install the packages: Malformed entry 1 in list file [^\n]+x\.list/)
})

t.test(
  'a package of the tests that no source has is left out, one of the build is an error',
  { skip },
  async t => {
    const script = `deploy/setup.sh packages test; echo $?; ${IS_THERE}`
    const left = await onSystem(t, script, 'sockflux-one', 'sockflux-two sockflux-none')
    t.match(left.stdout, /\n0\ninstalled\n$/)
    t.equal(
      left.stderr,
      'setup: warning: no apt source has sockflux-none; tests that need them are skipped\n',
    )
    const missing = await onSystem(t, script, 'sockflux-one sockflux-none')
    t.match(missing.stdout, /\n1\ninstalled\n$/)
    t.equal(missing.stderr, 'setup: these packages are needed, and no apt source has them: sockflux-none\n')
  },
)

const POLICY = 'cat /opt/policy.seen; ls /usr/sbin/policy-rc.d 2>&1'
const GONE = /\/usr\/sbin\/policy-rc\.d\nls: cannot access '\/usr\/sbin\/policy-rc\.d'/

t.test(
  'no service starts while packages are installed, and the policy file is removed',
  { skip },
  async t => {
    t.match((await onSystem(t, `deploy/setup.sh packages run; ${POLICY}`)).stdout, GONE)
  },
)

for (const [signal, status] of Object.entries({ HUP: 129, INT: 130, TERM: 143 }))
  t.test(`also when SIG${signal} ends it`, { skip }, async t => {
    const { stdout } = await onSystem(
      t,
      `${hold(LOCKS[0]!, 60)} setsid env --default-signal=INT deploy/setup.sh packages run 2>/opt/said & set_up=$!
      until grep -q waiting /opt/said; do sleep 0.05; done
      ls /usr/sbin/policy-rc.d; kill -${signal} $set_up; wait $set_up; echo $?; kill $holder; ls /usr/sbin/policy-rc.d 2>&1`,
    )
    t.match(stdout, new RegExp(`/usr/sbin/policy-rc.d\n${status}\nls: cannot access`))
  })

t.test('the policy file of a killed set-up is removed by the next one', { skip }, async t => {
  const { stdout } = await onSystem(
    t,
    `${hold(LOCKS[0]!, 60)} deploy/setup.sh packages run 2>/opt/said & set_up=$!
    until grep -q waiting /opt/said; do sleep 0.05; done
    kill -KILL $set_up; kill $holder; wait; deploy/setup.sh packages run; ${POLICY}
    sleep 1.1 # that of the killed one ends`,
  )
  t.match(stdout, GONE)
})

t.test('a policy file of the machine stays, whatever its content', { skip }, async t => {
  const own = (make: string) =>
    onSystem(
      t,
      `${make}; deploy/setup.sh packages run; ${IS_THERE}; ls -l /usr/sbin/policy-rc.d; cat /usr/sbin/policy-rc.d`,
    )
  t.match(
    (await own("printf '#!/bin/sh\\nexit 0\\n' >/usr/sbin/policy-rc.d")).stdout,
    /installed\n.*\n#!\/bin\/sh\nexit 0\n$/,
  )
  t.match((await own('ln -s /nowhere /usr/sbin/policy-rc.d')).stdout, /installed\n.* -> \/nowhere\n$/)
})

t.test('two at a time: the second waits for the first', { skip }, async t => {
  const { stdout, stderr } = await onSystem(
    t,
    `${hold(LOCKS[0]!, 60)} deploy/setup.sh packages run 2>/opt/first & first=$!
    until grep -q waiting /opt/first; do sleep 0.05; done
    deploy/setup.sh packages run & second=$!
    sleep 0.2; kill $holder; wait $first; echo $?; wait $second; echo $?; ${POLICY}`,
  )
  t.match(stdout, GONE)
  t.match(stdout, /0\n0\n/)
  t.match(stderr, /^setup: another set-up of Sockflux installs packages; waiting/m)
})
