/** Proxy variables of the environment; lower case wins over upper case. */
export type ProxyEnv = Readonly<Record<string, string | undefined>>

const LOOPBACK = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/i

/**
 * Options for Node's agents to use the proxy of the environment: HTTP_PROXY, HTTPS_PROXY, and NO_PROXY for hosts that are
 * connected directly. Servers on this machine are connected directly too, as in curl and Go's programs.
 * @returns undefined if no proxy is set for such an address
 */
export function proxyEnvOf(url: string, env: ProxyEnv): Record<string, string> | undefined {
  const name = variableOf(url, env)
  if (name === undefined || LOOPBACK.test(new URL(url).hostname)) return undefined
  const proxy = env[name]!
  const none = env['no_proxy'] ?? env['NO_PROXY'] ?? ''
  if (!/^https?:\/\//.test(proxy) || !URL.canParse(proxy))
    throw new Error(
      `${name}: needs an address such as http://proxy:3128; other kinds of proxy are not supported`,
    )
  return { [name]: proxy, no_proxy: none }
}

/** The variable with the proxy for such an address. */
export function variableOf(url: string, env: ProxyEnv): string | undefined {
  const name = url.startsWith('https:') ? 'https_proxy' : 'http_proxy'
  return [name, name.toUpperCase()].find(each => env[each])
}
