/** Holds everything that an object can hold: as a worker thread until it is terminated, as a process until it ends. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { open } from 'bcc-bindings'

const { object, passes, ending } = isMainThread
  ? { object: process.argv[2], passes: 2 ** 32 - 1, ending: process.argv[3] }
  : workerData
const held = open(object)
held.load()
held.attach('on_exit')
held.rings(['records'], () => {})
held.map('slots').view()
const job = held.run('work', Buffer.from(Uint32Array.of(passes).buffer))
job.catch(() => {})

if (isMainThread)
  setTimeout(() => {
    if (ending === 'exit') process.exit()
    if (ending === 'throw') throw new Error('as it was told')
    held.close()
  }, 50)
else parentPort?.postMessage('ready')
