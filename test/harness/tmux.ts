/** A real terminal that can be looked at: tmux, with a server of its own. */

import { join } from 'node:path'
import type { Cleanup } from './cleanup.ts'
import { type Closable, closable } from './cleanup.ts'
import { run } from './process.ts'
import { scratch } from './scratch.ts'
import { until } from './until.ts'

const PATIENCE_MS = 60_000

export class Screen {
  readonly #socket: string

  constructor(socket: string) {
    this.#socket = socket
  }

  /** What is on it, a line each. */
  async lines(): Promise<string[]> {
    return (await this.tmux('capture-pane', '-p')).split('\n')
  }

  async text(): Promise<string> {
    return (await this.lines()).join('\n')
  }

  /** With its colours, as escape sequences. */
  coloured(): Promise<string> {
    return this.tmux('capture-pane', '-p', '-e')
  }

  /** Keys by tmux's names (`Enter`, `Escape`, `C-z`, `F3`), or characters. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.tmux('send-keys', ...keys)
  }

  /** A command for the shell. */
  async type(command: string): Promise<void> {
    await this.tmux('send-keys', '-l', command)
    await this.press('Enter')
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.tmux('resize-window', '-x', String(columns), '-y', String(rows))
  }

  async shows(pattern: RegExp): Promise<string> {
    let text = ''
    return until(
      `${pattern} on the screen`,
      async () => {
        text = await this.text()
        return pattern.test(text) && text
      },
      PATIENCE_MS,
    ).catch(error => {
      throw new Error(`${error}\n${text}`)
    })
  }

  /** `#{alternate_on}` and others of tmux(1). */
  async told(format: string): Promise<string> {
    return (await this.tmux('display-message', '-p', format)).trim()
  }

  tmux(...words: readonly string[]): Promise<string> {
    return run(['tmux', '-S', this.#socket, ...words])
  }
}

/** A shell on a terminal. @param env variables of the shell */
export function openScreen(
  columns: number,
  rows: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Screen & Closable> {
  return closable(async (cleanup: Cleanup) => {
    const screen = new Screen(join(await scratch(cleanup, 'tmux'), 's'))
    // a test runner whose output is no terminal sets NO_COLOR
    const variables = Object.entries({ PS1: '$ ', ENV: '', LC_ALL: 'C.UTF-8', NO_COLOR: '', ...env })
    const set = variables.flatMap(([name, value]) => ['-e', `${name}=${value}`])
    const size = ['-x', String(columns), '-y', String(rows)]
    cleanup.defer(() => screen.tmux('kill-server'))
    await screen.tmux('-u', '-f', '/dev/null', 'new-session', '-d', ...size, ...set, '/bin/sh', '-i')
    return screen
  })
}
