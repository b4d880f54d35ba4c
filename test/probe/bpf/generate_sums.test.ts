import { type BpfObject, type Field, open } from 'bcc-bindings'
import t from 'tap'
import { sumsText } from '../../../probe/bpf/generate_sums.ts'
import { objectPath } from '../../../probe/kernel/load.ts'

const object = open(objectPath())
t.teardown(() => object.close())

/** The real layouts, in which these records have one more field. */
const withField = (
  field: Partial<Field> & Pick<Field, 'name'>,
  ...records: string[]
): Pick<BpfObject, 'layout'> => ({
  layout(name) {
    const layout = object.layout(name)
    const more: Field = { offset: 0, size: 4, type: 'u32', count: 1, text: false, ...field }
    return records.includes(name) ? { ...layout, fields: [...layout.fields, more] } : layout
  },
})

t.test('a field is summed by its typedef, whatever its name', async t => {
  const field = { name: 'late_ones', typedef: 'delta_segments_t' }
  const text = sumsText(withField(field, 'tcp_flow', 'tcp_update'))
  for (const line of [
    '  lateOnes = 0',
    '    this.lateOnes += other.lateOnes',
    "  late_ones: 'lateOnes',",
    '  sums.lateOnes += view.getUint32(row + at.late_ones, true)',
  ])
    t.ok(text.split('\n').includes(line), line)
  const plain = sumsText(withField({ name: 'late_ones', typedef: 'segments_t' }, 'tcp_flow', 'tcp_update'))
  t.notMatch(plain, /late_ones/, 'a number that does not say so does not add up')
})

t.test('levels are added by a function of their own, which rows without traffic have, too', async t => {
  const text = sumsText(withField({ name: 'backlog', typedef: 'level_segments_t' }, 'udp_flow'))
  t.match(text, /function addUdpFlowLevels\([^}]*sums\.backlog \+= /)
})

t.test('what one kind of rows of a flow has and the other has not is refused', async t => {
  const field = { name: 'late_ones', typedef: 'delta_segments_t' }
  t.throws(() => sumsText(withField(field, 'tcp_flow')), {
    message: 'tcp_flow and tcp_update differ in their delta_ and level_ fields',
  })
  t.throws(() => sumsText(withField({ ...field, type: 'u16' }, 'udp_flow')), {
    message: 'udp_flow.late_ones is u16: make it u32 or u64',
  })
})
