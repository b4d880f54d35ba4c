/** The environment's variables about proxies; a name in small letters goes before one in capitals. */
export type ProxyEnv = Readonly<Record<string, string | undefined>>

const LOOPBACK = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/i

/**
 * What Node's agents need to ask the proxy that the environment names: HTTP_PROXY, HTTPS_PROXY, and NO_PROXY for hosts
 * that are asked directly. A server of this machine is, as curl's users and Go's programs expect.
 * @returns nothing when no proxy is named for such an address
 */
export function proxyEnvOf(url: string, env: ProxyEnv): Record<string, string> | undefined {
  const name = variableOf(url, env)
  if (name === undefined || LOOPBACK.test(new URL(url).hostname)) return undefined
  const proxy = env[name]!
  const none = env['no_proxy'] ?? env['NO_PROXY'] ?? ''
  if (!/^https?:\/\//.test(proxy) || !URL.canParse(proxy))
    throw new Error(`${name}: needs an address such as http://proxy:3128; other kinds of proxy are not used`)
  return { [name]: proxy, no_proxy: none }
}

/** The variable that names the proxy for such an address. */
export function variableOf(url: string, env: ProxyEnv): string | undefined {
  const name = url.startsWith('https:') ? 'https_proxy' : 'http_proxy'
  return [name, name.toUpperCase()].find(each => env[each])
}
