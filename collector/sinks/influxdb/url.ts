/** InfluxDB's url, and the login in it. */
interface Address {
  readonly url: string
  readonly username?: string
  readonly password?: string
}

/** Paths that the sink adds to the address itself. */
const ADDED = /\/(write|query|ping|api\/v2(\/write|\/query)?|api\/v3\/\w+)$/i

/**
 * Users write passwords into URLs without escaping them: the login ends at the last `@`.
 * @throws with the address, but without the login
 */
export function splitLogin(text: string): Address {
  const [, scheme, login, rest = ''] = /^(https?:\/\/)(?:(.*)@)?([^@]*)$/s.exec(text) ?? []
  if (!scheme || !URL.canParse(scheme + rest))
    throw new Error(
      `--influx-url: needs an address such as http://127.0.0.1:8086, not ${text.replace(/^.*@/s, '…@')}`,
    )
  const url = bare(scheme + rest)
  if (login === undefined) return { url }
  const [, username = '', password] = /^([^:]*)(?::(.*))?$/s.exec(login) ?? []
  return {
    url,
    username: unescaped(username),
    ...(password === undefined ? {} : { password: unescaped(password) }),
  }
}

/** @throws if it has more than the server's address */
function bare(url: string): string {
  const [address = ''] = url.split(/[?#]/)
  const server = address.replace(/\/+$/, '').replace(ADDED, '')
  if (address !== url || server !== address.replace(/\/+$/, ''))
    throw new Error(
      `--influx-url: write the server's address alone, ${server}, not ${address}${address === url ? '' : url[address.length]}…: database, organisation and retention policy are settings of their own (--influx-database, --influx-org, --influx-retention-policy)`,
    )
  return server
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
