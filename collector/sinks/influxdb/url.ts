/** An address of InfluxDB, and the login in it. */
interface Address {
  readonly url: string
  readonly username?: string
  readonly password?: string
}

/**
 * Users write passwords into URLs without escaping them: the login ends at the last `@`, whatever is in it.
 * @throws without the login
 */
export function splitLogin(text: string): Address {
  const [, scheme, login, rest = ''] = /^(https?:\/\/)(?:(.*)@)?([^@]*)$/s.exec(text) ?? []
  if (!scheme || !URL.canParse(scheme + rest))
    throw new Error(
      `--influx-url: needs an address such as http://127.0.0.1:8086, not ${text.replace(/^.*@/s, '…@')}`,
    )
  const url = (scheme + rest).replace(/\/+$/, '')
  if (login === undefined) return { url }
  const [, username = '', password] = /^([^:]*)(?::(.*))?$/s.exec(login) ?? []
  return {
    url,
    username: unescaped(username),
    ...(password === undefined ? {} : { password: unescaped(password) }),
  }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
