/** One JSON document over HTTP, from a unix socket or an address, within bounds. */

import type { RequestOptions } from 'node:http'
import { NonsenseError } from './asked.ts'

const MAX_BYTES = 32 * 2 ** 20

/** @throws NonsenseError, or what the connection throws */
export async function getJson(options: RequestOptions, signal: AbortSignal): Promise<unknown> {
  // loaded at the first request: these take 17 MB
  const { request } = await import('node:http')
  const text = await new Promise<string>((resolve, reject) => {
    const asked = request({ agent: false, ...options, signal }, response => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('error', reject)
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > MAX_BYTES) asked.destroy(new NonsenseError('the answer has no end'))
        else chunks.push(chunk)
      })
      response.on('end', () => {
        const { statusCode = 0 } = response
        if (statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'))
        else
          reject(
            Object.assign(
              new Error(`HTTP ${statusCode}`),
              statusCode === 401 || statusCode === 403 ? { code: 'EACCES' } : {},
            ),
          )
      })
    })
    // HPE_…: the peer does not speak HTTP (llhttp's error names)
    asked.on('error', (error: NodeJS.ErrnoException) =>
      reject(error.code?.startsWith('HPE_') ? new NonsenseError(error.message) : error),
    )
    asked.end()
  })
  return JSON.parse(text)
}
