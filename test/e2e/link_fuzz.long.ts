import t from 'tap'
import { fuzz } from './link_fuzz.ts'

t.test('1,000,000 mutated messages from the holder of a key', t => fuzz(t, 1_000_000, Date.now(), 5000))
