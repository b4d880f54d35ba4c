import type { z } from 'zod'
import { type Setting, setting } from '../../../wire/settings/settings.ts'

/** A setting without a default. */
export const optional = <T>(
  row: Omit<Setting<T>, 'type' | 'fallback'> & { readonly type: z.ZodType<T> },
): Setting<T | undefined> => setting<T | undefined>({ ...row, fallback: undefined })
