import { END_FILTERS, type Filter } from '../../flows/filter.ts'

/** Filters of the page's address, as those of flows: of one end, of the role that is chosen. */
export function filterOf(asked: URLSearchParams): Filter {
  const end = END_FILTERS.flatMap(kind => (asked.get(kind) ? [[kind, asked.get(kind)!] as const] : []))
  const role = asked.get('role')
  return {
    end: Object.fromEntries(end),
    text: asked.get('text') ?? '',
    ...((role === 'client' || role === 'server') && { role }),
  }
}
