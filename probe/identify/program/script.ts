/**
 * Which script an interpreter runs, by its arguments (proc_pid_cmdline(5)): the base name of the file, the module, the
 * class. Nothing else of the arguments is taken, as they may hold secrets: what follows an option that is not known here
 * may be its value, and is taken for a script only if it is called like one.
 */

interface Language {
  /** Base name of the program. */
  readonly exe: RegExp
  /** Options whose value is the next argument. */
  readonly values: RegExp
  /** Options that have no value. */
  readonly alone: RegExp
  /** The program itself follows, no file. */
  readonly inline: RegExp
  /** What follows is what runs. */
  readonly runs?: RegExp
  /** Words before the script. */
  readonly verbs?: RegExp
  /** What runs is a class, called by the last of its names. */
  readonly isClass?: boolean
}

const NOTHING = /^$/

const LANGUAGES: readonly Language[] = [
  {
    exe: /^node(?:js)?(?:-?\d+)?$/,
    values:
      /^(?:-[rC]|--(?:require|import|(?:experimental-)?loader|conditions|env-file|title|openssl-config))$/,
    alone:
      /^--(?:inspect|inspect-brk|enable-source-maps|trace-[\w-]+|no-[\w-]+|expose-gc|preserve-symlinks)$/,
    inline: /^(?:-[ep]+|-pe|--eval|--print|-i|--interactive|--test|--run)$/,
  },
  {
    exe: /^(?:deno|bun)$/,
    values: /^(?:-c|--config|--import-map|--cwd)$/,
    alone: /^(?:-A|--(?:allow|no|unstable)-?[\w-]*|--watch|--hot|--smol)$/,
    inline: /^(?:-[ep]|--eval|--print|eval|repl|x)$/,
    verbs: /^(?:run|serve)$/,
  },
  {
    exe: /^(?:python|pypy)[\d.]*$/,
    values: /^-[WX]$/,
    alone: /^-[bBdEhiIOPqsSuvx]+$/,
    inline: /^-[bBdEiIOPqsSuv]*c/,
    runs: /^-m$/,
  },
  {
    exe: /^ruby[\d.]*$/,
    values: /^-[rICEK]$/,
    alone: /^(?:-[adlnpsSvwW\d]+|-[rIW].+|--(?:yjit|jit|verbose|enable|disable)[\w-]*)$/,
    inline: /^-[a-z]*e/,
  },
  {
    exe: /^perl[\d.]*$/,
    values: /^-[I]$/,
    alone: /^-(?:[acfnpsStTuUvwWX]+|[IMmCDdix].*)$/,
    inline: /^-[a-zA-Z]*[eE]$/,
  },
  { exe: /^php[\d.]*$/, values: /^-[dcztSg]$/, alone: /^-[anqCeH]$/, inline: /^-[rBRE]$/, runs: /^-[fF]$/ },
  {
    exe: /^java$/,
    values: /^(?:-cp|-classpath|-p|--(?:class-path|module-path|upgrade-module-path|add-[\w-]+|source))$/,
    alone:
      /^(?:-[DX].*|-(?:server|client|ea|esa|da|dsa|javaagent:.*|agent(?:lib|path):.*|verbose.*)|--enable-preview|@.*)$/,
    inline: NOTHING,
    runs: /^(?:-jar|-m|--module)$/,
    isClass: true,
  },
  {
    exe: /^(?:dotnet|mono[\w-]*)$/,
    values: NOTHING,
    alone: NOTHING,
    inline: /^(?:run|build|test)$/,
    verbs: /^exec$/,
  },
  {
    exe: /^(?:ba|da|z|k|mk|a)?sh$/,
    values: /^(?:[-+][a-zA-Z]*[oO]|--(?:rcfile|init-file))$/,
    alone: /^(?:[-+][abefhklmnpruvxBCEHPT]+|--(?:login|noprofile|norc|posix|restricted|verbose))$/,
    inline: /^-[a-zA-Z]*[cs]/,
  },
  {
    exe: /^(?:lua(?:jit)?|tclsh|guile|Rscript|escript)[\d.]*$/,
    values: NOTHING,
    alone: NOTHING,
    inline: /^-[ec]$/,
  },
]

const SCRIPT =
  /\.(?:[cm]?[jt]sx?|py[cowz]?|pyzw?|rb|ru|p[lm]|psgi|php\d?|phar|jar|war|class|java|dll|exe|(?:ba|z|k)?sh|lua|tcl|scm|R)$/
/** Names that people give to files; what is not called so is none. */
const NAME = /^[\w][\w.@+ -]{0,62}$/

const languageOf = (program: string): Language | undefined => LANGUAGES.find(({ exe }) => exe.test(program))

export const isInterpreter = (program: string): boolean => languageOf(program) !== undefined

const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const named = (name: string): string | undefined => (NAME.test(name) ? name : undefined)

/**
 * @param program base name of the interpreter
 * @param args its arguments, itself first
 */
export function scriptOf(program: string, args: readonly string[]): string | undefined {
  const language = languageOf(program)
  if (!language || args.length === 0) return undefined
  const title = titleOf(args[0]!)
  if (title !== undefined) return title
  let isDoubtful = false
  for (let at = 1; at < args.length; at++) {
    const arg = args[at]!
    if (language.runs?.test(arg)) return ranAs(args[at + 1] ?? '', language, arg)
    if (language.inline.test(arg)) return undefined
    if (language.verbs?.test(arg)) continue
    if (arg === '--') return ranAs(args[at + 1] ?? '', language)
    if (language.values.test(arg)) at++
    else if (/^[-+@]./.test(arg)) isDoubtful = !language.alone.test(arg) && !arg.includes('=')
    else return isDoubtful && !SCRIPT.test(arg) ? undefined : ranAs(arg, language)
  }
  return undefined
}

/** @param option before it: `-m`, `-jar` */
function ranAs(what: string, { isClass }: Language, option?: string): string | undefined {
  const file = base(what)
  return named(
    isClass && option !== '-jar' && !SCRIPT.test(file) ? file.slice(file.lastIndexOf('.') + 1) : file,
  )
}

/** A process that gave itself a title: `gunicorn: master [shop]`, `npm start`. Its first word is its name. */
function titleOf(first: string): string | undefined {
  if (isInterpreter(base(first))) return undefined // its path may have blanks
  const program = base(first.split(/[ :]/)[0]!)
  return first === '' || isInterpreter(program.replace(/^-/, '')) ? undefined : named(program)
}
