/** Logs so many lines a second until its stdin ends, says on stdout how it goes on, and ends as programs do. */

import { droppedLines, openLog } from '../../../wire/process/log.ts'

const log = openLog('program', 'info')
const writing = setInterval(() => {
  for (let index = 0; index < 50; index++) log.info({ index }, 'x'.repeat(500))
  console.log(JSON.stringify({ dropped: droppedLines() }))
}, 20)
process.stdin.on('end', () => {
  clearInterval(writing)
  log.info('stopped')
  process.exit()
})
process.stdin.resume()
