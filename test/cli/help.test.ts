import type { Command } from 'commander'
import t from 'tap'
import { commands } from '../../cli/commands.ts'

/** What `--help` prints on a terminal of 80 columns. */
function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ getOutHelpWidth: () => 80, writeOut: part => (text += part) })
  command.outputHelp()
  return text
}

const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)]

t.test('help fits a terminal of 80 columns, but for words that are longer', async t => {
  for (const command of all(await commands())) {
    const long = helpOf(command)
      .split('\n')
      .filter(line => line.length > 80 && !/^ +(-|\S+$)/.test(line))
    t.same(long, [], command.name())
  }
})
