import t from 'tap'
import { fuzz } from './link_fuzz.ts'

t.test('50,000 mutated messages from the holder of a key', t => fuzz(t, 50_000, 1))
