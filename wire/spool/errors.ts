/** What can be done about an error of the file system. */

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'free space on its disk',
  EDQUOT: 'raise the quota, or free space',
  EROFS: 'mount its file system for writing',
  EACCES: 'make it the directory of the user that runs this',
  EPERM: 'make it the directory of the user that runs this',
  ENOTDIR: 'name a directory',
  EIO: 'look at its disk',
  EMFILE: 'raise the limit of open files',
  ENFILE: 'raise the limit of open files',
  ENOTSUP: 'name a directory on a local file system',
  EOPNOTSUPP: 'name a directory on a local file system',
}

/** @returns what, where, remedy */
export function spoolError(what: string, where: string, error: unknown): Error {
  const { code = '', message } = error as NodeJS.ErrnoException
  const cause = code === '' ? message : message.split(',', 1)[0] // then follows the call and its path
  const remedy = REMEDIES[code]
  return new Error(`cannot ${what} ${where} (${cause})${remedy ? `: ${remedy}` : ''}`, { cause: error })
}
